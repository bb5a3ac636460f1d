from __future__ import annotations

import httpx
import pytest
from starlette.types import Message, Scope

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.faults.requests import ABORT

pytestmark = pytest.mark.anyio


async def test_requests_are_found_by_method_path_and_status(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Each filter narrows the others."""
    await api.get("/subscriptions/501")
    await api.post("/subscriptions/501/pause")
    await api.get("/subscriptions/1")

    assert [one.status for one in sandbox.requests] == [200, 200, 404]
    assert [one.path for one in sandbox.requests.of(method="POST")] == ["/subscriptions/501/pause"]
    assert len(sandbox.requests.of(path="/subscriptions/501")) == 2
    assert len(sandbox.requests.of(path="/subscriptions/501", status=404)) == 0


async def test_a_request_that_nobody_expected_is_named(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The message reads like the incident."""
    await api.get("/subscriptions/1?page=2")
    sandbox.requests.assert_none(status=429)
    with pytest.raises(AssertionError, match=r"GET /subscriptions/1\?page=2 → 404"):
        sandbox.requests.assert_none(status=404)


async def test_pages_are_no_requests_of_the_api(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The dashboard does not fill its own log."""
    await browser.get("/requests")
    assert list(sandbox.requests) == []


async def test_bodies_are_kept_in_part(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """A large one does not fill the memory."""
    await api.post("/subscriptions/501/extend", json="x" * 40_000)
    (one,) = sandbox.requests
    assert len(one.sent) == 16 * 1024
    assert one.answer
    assert "xxx" not in repr(one)


@pytest.mark.parametrize("fault", [None, "reset", "truncated"])
async def test_a_caller_who_has_the_end_of_the_answer_finds_the_request(
    sandbox: Sandbox, fault: str | None
) -> None:
    """Also if a fault cut the connection, and though the sandbox works in another thread."""
    if fault is not None:
        sandbox.faults.add(fault)
    found: list[list[str]] = []

    def look() -> None:
        found.append([one.path for one in sandbox.requests])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            look()

    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/shawarma/subscriptions/501",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 50_000),
        ABORT: look,
    }
    await sandbox.app(scope, receive, send)
    assert found == [["/subscriptions/501"]]
    assert len(sandbox.requests) == 1
