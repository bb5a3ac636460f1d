"""Commands find a sandbox by its address and token, and send a live token nowhere."""

from __future__ import annotations

import threading
from http.server import HTTPServer
from pathlib import Path

import pytest

from rmz_async.sandbox import Served
from rmz_async.sandbox.__main__ import main
from tests.sandbox.asking import NOBODY, Accepting, failure

LIVE = "17|" + "aB3dE6fG9h" * 4


def test_a_file_of_credentials_has_the_token(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("RMZ_API_TOKEN")
    path = tmp_path / "kept.env"
    path.write_text("RMZ_API_TOKEN=1|local\nRMZ_WEBHOOK_SECRET=a-secret-of-28-characters-at\n")

    assert main(["list", "orders", "--credentials", str(path)]) == 0


def test_an_address_may_be_given_with_or_without_the_path_of_the_api(served: Served) -> None:
    """People copy it from either place."""
    with_path = served.base_url
    without = with_path.removesuffix("/shawarma")

    assert [main(["list", "orders", "--url", url]) for url in (with_path, f"{without}/")] == [0, 0]


@pytest.mark.parametrize("given", ["option", "environment"])
def test_a_live_token_is_sent_nowhere(
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str,
) -> None:
    """The shell of a developer may have the real store's."""
    arguments = ["list", "orders"]
    if given == "option":
        arguments += ["--token", LIVE]
    else:
        monkeypatch.setenv("RMZ_API_TOKEN", LIVE)
    seen: list[str] = []
    monkeypatch.setattr("httpx.Client.request", lambda *_, **__: seen.append("sent"))
    code, message = failure(arguments, capsys)

    assert (code, seen) == (2, [])
    assert "may belong to a real store, and was sent nowhere" in message
    assert LIVE not in message


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--token", "1|other"], 1, "has another token"),
        (["--token", "1|رمز"], 2, "visible ASCII"),
        (["--token", "1|with blank"], 2, "visible ASCII"),
        (["--token", "1|a", "--credentials", "x"], 2, "not allowed with"),
        (["--url", "http://app.example"], 2, "app.example is another machine"),
        (["--url", "https://127.0.0.1"], 2, "--url must be like"),
        (["--url", "http://"], 2, "--url must be like"),
        (["--url", "http://[::1"], 2, "--url must be like"),
        (["--url", "http://127.0.0.1:port"], 2, "--url must be like"),
    ],
)
def test_a_wrong_address_or_token_is_said(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    reason: str,
) -> None:
    given = failure(["list", "orders", *arguments], capsys)

    assert given[0] == code
    assert reason in given[1]


def test_a_missing_token_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RMZ_API_TOKEN", raising=False)
    code, message = failure(["list", "orders"], capsys)

    assert code == 2
    assert "pass --token or --credentials, or set RMZ_API_TOKEN" in message


def test_no_sandbox_is_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An address on https is no sandbox's, so that the standard port is meant."""
    monkeypatch.setenv("RMZ_BASE_URL", "https://merchant-api.rmz.gg/shawarma")
    monkeypatch.setattr("rmz_async.sandbox.commands.running.STANDARD_URL", NOBODY.rstrip("/"))
    code, message = failure(["list", "orders", "--token", "1|local"], capsys)

    assert code == 3
    assert message.startswith("no sandbox answers at http://127.0.0.1:1 (")


@pytest.mark.parametrize("path", ["", "/json"])
def test_another_server_is_no_sandbox(capsys: pytest.CaptureFixture[str], path: str) -> None:
    """A page, or JSON of another form."""
    with HTTPServer(("127.0.0.1", 0), Accepting) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}{path}"
        code, message = failure(["list", "orders", "--token", "1|a", "--url", url], capsys)

    assert code == 3
    assert "is no sandbox" in message


def test_an_address_on_another_machine_may_be_named_in_so_many_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The request is made; no name of the machine is looked up here."""
    seen: list[str] = []

    class Answer:
        """The answer of a sandbox."""

        is_success = True
        status_code = 200

        def json(self) -> object:
            """An empty list."""
            return {"rows": [], "total": 0}

    def request(_: object, method: str, url: str, **__: object) -> Answer:
        seen.append(f"{method} {url}")
        return Answer()

    monkeypatch.setattr("httpx.Client.request", request)
    address = ["--url", "http://rmz:8787", "--i-know-that-this-is-not-rmz"]

    assert main(["list", "orders", "--token", "1|a", *address]) == 0
    assert seen == ["GET http://rmz:8787/sandbox/list/orders"]
