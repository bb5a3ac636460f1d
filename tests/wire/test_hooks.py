"""Event hooks of the caller's own client: their errors are not those of our request."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from rmz_async import (
    APIError,
    AuthenticationError,
    Client,
    ConflictError,
    ConnectionFailedError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    UnexpectedAnswerError,
)
from tests.wire.conftest import KEEP, TOKEN, Behaviour, Server, keeps, resets

pytestmark = [
    pytest.mark.anyio,
    # A client of the caller's own replaces the transport.
    pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"]),
]

QUICK = RetryPolicy(max_attempts=3, backoff=0.001)
Hook = Callable[[Any], Awaitable[None]]


@asynccontextmanager
async def hooked(server: Server, token: Any = TOKEN, **hooks: Hook) -> AsyncGenerator[Client]:
    """A client over an `httpx.AsyncClient` with such event hooks."""
    event_hooks = {name: [hook] for name, hook in hooks.items()}
    async with httpx.AsyncClient(event_hooks=event_hooks) as own:
        yield Client(token, base_url=server.base_url, http=own, retry=QUICK, pacing=None)


def refuses(status: int, *headers: str, **body: object) -> Behaviour:
    """Answer with an error of RMZ's, and keep the connection open."""

    def behave(connection: socket.socket, _: bytes) -> object:
        content = json.dumps({"error": True, "message": "No.", **body}).encode()
        lines = [f"HTTP/1.1 {status} No", "Content-Type: application/json", *headers]
        head = "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""])
        connection.sendall(head.encode() + content)
        return KEEP

    return behave


async def raise_for_status(response: httpx.Response) -> None:
    """The recipe of httpx's own documentation."""
    response.raise_for_status()


async def read_and_raise(response: httpx.Response) -> None:
    """The same for those who want to log the body."""
    await response.aread()
    response.raise_for_status()


async def raise_from(response: httpx.Response) -> None:
    """The same for those who raise an error of their own."""
    try:
        response.raise_for_status()
    except httpx.HTTPStatusError as error:
        raise LookupError("not ours") from error


@pytest.mark.parametrize("hook", [raise_for_status, read_and_raise, raise_from])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, AuthenticationError),
        (404, NotFoundError),
        (409, ConflictError),
        (429, RateLimitError),
    ],
)
async def test_an_answer_that_a_hook_raises_is_the_answer(
    serving: Any, hook: Hook, status: int, expected: type[APIError]
) -> None:
    """A change is sent once, and the error is RMZ's, with its headers."""
    answer = refuses(status, "Retry-After: 7", errors={"days": ["Too many."]})
    with serving(answer) as server:
        async with hooked(server, response=hook) as rmz:
            with pytest.raises(expected) as caught:
                await rmz.subscriptions.extend(501, days=7)
    assert len(server.requests) == 1
    assert (caught.value.status, caught.value.retry_after) == (status, 7)
    assert (caught.value.message == "No.") is (hook is read_and_raise)


async def read_it(response: httpx.Response) -> None:
    """A hook that logs the body."""
    await response.aread()


@pytest.mark.parametrize("hook", [read_it, read_and_raise])
@pytest.mark.parametrize("kept", [0, 25])
@pytest.mark.parametrize("status", [401, 404, 422, 429])
async def test_an_error_whose_cut_body_a_hook_has_read_is_the_answer(
    serving: Any, hook: Hook, kept: int, status: int
) -> None:
    """Httpx gives a hook what it could decompress; the head says what the answer is."""
    body = gzip.compress(b'{"success": false, "message": "No."}')[:kept]

    def behave(connection: socket.socket, _: bytes) -> None:
        connection.sendall(
            f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\nRetry-After: 7\r\n"
            f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )

    with serving(behave) as server:
        async with hooked(server, response=hook) as rmz:
            with pytest.raises(APIError) as caught:
                await rmz.subscriptions.extend(501, days=7)
    assert len(server.requests) == 1
    assert (caught.value.status, caught.value.retry_after) == (status, 7)
    assert not isinstance(caught.value, UnexpectedAnswerError)


async def test_a_token_is_renewed_after_a_401_that_a_hook_raises(serving: Any) -> None:
    """As after any other 401."""
    with serving(refuses(401), keeps()) as server:
        async with hooked(server, lambda: TOKEN, response=raise_for_status) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501
    assert len(server.requests) == 2


