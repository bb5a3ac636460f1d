"""Connections: whose they are, how they are closed, and how many there are."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest
import respx

from rmz_async import (
    Client,
    ConfigurationError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RetryPolicy,
    UnexpectedAnswerError,
)
from rmz_async._http import client as connections_module
from tests.seams import Setting, pool_of, replace, transport_of
from tests.wire.conftest import TOKEN, their_client

BODY = b'{"data": {"id": 501, "status": "active"}}'
SUBSCRIPTION = {"data": {"id": 501, "status": "active"}}


def answer(_: httpx.Request) -> httpx.Response:
    """A subscription."""
    return httpx.Response(200, json=SUBSCRIPTION)


@pytest.mark.anyio
async def test_a_closed_client_says_so(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """A closed client refuses calls, and closing it again does nothing."""
    rmz_api.get("/subscriptions/501").mock(side_effect=answer)
    rmz = make_client()
    await rmz.subscriptions.get(501)
    await rmz.aclose()
    await rmz.aclose()
    with pytest.raises(ConfigurationError, match="was closed"):
        await rmz.subscriptions.get(501)


@pytest.mark.anyio
@their_client
async def test_the_callers_http_client_is_used_without_its_headers(make_client: Any) -> None:
    """A client that was passed in is used without its headers, and stays open."""
    seen: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(request)

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(note), headers={"X-Mine": "1"}, auth=("me", "secret")
    ) as http:
        async with make_client(http=http) as rmz:
            await rmz.subscriptions.get(501)
            assert pool_of(rmz) is None
        assert not http.is_closed
    assert seen[0].headers["authorization"] == "Bearer 1|wire-test-token"
    assert "x-mine" not in seen[0].headers


@pytest.mark.anyio
@their_client
async def test_the_callers_event_hooks_see_both_bodies(make_client: Any) -> None:
    """Hooks may look at the request's content and read the answer, as loggers do."""
    seen: list[bytes] = []

    async def note_request(request: httpx.Request) -> None:
        seen.append(request.content)

    async def note_response(response: httpx.Response) -> None:
        seen.append(await response.aread())

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer),
        event_hooks={"request": [note_request], "response": [note_response]},
    ) as http:
        extended = await make_client(http=http).subscriptions.extend(501, days=7)
    assert extended.id == 501
    assert seen[0] == b'{"days":7}'
    assert b"501" in seen[1]


@pytest.mark.anyio
@their_client
async def test_the_callers_http_client_follows_nothing(make_client: Any) -> None:
    """A redirect is not followed, even by a client that follows them."""
    seen: list[str] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://evil.example/"})

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(redirect), follow_redirects=True
    ) as http:
        rmz = make_client(http=http)
        with pytest.raises(UnexpectedAnswerError):
            await rmz.subscriptions.get(501)
    assert seen == ["merchant-api.rmz.gg"]


