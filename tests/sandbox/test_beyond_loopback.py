from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox, Webhook
from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.serving.served import listen

if TYPE_CHECKING:
    from tests.sandbox.conftest import Receiver

ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - what these tests are about
WORDS = "--i-know-that-this-is-not-rmz"


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were to be bound; loopback is bound in their place."""
    asked: list[str] = []

    def listen_here(host: str, port: int) -> socket.socket:
        asked.append(host)
        return listen("127.0.0.1", port)

    monkeypatch.setattr("rmz_async.sandbox.serving.served.listen", listen_here)
    return asked


def status_for(sandbox: Sandbox, host: str, **headers: str) -> int:
    """Return the status of a request to a served *sandbox* under the name *host*."""
    url = f"{sandbox.base_url}/subscriptions/501"
    token = {"Authorization": f"Bearer {sandbox.token}"}
    return httpx.get(url, headers={"Host": host, **token, **headers}).status_code


def test_other_addresses_need_leave(bound: list[str]) -> None:
    sandbox = Sandbox()
    with pytest.raises(ValueError, match=r"not on '0\.0\.0\.0', unless"):
        sandbox.serve(host=ALL_ADDRESSES)
    with sandbox.serve(host=ALL_ADDRESSES, beyond_loopback=True):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/shawarma", sandbox.base_url)
        assert status_for(sandbox, "127.0.0.1") == 200
    assert bound == [ALL_ADDRESSES]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8787", 200),
        ("rmz:8787", 200),
        ("10.1.2.3:8787", 200),
        ("[fd00::1]:8787", 200),
        ("rmz.internal.example", 200),
        ("pages.example:8787", 200),
        ("evil.example", 400),
        ("rmz.internal.example.evil.example", 400),
        ("10.1.2.3.evil.example", 400),
        ("[::1", 400),
    ],
)
def test_a_strangers_name_for_the_address_is_refused(host: str, status: int) -> None:
    """A page of a stranger can let its own name lead here, and then read the dashboard."""
    sandbox = Sandbox()
    served = sandbox.serve(
        beyond_loopback=True,
        names=["rmz.internal.example"],
        public_url="http://pages.example:8787/",
    )
    with served:
        assert status_for(sandbox, host) == status
        if status == 200:
            assert status_for(sandbox, host, Origin="http://evil.example") == 400


def test_the_next_time_it_is_served_on_loopback_only() -> None:
    """Leave is for one time."""
    sandbox = Sandbox()
    with sandbox.serve(beyond_loopback=True):
        assert status_for(sandbox, "rmz:8787") == 200
    with sandbox.serve():
        assert status_for(sandbox, "rmz:8787") == 400


@pytest.mark.parametrize("beyond", [False, True])
def test_the_refusal_says_which_names_are_answered(*, beyond: bool) -> None:
    sandbox = Sandbox()
    with sandbox.serve(beyond_loopback=beyond):
        answer = httpx.get(sandbox.base_url, headers={"Host": "evil.example"})

    assert ("names without a dot" in answer.text) is beyond


def test_links_to_pages_begin_with_the_public_address() -> None:
    """A browser outside the containers has another name for the sandbox than the service."""
    sandbox = Sandbox()
    with sandbox.serve(public_url="http://localhost:9999/") as served:
        answer = httpx.post(
            f"{served.base_url}/portal-sessions",
            headers={"Authorization": f"Bearer {served.token}"},
            json={"customer": {"id": 4501}},
        )

    assert answer.json()["data"]["url"].startswith("http://localhost:9999/s/")


@pytest.mark.parametrize(
    "url", ["localhost:9999", "ftp://a", "http://", "http://a?b", "http://a#b"]
)
def test_a_public_address_is_an_address(url: str) -> None:
    with pytest.raises(ValueError, match="public_url must be like http://localhost:8787"):
        Sandbox().serve(public_url=url)


def test_a_webhook_on_another_machine_needs_leave() -> None:
    """The leave is of one webhook, and holds if its address changes."""
    with pytest.raises(ValueError, match="unless beyond_loopback is set"):
        Sandbox().add_webhook("http://app:8000/hooks")
    webhook = Sandbox().add_webhook("http://app:8000/hooks", beyond_loopback=True)
    webhook.url = "https://app.example/hooks"

    assert webhook.url == "https://app.example/hooks"


@pytest.mark.parametrize("url", ["ftp://app/hooks", "http:///hooks", "app"])
def test_leave_makes_no_other_address_right(url: str) -> None:
    with pytest.raises(ValueError, match=r"http\(s\)"):
        Webhook(id=1, url=url, beyond_loopback=True)


@pytest.mark.anyio
async def test_a_delivery_to_another_machine_is_signed_as_any(receiver: Receiver) -> None:
    async with Sandbox() as sandbox:
        sandbox.add_webhook("http://app:8000/hooks", app=receiver, beyond_loopback=True)
        sandbox.emit("subscription.renewed", 501)
        await sandbox.delivered()

    assert receiver.headers[0]["host"] == "app:8000"
    assert re.fullmatch("[0-9a-f]{64}", receiver.headers[0]["signature"])


def test_the_command_line_takes_another_address_together_with_the_words(
    capsys: pytest.CaptureFixture[str], bound: list[str]
) -> None:
    """And says who can do what from then on; a browser gets the links that it can open."""
    seen: list[Any] = []

    def look() -> None:
        out = capsys.readouterr().out
        seen.extend([out, httpx.get(re.findall(r"dashboard (\S+)", out)[0]).status_code])
        base_url = re.findall(r"RMZ_BASE_URL=(\S+)", out)[0]
        headers = {"Authorization": "Bearer 1|local", "Host": "rmz.a.b"}
        seen.append(httpx.get(f"{base_url}/subscriptions", headers=headers).status_code)

    arguments = ["--port", "0", "--host", ALL_ADDRESSES, WORDS, "--allow-host", "rmz.a.b"]
    webhook = ["--webhook", "http://app:8000/hooks", "--token", "1|local"]
    assert main([*arguments, *webhook], wait=look) == 0
    out, *statuses = seen
    assert (bound, statuses) == ([ALL_ADDRESSES], [200, 200])
    assert "Other machines reach it on 0.0.0.0, and can do everything there." in out
    assert "webhook   http://app:8000/hooks" in out


def test_the_words_alone_change_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", WORDS], wait=lambda: None) == 0
    assert "Other machines" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["--host", ALL_ADDRESSES], ["--webhook", "http://app:8000/"]],
)
def test_the_command_line_names_the_words_that_are_missing(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", *arguments])

    assert ended.value.code == 2
    assert WORDS in capsys.readouterr().err


def test_the_public_address_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--port", "0", "--public-url", "http://localhost:9999"]
    assert main(arguments, wait=lambda: None) == 0

    assert "dashboard http://localhost:9999/\n" in capsys.readouterr().out