async def unreachable(_: object) -> None:
    """A hook that reports to a service which is down."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        async with httpx.AsyncClient() as audit:
            await audit.post(f"http://127.0.0.1:{unheard.getsockname()[1]}/")


async def made_by_hand(_: object) -> None:
    """A hook that raises an error which belongs to no request."""
    raise httpx.ConnectError("no audit")


async def made_for_our_request(response: httpx.Response) -> None:
    """A hook that raises an error of the connection in the name of our request."""
    raise httpx.ConnectError("no audit", request=response.request)


async def misled(response: httpx.Response) -> None:
    """A hook whose error holds the answer to another request."""
    raise httpx.HTTPStatusError(
        "no audit",
        request=response.request,
        response=httpx.Response(404, request=httpx.Request("POST", "http://audit/")),
    )


async def broken(_: object) -> None:
    """A hook with a mistake."""
    raise KeyError("missing")


async def leaving(_: object) -> None:
    """A hook that starts a thread, at a time when none is started any more."""
    raise RuntimeError("can't start new thread")


async def audited_in_vain(_: object) -> None:
    """A hook whose words are those of an interpreter that leaves."""
    raise RuntimeError("the audit is in shutdown")


async def sent_again(response: httpx.Response) -> None:
    """A hook that sends our request again, to a service which is down."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as mirror:
        await mirror.send(response.request)


FAILING = [
    unreachable,
    made_by_hand,
    made_for_our_request,
    misled,
    broken,
    leaving,
    audited_in_vain,
    sent_again,
]


@pytest.mark.parametrize("hook", FAILING)
async def test_a_change_whose_answer_a_hook_has_lost_is_unknown(serving: Any, hook: Hook) -> None:
    """RMZ has answered, so the change is not sent again."""
    with serving(keeps()) as server:
        async with hooked(server, response=hook) as rmz:
            with pytest.raises(OutcomeUnknownError):
                await rmz.subscriptions.extend(501, days=7)
    assert len(server.requests) == 1


@pytest.mark.parametrize("hook", FAILING)
async def test_a_transport_of_the_callers_own_behaves_alike(hook: Hook) -> None:
    """Which may not even have a connection."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"data": {"id": 501, "status": "active"}})

    own = httpx.AsyncClient(transport=httpx.MockTransport(answer), event_hooks={"response": [hook]})
    rmz = Client(TOKEN, http=own, retry=QUICK, pacing=None)
    with pytest.raises(OutcomeUnknownError):
        await rmz.subscriptions.extend(501, days=7)
    assert len(asked) == 1


@pytest.mark.parametrize("hook", [unreachable, made_by_hand, broken, leaving])
async def test_the_error_of_a_request_hook_reaches_the_caller(serving: Any, hook: Hook) -> None:
    """As it is: nothing was sent, and nothing is attempted again."""
    with serving(keeps()) as server:
        async with hooked(server, request=hook) as rmz:
            with pytest.raises((httpx.ConnectError, KeyError, RuntimeError)):
                await rmz.subscriptions.extend(501, days=7)
    assert not server.requests


async def test_the_error_of_a_request_hook_hides_no_earlier_attempt(serving: Any) -> None:
    """The first attempt of an order may have been applied."""
    calls: list[httpx.Request] = []

    async def fail_once_sent(request: httpx.Request) -> None:
        calls.append(request)
        if len(calls) > 1:
            raise KeyError("missing")

    with serving(resets) as server:
        async with hooked(server, request=fail_once_sent) as rmz:
            with pytest.raises(OutcomeUnknownError, match="KeyError"):
                await rmz.portal_sessions.create(customer=4501)
    assert len(calls) == 2


@pytest.mark.parametrize(
    "text",
    [
        "cannot schedule new futures after shutdown",
        "cannot schedule new futures after interpreter shutdown",
        "can't register atexit after shutdown",
        "Executor shutdown has been called",
        "can't create new thread at interpreter shutdown",
    ],
)
async def test_a_name_that_is_not_resolved_as_the_interpreter_leaves_is_not_sent_to(
    text: str,
) -> None:
    """The resolver needs a thread, and none is started any more."""

    def resolve(_: httpx.Request) -> httpx.Response:
        raise RuntimeError(text)

    own = httpx.AsyncClient(transport=httpx.MockTransport(resolve))
    rmz = Client(TOKEN, http=own, retry=RetryPolicy(max_attempts=1), pacing=None)
    with pytest.raises(ConnectionFailedError):
        await rmz.subscriptions.extend(501, days=7)


AT_EXIT = """
import asyncio, atexit, rmz_async

async def extend():
    rmz = rmz_async.Client("1|t", base_url="https://rmz.invalid", http=HTTP, pacing=None)
    try:
        await rmz.subscriptions.extend(501, days=7)
    except rmz_async.RMZError as error:
        print(type(error).__name__)

atexit.register(lambda: asyncio.run(extend()))
"""


@pytest.mark.parametrize("http", [None, "aiohttp"])
def test_a_call_at_exit_is_not_sent(http: str | None, anyio_backend: str) -> None:
    """If a name must be resolved, nothing can have arrived."""
    if http is not None:
        pytest.importorskip("httpx_aiohttp", reason="the extra aiohttp is not installed")
    program = AT_EXIT.replace("HTTP", repr(http))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=240)
    assert done.stdout.split() == [b"ConnectionFailedError"]
