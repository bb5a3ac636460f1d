from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rmz_async.sandbox.__main__ import main

ROOT = Path(__file__).parents[2]
SECRET = "a-secret-of-28-characters-at"
TOKEN = {"Authorization": "Bearer 1|local"}


def served(
    path: Path, capsys: pytest.CaptureFixture[str], act: Callable[[str], Any], *options: str
) -> Any:
    """Serve with the state in *path*, and return what *act* returns of the address."""
    results: list[Any] = []

    def look() -> None:
        base_url = re.findall(r"RMZ_BASE_URL=(\S+)", capsys.readouterr().out)[0]
        results.append(act(base_url))

    arguments = ["--port", "0", "--token", "1|local", "--state", str(path), *options]
    assert main(arguments, wait=look) == 0
    return results[0]


def pause(base_url: str) -> int:
    return httpx.post(f"{base_url}/subscriptions/501/pause", headers=TOKEN).status_code


def status(base_url: str) -> str:
    answer = httpx.get(f"{base_url}/subscriptions/501", headers=TOKEN)
    found: str = answer.json()["data"]["status"]
    return found


def failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Return the exit code and the message of a command that fails."""
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", *arguments], wait=lambda: None)
    message = capsys.readouterr().err
    assert message.count("\n") == 1, "one line"
    return ended.value.code, message


def test_the_next_run_goes_on_where_the_last_one_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shop.json"
    assert served(path, capsys, pause) == 200

    assert served(path, capsys, status) == "paused"


def test_a_webhook_that_the_state_has_is_not_added_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its secret stays, unless another one is given."""
    path = tmp_path / "shop.json"
    webhook = ["--webhook", "http://127.0.0.1:1/a"]

    def secrets() -> list[str]:
        main(["--port", "0", "--state", str(path), *webhook], wait=lambda: None)
        return re.findall(r"secret +(\S+)", capsys.readouterr().out)

    first = secrets()
    assert len(first) == 1
    assert secrets() == first
    webhook += ["--secret", SECRET]
    assert secrets() == [SECRET]


def test_an_end_by_an_error_saves_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "shop.json"

    def stop(base_url: str) -> None:
        pause(base_url)
        raise KeyboardInterrupt

    def look() -> None:
        stop(re.findall(r"RMZ_BASE_URL=(\S+)", capsys.readouterr().out)[0])

    main(["--port", "0", "--token", "1|local", "--state", str(path)], wait=look)

    assert served(path, capsys, status) == "paused"


def test_the_sandbox_keeps_no_snapshot_of_its_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snapshots are the user's; a large store would be held twice."""
    from rmz_async.sandbox.snapshots.snapshots import Snapshots

    deleted: list[str] = []
    delete = Snapshots.delete

    def noting(self: Snapshots, name: str) -> None:
        delete(self, name)
        deleted.append(name)

    monkeypatch.setattr(Snapshots, "delete", noting)
    path = tmp_path / "shop.json"
    served(path, capsys, status)
    served(path, capsys, status)

    assert len(deleted) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not JSON"),
        ('{"format": "something else"}', "snapshot"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, reason: str
) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    code, message = failure(["--state", str(path)], capsys)

    assert code == 2
    assert reason in message
    assert path.read_text() == content


def test_a_live_token_in_the_file_is_refused_and_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shop.json"
    served(path, capsys, status)
    live = "17|" + "aB3dE6fG9h" * 4
    path.write_text(path.read_text("utf-8").replace("usr_abc123", live), "utf-8")
    code, message = failure(["--state", str(path)], capsys)

    assert code == 2
    assert "a real store" in message
    assert live not in message


def test_a_folder_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, message = failure(["--state", str(tmp_path)], capsys)

    assert code == 2
    assert "the state cannot be read" in message


def test_a_file_that_cannot_be_written_is_said_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, message = failure(["--state", str(tmp_path / "no" / "shop.json")], capsys)

    assert code == 2
    assert "the state cannot be saved" in message


def test_a_state_that_cannot_be_saved_at_the_end_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder was removed while the sandbox was served."""
    folder = tmp_path / "folder"
    folder.mkdir()
    path = folder / "shop.json"

    def remove() -> None:
        path.unlink()
        folder.rmdir()

    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", "--state", str(path)], wait=remove)

    assert ended.value.code == 1
    assert "the state cannot be saved" in capsys.readouterr().err


def test_a_webhook_beyond_this_machine_needs_the_words_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file may come from a colleague."""
    path = tmp_path / "shop.json"
    words = "--i-know-that-this-is-not-rmz"
    served(path, capsys, status, "--webhook", "http://app:8000/", words)
    code, message = failure(["--state", str(path)], capsys)

    assert code == 2
    assert words in message
    assert served(path, capsys, status, words) == "active"


def test_sigterm_saves_the_state(tmp_path: Path) -> None:
    """Docker stops a container so."""
    path = tmp_path / "shop.json"
    command = ["-m", "rmz_async.sandbox", "--port", "0", "--token", "1|local"]
    with subprocess.Popen(
        [sys.executable, "-W", "error", *command, "--state", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # Reading a line has no time limit of its own.
        watchdog = threading.Timer(120, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            base_url = next(line for line in lines if "RMZ_BASE_URL=" in line).partition("=")[2]
            assert any("Ctrl-C" in line for line in lines)
            assert pause(base_url.strip()) == 200
            process.send_signal(signal.SIGTERM)
            _, complaints = process.communicate(timeout=100)
        finally:
            watchdog.cancel()
            process.kill()
    assert (process.returncode, complaints) == (0, "")
    rows = json.loads(path.read_text("utf-8"))["tables"]["subscriptions"]
    assert rows["501"]["status"] == "paused"