@pytest.mark.anyio
@their_client
async def test_an_answer_that_the_callers_client_cannot_read_is_unknown(make_client: Any) -> None:
    """Over HTTP/2 httpx blames its own side for a broken answer: the request was there."""
    sent = 0

    def cut(_: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        raise httpx.LocalProtocolError("Invalid input StreamInputs.RECV_DATA in state 6")

    async with httpx.AsyncClient(transport=httpx.MockTransport(cut)) as http:
        with pytest.raises(OutcomeUnknownError):
            await make_client(http=http).subscriptions.extend(501, days=7)
    assert sent == 1


@pytest.mark.anyio
@their_client
async def test_the_callers_closed_http_client_is_named(make_client: Any) -> None:
    """A client that was closed elsewhere is named as the fault, before anything is sent."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    rmz = make_client(http=http)
    await http.aclose()
    with pytest.raises(ConfigurationError, match="passed in is closed"):
        await rmz.subscriptions.get(501)


@pytest.mark.anyio
async def test_a_copy_shares_connections(rmz_api: respx.MockRouter, make_client: Any) -> None:
    """A copy with other options works over the same connections, and closing it closes nothing."""
    route = rmz_api.get("/subscriptions/501").mock(side_effect=httpx.ConnectError("refused"))
    async with make_client() as rmz:
        copy = rmz.with_options(retry=RetryPolicy(max_attempts=1), timeout=3)
        assert transport_of(copy).options.timeout == 3
        assert transport_of(rmz.with_options()).options == transport_of(rmz).options
        with pytest.raises(ConnectionFailedError):
            await copy.subscriptions.get(501)
        assert route.call_count == 1
        await copy.aclose()
        route.side_effect = answer
        await rmz.subscriptions.get(501)
    with pytest.raises(ConfigurationError, match="was closed"):
        await copy.subscriptions.get(501)


@pytest.mark.anyio
async def test_no_more_requests_than_connections_are_under_way(
    rmz_api: respx.MockRouter, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more requests are under way together than the pool allows."""
    monkeypatch.setattr(connections_module, "MAX_CONCURRENT", 3)
    now = most = 0
    full = anyio.Event()

    async def count(request: httpx.Request) -> httpx.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            full.set()
        await full.wait()
        now -= 1
        return answer(request)

    rmz_api.get("/subscriptions/501").mock(side_effect=count)
    async with make_client() as rmz, anyio.create_task_group() as calls:
        for _ in range(10):
            calls.start_soon(rmz.subscriptions.get, 501)
    assert most == 3


@pytest.mark.anyio
async def test_a_call_whose_connection_comes_too_late_is_not_sent(
    rmz_api: respx.MockRouter, make_client: Any, time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that has no time left when a connection is free is reported as not sent."""
    monkeypatch.setattr(connections_module, "MAX_CONCURRENT", 1)
    sent = anyio.Event()
    release = anyio.Event()

    async def hold(request: httpx.Request) -> httpx.Response:
        sent.set()
        await release.wait()
        time.now += 100
        return answer(request)

    async def late(rmz: Client) -> None:
        with pytest.raises(ConnectionFailedError, match="no time was left to send it"):
            await rmz.subscriptions.extend(501, days=7)

    rmz_api.get("/subscriptions/501").mock(side_effect=hold)
    patient = RetryPolicy(attempt_timeout=200)
    async with make_client(retry=patient) as rmz, anyio.create_task_group() as calls:
        calls.start_soon(rmz.with_options(timeout=200).subscriptions.get, 501)
        await sent.wait()
        calls.start_soon(late, rmz)
        await anyio.wait_all_tasks_blocked()
        release.set()
    assert len(rmz_api.calls) == 1


@pytest.mark.anyio
async def test_a_wait_for_a_connection_is_bound_by_the_deadline(
    rmz_api: respx.MockRouter, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait for a connection ends at the deadline, and the call was not sent."""
    monkeypatch.setattr(connections_module, "MAX_CONCURRENT", 1)
    sent = anyio.Event()

    async def hold(request: httpx.Request) -> httpx.Response:
        sent.set()
        await anyio.sleep_forever()
        return answer(request)

    rmz_api.get("/subscriptions/501").mock(side_effect=hold)
    async with make_client() as rmz, anyio.create_task_group() as calls:
        calls.start_soon(rmz.subscriptions.get, 501)
        await sent.wait()
        quick = rmz.with_options(timeout=0.05)
        with pytest.raises(ConnectionFailedError, match="not sent within"):
            await quick.subscriptions.extend(501, days=7)
        calls.cancel_scope.cancel()


@pytest.mark.anyio
async def test_a_cancelled_call_gives_its_connection_back(
    rmz_api: respx.MockRouter, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that its caller gives up leaves the connection to the next one."""
    monkeypatch.setattr(connections_module, "MAX_CONCURRENT", 1)
    sent = anyio.Event()

    async def hold(request: httpx.Request) -> httpx.Response:
        sent.set()
        await anyio.sleep_forever()
        return answer(request)

    route = rmz_api.get("/subscriptions/501").mock(side_effect=hold)
    async with make_client() as rmz:
        async with anyio.create_task_group() as calls:
            calls.start_soon(rmz.subscriptions.get, 501)
            await sent.wait()
            calls.cancel_scope.cancel()
        route.side_effect = answer
        assert (await rmz.subscriptions.get(501)).id == 501


@pytest.mark.anyio
@their_client
async def test_a_callers_client_closed_between_attempts_is_named(make_client: Any) -> None:
    """A client that was closed meanwhile is named as the fault, and nothing more is sent."""
    sent = 0

    async def close(_: httpx.Request) -> httpx.Response:
        nonlocal sent
        sent += 1
        await http.aclose()
        raise httpx.ReadError("lost")

    async with httpx.AsyncClient(transport=httpx.MockTransport(close)) as http:
        with pytest.raises(ConfigurationError, match="passed in is closed"):
            await make_client(http=http).subscriptions.get(501)
    assert sent == 1


def test_certificates_are_read_when_a_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading takes 25 ms, which the first call must not cost; a caller's client has its own."""
    read: list[None] = []
    replace(monkeypatch, Setting.TLS, lambda: read.append(None))
    Client(TOKEN, http=httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    assert read == []
    Client(TOKEN)
    assert read == [None]
