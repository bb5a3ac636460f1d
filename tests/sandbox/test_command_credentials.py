from __future__ import annotations

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from rmz_async.sandbox.__main__ import main

LIVE = "17|" + "aB3dE6fG9h" * 4
SECRET = "a-secret-of-28-characters-at"
WEBHOOK = ["--webhook", "http://localhost:1/"]

posix = pytest.mark.skipif(os.name != "posix", reason="other systems have no modes of files")


def printed_by(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Serve, and return the token and the secret that were printed."""
    assert main(["--port", "0", *WEBHOOK, *arguments], wait=lambda: None) == 0
    out = capsys.readouterr().out
    token, secret = re.findall(r"RMZ_API_TOKEN='(.+)'|secret +(\S+)", out)
    return token[0], secret[1]


def failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Return the exit code and the message of a command that fails."""
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", *arguments], wait=lambda: pytest.fail("it was served"))
    return ended.value.code, capsys.readouterr().err


def test_a_file_keeps_token_and_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A restart has the same as before; another file has others."""
    first = printed_by(["--credentials", str(tmp_path / "kept.env")], capsys)

    assert printed_by(["--credentials", str(tmp_path / "kept.env")], capsys) == first
    assert printed_by(["--credentials", str(tmp_path / "new.env")], capsys) != first


@posix
def test_the_file_is_the_owners_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that was opened to others is closed again."""
    path = tmp_path / "kept.env"
    printed_by(["--credentials", str(path)], capsys)
    modes = [stat.S_IMODE(path.stat().st_mode)]
    path.chmod(0o644)
    printed_by(["--credentials", str(path)], capsys)

    assert [*modes, stat.S_IMODE(path.stat().st_mode)] == [0o600, 0o600]


@posix
def test_a_shell_can_load_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bar of a token would begin a pipe if it were not quoted."""
    path = tmp_path / "kept.env"
    token, secret = printed_by(["--credentials", str(path)], capsys)
    script = '. "$0"; printf "%s %s" "$RMZ_API_TOKEN" "$RMZ_WEBHOOK_SECRET"'
    loaded = subprocess.check_output(["/bin/sh", "-c", script, str(path)], text=True)

    assert loaded == f"{token} {secret}"


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_a_file_may_be_written_by_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], quote: str
) -> None:
    """As env files are: with comments, other values, quotes and exports."""
    path = tmp_path / "hand.env"
    path.write_text(
        f"# mine\n\nDEBUG=1\nexport RMZ_API_TOKEN={quote}1|local{quote}  \n"
        f"RMZ_WEBHOOK_SECRET={quote}{SECRET}{quote}\nnot a line of this form\n"
    )

    assert printed_by(["--credentials", str(path)], capsys) == ("1|local", SECRET)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "has no RMZ_API_TOKEN and no RMZ_WEBHOOK_SECRET"),
        (b"RMZ_API_TOKEN=1|local", "has no RMZ_WEBHOOK_SECRET"),
        (f"RMZ_WEBHOOK_SECRET={SECRET}\nRMZ_API_TOKEN=".encode(), "has no RMZ_API_TOKEN"),
        (b"\xff\xfe", "cannot be used: it is no text"),
        (f"RMZ_WEBHOOK_SECRET={SECRET}\nRMZ_API_TOKEN={LIVE}".encode(), "a real store"),
        (f"RMZ_WEBHOOK_SECRET={LIVE}\nRMZ_API_TOKEN=1|local".encode(), "a real store"),
        (
            f"RMZ_WEBHOOK_SECRET={SECRET}\nRMZ_API_TOKEN=1|local\nPROD='{LIVE}'".encode(),
            "a real store",
        ),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
) -> None:
    """The message is one line, and shows nothing of the file."""
    path = tmp_path / "other.env"
    path.write_bytes(content)
    code, message = failure(["--credentials", str(path)], capsys)

    assert code == 2
    assert reason in message
    assert message.count("\n") == 1
    assert LIVE not in message
    assert SECRET not in message
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_made_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "no" / "such" / "folder"

    assert failure(["--credentials", str(path)], capsys) == (
        2,
        f"python -m rmz_async.sandbox: error: {path} cannot be used: No such file or directory\n",
    )


@pytest.mark.parametrize("option", ["--token", "--secret"])
def test_a_file_and_an_option_for_the_same_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    path = tmp_path / "kept.env"
    code, message = failure(["--credentials", str(path), option, SECRET], capsys)

    assert code == 2
    assert "leave --token and --secret out" in message
    assert not path.exists()
