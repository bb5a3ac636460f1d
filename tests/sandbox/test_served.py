from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.serving.served import listen

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from tests.sandbox.conftest import ManualClock


def has_ipv6() -> bool:
    """Return whether ``::1`` can be bound."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


class Hook(BaseHTTPRequestHandler):
    """Answers every delivery once its server's gate is open."""

    gate = threading.Event()

    def do_POST(self) -> None:
        """Take one delivery."""
        self.gate.wait(5)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Print nothing."""


@pytest.fixture
def hook_url() -> Iterator[str]:
    """The address of a receiver behind a real socket, whose gate is shut at first."""
    Hook.gate.clear()
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hooks"
        Hook.gate.set()
        server.shutdown()
        thread.join()


def serving_threads() -> list[threading.Thread]:
    """Return the threads that serve a sandbox."""
    return [thread for thread in threading.enumerate() if thread.name == "rmz-sandbox"]


def test_serving_leaves_no_thread_or_port_behind(clock: ManualClock) -> None:
    """A plain with block serves over a real socket, and leaves no thread and no port behind."""
    sandbox = Sandbox(clock=clock)
    unserved = sandbox.base_url
    with sandbox.serve() as served:
        address = httpx.URL(served.base_url)
        assert address.host == "127.0.0.1"
        assert address.path == "/shawarma"
        assert len(serving_threads()) == 1
        headers = {"Authorization": f"Bearer {served.token}"}
        answer = httpx.get(f"{served.base_url}/subscriptions", headers=headers)
        assert answer.json()["data"]["path"] == f"{served.base_url}/subscriptions"
        assert served.state.subscriptions[501].id == 501
        httpx.post(f"{served.base_url}/subscriptions/501/pause", headers=headers)
        assert [effect.object_id for effect in served.ledger] == [501]
    assert serving_threads() == []
    assert sandbox.base_url == unserved
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(address.host), address.port or 0))


def test_a_stopped_sandbox_can_be_served_again(clock: ManualClock) -> None:
    """A stopped sandbox can be served once more, with the state that it had."""
    served = Sandbox(clock=clock).serve()
    for status in ("active", "paused"):
        with served:
            headers = {"Authorization": f"Bearer {served.token}"}
            url = f"{served.base_url}/subscriptions/501"
            assert httpx.get(url, headers=headers).json()["data"]["status"] == status
            httpx.post(f"{url}/pause", headers=headers)


def test_idle_connection_does_not_hold_up_the_end(clock: ManualClock) -> None:
    """A client that keeps its connection open is hung up on."""
    with httpx.Client() as client:
        with Sandbox(clock=clock).serve() as served:
            assert client.get(f"{served.base_url}/subscriptions").status_code == 401
        assert serving_threads() == []


def test_an_open_page_does_not_hold_up_the_end(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream of changes ends by itself, and nothing is said about it."""
    with httpx.Client() as client:
        with Sandbox(clock=clock).serve() as served:
            live = httpx.URL(served.base_url).join("/live")
            opened = client.stream("GET", live)
            stream = opened.__enter__()
        assert stream.read().startswith(b"retry:")
        opened.__exit__(None, None, None)
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_a_call_that_is_cut_off_at_the_end_leaves_no_traceback(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """As a fault that keeps a caller waiting for an hour."""
    begun = threading.Event()

    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await anyio.sleep_forever()

    sandbox = Sandbox(clock=clock)
    sandbox.app = hang
    with ThreadPoolExecutor(1) as threads:
        with sandbox.serve() as served:
            calling = threads.submit(httpx.get, f"{served.base_url}/store", timeout=60)
            begun.wait()
        with pytest.raises(httpx.TransportError):
            calling.result()
    assert [record.exc_info for record in caplog.records if record.exc_info] == []


def test_a_webhook_can_be_added_from_any_thread(clock: ManualClock, hook_url: str) -> None:
    """From any thread a webhook can be added and its delivery waited for, within bounds."""
    with Sandbox(clock=clock).serve() as served:
        webhook = served.add_webhook(hook_url, signed=False)
        headers = {"Authorization": f"Bearer {served.token}"}
        httpx.post(f"{served.base_url}/subscriptions/501/pause", headers=headers)
        with pytest.raises(TimeoutError, match=r"still under way after 0.01 s"):
            served.wait_delivered(timeout=0.01)
        Hook.gate.set()
        served.wait_delivered()
        (delivery,) = served.deliveries
    assert not webhook.signed
    assert (delivery.status, delivery.url) == (204, hook_url)


@pytest.mark.anyio
async def test_an_async_block_serves_too(
    clock: ManualClock, hook_url: str, anyio_backend: str
) -> None:
    """An async with block serves too, whatever loop the caller runs on."""
    Hook.gate.set()
    async with Sandbox(clock=clock).serve() as served, httpx.AsyncClient() as api:
        served.add_webhook(hook_url)
        headers = {"Authorization": f"Bearer {served.token}"}
        answer = await api.post(f"{served.base_url}/subscriptions/501/pause", headers=headers)
        assert answer.status_code == 200
        await served.delivered()
        assert [delivery.status for delivery in served.deliveries] == [204]
    assert serving_threads() == []


@pytest.mark.anyio
async def test_cancelled_caller_still_stops_the_server(
    clock: ManualClock, anyio_backend: str
) -> None:
    """A block that is left by cancellation leaves no thread behind."""
    with anyio.CancelScope() as scope:
        async with Sandbox(clock=clock).serve():
            scope.cancel()
            await anyio.sleep_forever()
    assert serving_threads() == []


@pytest.mark.parametrize(
    ("host", "start"),
    [
        ("localhost", "http://127.0.0.1:"),
        pytest.param(
            "::1",
            "http://[::1]:",
            marks=pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback"),
        ),
    ],
)
def test_other_loopback_hosts_are_served(clock: ManualClock, host: str, start: str) -> None:
    """IPv6 and localhost work, and the address is written as a URL needs it."""
    with Sandbox(clock=clock).serve(host=host) as served:
        assert served.base_url.startswith(start)
        assert httpx.get(f"{served.base_url}/subscriptions").status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "app.example", "::", ""])  # noqa: S104 - refused
def test_an_address_on_the_network_is_refused(host: str) -> None:
    """An address that others could reach is refused before anything is bound."""
    with pytest.raises(ValueError, match="loopback"):
        Sandbox().serve(host=host)


def test_a_sandbox_is_served_once_at_a_time(clock: ManualClock) -> None:
    """A second address would take the first one's place in what the sandbox sends."""
    sandbox = Sandbox(clock=clock)
    with sandbox.serve() as served:
        address = served.base_url
        with pytest.raises(RuntimeError, match="served already"), sandbox.serve():
            pass
        assert sandbox.base_url == address


def test_a_start_that_fails_can_be_made_again(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing stays behind after any failure."""
    sandbox = Sandbox(clock=clock)
    address = sandbox.base_url
    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, "start", lambda _: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"), sandbox.serve():
            pass
    assert sandbox.base_url == address
    with sandbox.serve() as served:
        assert httpx.get(f"{served.base_url}/store").status_code == 401


def test_port_in_use_is_the_callers_error(clock: ManualClock) -> None:
    """A port that is taken raises in the caller, starts no thread, and spoils nothing."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        sandbox = Sandbox(clock=clock)
        with pytest.raises(OSError, match="in use"), sandbox.serve(port=taken.getsockname()[1]):
            pass
        with sandbox.serve():
            pass
    assert serving_threads() == []


def test_answers_wait_for_no_acknowledgement() -> None:
    """The listening socket says TCP, because only then asyncio sends without delay."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
