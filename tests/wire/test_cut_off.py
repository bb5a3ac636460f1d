"""A change that is cut off at its deadline: unknown if it may have been sent, and only then."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import anyio
import httpx
import pytest
import respx
import trio

from rmz_async import Client, ConnectionFailedError, OutcomeUnknownError, RetryPolicy
from tests.seams import Setting, replace
from tests.wire.changes import SAMPLES
from tests.wire.conftest import (
    BASE_URL,
    TOKEN,
    a_full_queue,
    client_of,
    keeps,
    over_httpx,
    stalls,
    their_client,
)

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(max_attempts=1)

Leap = Callable[[float], None]


@pytest.fixture
def leap(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> Leap:
    """Puts the clock of the event loop forward, as if the loop had been busy for so long."""

    def put_forward(seconds: float) -> None:
        clock: Any
        if anyio_backend == "trio":
            clock, name = type(trio.lowlevel.current_clock()), "current_time"
        else:
            clock, name = asyncio.get_running_loop(), "time"
        now = getattr(clock, name)
        monkeypatch.setattr(clock, name, lambda *clocks: now(*clocks) + seconds)

    return put_forward


@pytest.fixture
def cut_off(leap: Leap, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Cuts off the attempt of a call that has 10 seconds, before the HTTP library gives it up."""
    replace(monkeypatch, Setting.TIMEOUT_SLACK, -5)
    return lambda: leap(7)


def extending(url: str, http: Any) -> Callable[[], Awaitable[object]]:
    """Return an extension that has 10 seconds."""

    async def extend() -> None:
        async with Client(
            TOKEN, base_url=url, http=http, retry=ONCE, pacing=None, timeout=10
        ) as rmz:
            await rmz.subscriptions.extend(501, days=7)

    return extend


async def ends_as(
    expected: type[Exception],
    call: Callable[[], Awaitable[object]],
    under_way: Callable[[], Awaitable[object]],
    then: Callable[[], None],
) -> None:
    """See that *call* ends so if something is done to it while it is under way."""

    async def make() -> None:
        with pytest.raises(expected, match=r"(not sent|no answer) within"):
            await call()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as calls:
            calls.start_soon(make)
            await under_way()
            await anyio.wait_all_tasks_blocked()
            then()


async def test_a_change_that_resolves_a_name_was_not_sent(
    unanswered: threading.Event, cut_off: Callable[[], None], http: Any
) -> None:
    """The name server does not answer."""

    async def asked() -> None:
        assert await anyio.to_thread.run_sync(unanswered.wait, 10)

    extend = extending("https://rmz.invalid", http)
    await ends_as(ConnectionFailedError, extend, asked, cut_off)


async def test_a_change_that_connects_was_not_sent(cut_off: Callable[[], None], http: Any) -> None:
    """The server accepts no connection."""
    with a_full_queue() as port:
        extend = extending(f"http://127.0.0.1:{port}", http)
        await ends_as(ConnectionFailedError, extend, anyio.wait_all_tasks_blocked, cut_off)


async def test_a_change_that_agrees_on_tls_was_not_sent(
    serving: Any, cut_off: Callable[[], None], http: Any
) -> None:
    """The server accepts the connection, and says nothing."""
    with serving(stalls) as server:
        extend = extending(server.base_url.replace("http:", "https:"), http)
        await ends_as(ConnectionFailedError, extend, lambda: server.until_opened(1), cut_off)


@over_httpx  # aiohttp's own time-out comes first, and says that nothing was sent
async def test_a_late_event_loop_makes_no_change_unknown_that_was_not_sent(
    serving: Any, leap: Leap
) -> None:
    """All time-outs have passed when it wakes, and the call's own is the one that counts."""
    with serving(stalls) as server:
        extend = extending(server.base_url.replace("http:", "https:"), None)
        late = functools.partial(leap, 20)
        await ends_as(ConnectionFailedError, extend, lambda: server.until_opened(1), late)


async def test_a_change_that_was_sent_is_unknown(
    serving: Any, cut_off: Callable[[], None], http: Any
) -> None:
    """The server has read it."""
    with serving(stalls) as server:
        extend = extending(server.base_url, http)
        await ends_as(OutcomeUnknownError, extend, lambda: server.until_asked(1), cut_off)


async def test_a_change_that_was_sent_over_a_kept_connection_is_unknown(
    serving: Any, cut_off: Callable[[], None], http: Any
) -> None:
    """The connection was open before the change began."""
    with serving(keeps(), stalls) as server:
        async with client_of(server, http=http, timeout=10) as rmz:
            await rmz.subscriptions.get(501)
            await ends_as(
                OutcomeUnknownError,
                lambda: SAMPLES["order"].make(rmz),
                lambda: server.until_asked(2),
                cut_off,
            )
        assert server.opened == 1


async def test_a_change_that_a_mock_answers_late_is_unknown(
    rmz_api: respx.MockRouter, cut_off: Callable[[], None], http: Any
) -> None:
    """No connection is opened, and the mock stands for an RMZ that has got the change."""
    asked = anyio.Event()

    async def hang(_: httpx.Request) -> NoReturn:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    rmz_api.post("/subscriptions/501/extend").mock(side_effect=hang)
    await ends_as(OutcomeUnknownError, extending(BASE_URL, http), asked.wait, cut_off)


async def test_a_change_that_a_mock_of_the_transport_answers_late_is_unknown(
    cut_off: Callable[[], None], http: Any
) -> None:
    """The mock stands above the connection, which is not even asked."""
    asked = anyio.Event()

    async def hang(_: httpx.Request) -> NoReturn:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    # respx counts an answer, not a request.
    with respx.mock(base_url=BASE_URL, using="httpx", assert_all_called=False) as router:
        router.post("/subscriptions/501/extend").mock(side_effect=hang)
        await ends_as(OutcomeUnknownError, extending(BASE_URL, http), asked.wait, cut_off)


@their_client
async def test_a_change_that_connects_over_their_client_is_unknown(
    cut_off: Callable[[], None],
) -> None:
    """Its transport may be anything, and may have sent the change before it connects again."""
    with a_full_queue() as port:
        async with httpx.AsyncClient() as theirs:
            extend = extending(f"http://127.0.0.1:{port}", theirs)
            await ends_as(OutcomeUnknownError, extend, anyio.wait_all_tasks_blocked, cut_off)
