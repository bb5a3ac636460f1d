from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.serving.bodies import LimitedBodies

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

PATHS = ["/shawarma/orders", "/order-checkout/{key}/pay", "/checkout/nothing/pay", "/nothing"]


class Endless(httpx.AsyncByteStream):
    """A body that counts how many of its pieces were read."""

    def __init__(self) -> None:
        self.read = 0

    def __aiter__(self) -> Endless:
        """Return the pieces."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next 64 KiB."""
        self.read += 1
        return b"x" * 65536


@pytest.fixture
async def page(api: httpx.AsyncClient, basket: dict[str, Any]) -> str:
    """The key of an order's page, which reads what is posted to it."""
    answer = await api.post("/orders", json=basket)
    return str(answer.json()["data"]["checkout_url"]).rpartition("/")[2]


@pytest.mark.anyio
@pytest.mark.parametrize("path", PATHS)
async def test_a_body_that_says_it_is_too_large_is_not_read(
    api: httpx.AsyncClient, page: str, path: str
) -> None:
    """The first megabyte is all that anybody may send, to the API and to the pages."""
    body = Endless()
    said = {
        "Host": "127.0.0.1",
        "Content-Length": str(1024 * 1024 + 1),
        "Content-Type": "application/json",
    }
    url = f"http://127.0.0.1{path.format(key=page)}"
    request = httpx.Request("POST", url, headers={**api.headers, **said}, stream=body)
    answer = await api.send(request)
    assert answer.status_code == 413
    assert body.read == 0
    assert answer.headers["connection"] == "close"
    assert answer.json() == {"message": "The body is larger than 1048576 bytes."}


@pytest.mark.anyio
@pytest.mark.parametrize("path", PATHS[:2])
async def test_a_body_of_unknown_length_is_counted(
    api: httpx.AsyncClient, page: str, path: str
) -> None:
    """No more is read than the limit and the piece that goes beyond it."""
    body = Endless()
    headers = {**api.headers, "Host": "127.0.0.1", "Content-Type": "application/json"}
    url = f"http://127.0.0.1{path.format(key=page)}"
    answer = await api.send(httpx.Request("POST", url, headers=headers, stream=body))
    assert answer.status_code == 413
    assert body.read == 17


@pytest.mark.anyio
async def test_a_body_of_the_limit_is_taken(anyio_backend: str) -> None:
    """The limit itself is still allowed."""
    answers: list[Message] = []

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        assert len((await receive())["body"]) == 10
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 10, "more_body": False}

    async def send(message: Message) -> None:
        answers.append(message)

    scope = {"type": "http", "headers": [(b"content-length", b"10")]}
    await LimitedBodies(reads, 10)(scope, receive, send)
    assert answers[0]["status"] == 204


@pytest.mark.parametrize("path", ["/shawarma/orders", "/order-checkout/{key}/pay"])
def test_a_client_that_hangs_up_prints_no_traceback(
    clock: ManualClock, basket: dict[str, Any], caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Neither to the log nor to the screen, and the next caller is served."""
    with caplog.at_level(logging.DEBUG), Sandbox(clock=clock).serve() as served:
        headers = {"Authorization": f"Bearer {served.token}"}
        made = httpx.post(f"{served.base_url}/orders", json=basket, headers=headers).json()
        key = made["data"]["checkout_url"].rpartition("/")[2]
        address = httpx.URL(served.base_url)
        with socket.create_connection((address.host, address.port or 0)) as caller:
            caller.sendall(
                f"POST {path.format(key=key)} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {served.token}\r\nContent-Type: application/json\r\n"
                "Content-Length: 100\r\n\r\n{".encode()
            )
        answer = httpx.get(f"{served.base_url}/subscriptions", headers=headers)
        assert answer.status_code == 200
    assert not [record for record in caplog.records if record.exc_info]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
