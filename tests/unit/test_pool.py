"""Open connections: who uses which, and when each is closed."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import attrs
import pytest

from rmz_async._http.pool import Pool
from tests.seams import Setting, replace

pytestmark = pytest.mark.anyio


@attrs.define(eq=False, slots=False)
class Connection:
    """Counts how often it was closed."""

    number: int
    closed: int = 0
    reusable: bool = True

    def is_reusable(self) -> bool:
        """As the test says."""
        return self.reusable

    async def aclose(self) -> None:
        """Close it immediately, and say goodbye."""
        self.closed += 1
        await anyio.lowlevel.checkpoint()


class Shop:
    """Opens numbered connections into a pool whose time is the test's."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.opened: list[Connection] = []
        self.pool = Pool(self._open, lambda: self.now)

    def _open(self) -> Connection:
        self.opened.append(Connection(len(self.opened)))
        return self.opened[-1]

    async def use(self, *, dedicated: bool = False) -> int:
        """Make one request; return the number of its connection."""
        async with self.borrowed(dedicated=dedicated) as connection:
            return connection.number

    @asynccontextmanager
    async def borrowed(self, *, dedicated: bool = False) -> AsyncGenerator[Connection]:
        """Hold a connection, as one request does; if it fails, the connection is of no more use."""
        connection, reusable = self.pool.borrow(dedicated=dedicated), False
        try:
            yield connection
            reusable = not dedicated
        finally:
            await self.pool.give_back(connection, reusable=reusable)

    def closed(self) -> list[int]:
        """Return how often each was closed."""
        return [connection.closed for connection in self.opened]


@pytest.fixture
def shop() -> Shop:
    """A pool that was not used yet."""
    return Shop()


async def use_together(shop: Shop, count: int) -> None:
    """Make so many requests together, so that as many connections are open."""
    together = anyio.Event()
    there = 0

    async def use() -> None:
        nonlocal there
        async with shop.borrowed():
            there += 1
            if there == count:
                together.set()
            await together.wait()

    async with anyio.create_task_group() as requests:
        for _ in range(count):
            requests.start_soon(use)


def test_the_first_one_is_opened_at_once() -> None:
    """A connection that cannot be opened at all is an error of the options, not of a request."""

    def refuse() -> Connection:
        raise ValueError("works on asyncio only")

    with pytest.raises(ValueError, match="asyncio only"):
        Pool(refuse, lambda: 0.0)


async def test_one_request_after_the_other_shares_a_connection(shop: Shop) -> None:
    """They share a connection."""
    assert [await shop.use() for _ in range(3)] == [0, 0, 0]
    assert len(shop.opened) == 1


async def test_simultaneous_requests_have_a_connection_each(shop: Shop) -> None:
    """Each has a connection to itself, and all of these are used again."""
    await use_together(shop, 3)
    await use_together(shop, 3)
    assert len(shop.opened) == 3


async def test_the_connection_used_last_is_used_first(shop: Shop) -> None:
    """The connection used last is the likeliest to be open, and so is used first."""
    await use_together(shop, 3)
    async with shop.borrowed() as last:
        other = await shop.use()
        assert other != last.number
    assert await shop.use() == last.number


async def test_a_dedicated_connection_is_new_and_closed_afterwards(shop: Shop) -> None:
    """Its connection is new, and closed afterwards."""
    await shop.use()
    assert await shop.use(dedicated=True) == 1
    assert shop.closed() == [0, 1]
    assert await shop.use() == 0


async def test_the_connection_of_a_failed_request_is_not_used_again(shop: Shop) -> None:
    """Its connection is not used again."""
    with pytest.raises(OSError, match="reset"):
        async with shop.borrowed():
            raise OSError("reset")
    assert shop.closed() == [1]
    assert await shop.use() == 1


async def test_the_connection_of_a_cancelled_request_is_closed(shop: Shop) -> None:
    """Its connection is closed all the same, before the caller goes on."""
    with anyio.CancelScope() as scope:
        async with shop.borrowed():
            scope.cancel()
            await anyio.sleep_forever()
    assert shop.closed() == [1]
    assert await shop.use() == 1


async def test_a_cancelled_request_says_goodbye(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cancellation of the request does not end the closing of its connection."""
    said: list[str] = []

    async def close() -> None:
        await anyio.lowlevel.checkpoint()
        said.append("goodbye")

    with anyio.CancelScope() as scope:
        async with shop.borrowed() as connection:
            monkeypatch.setattr(connection, "aclose", close, raising=False)
            scope.cancel()
            await anyio.sleep_forever()
    assert said == ["goodbye"]


async def test_a_connection_that_became_unusable_while_idle_is_closed(shop: Shop) -> None:
    """The next request opens another one, and closes it."""
    await shop.use()
    shop.opened[0].reusable = False
    assert await shop.use() == 1
    assert shop.closed() == [1, 0]


async def test_a_connection_that_became_unusable_in_its_request_is_closed(shop: Shop) -> None:
    """The request that used it closes it, although it has succeeded."""
    async with shop.borrowed() as connection:
        connection.reusable = False
    assert shop.closed() == [1]


async def test_connections_that_idled_too_long_are_closed(shop: Shop) -> None:
    """They and no others are closed after the next request, when 5 seconds have passed."""
    await use_together(shop, 3)
    shop.now += 5.0
    await shop.use()
    assert shop.closed() == [0, 0, 0]
    shop.now += 0.1
    last = await shop.use()
    assert shop.closed() == [int(number != last) for number in range(3)]


async def test_a_connection_that_idled_too_long_is_not_used(shop: Shop) -> None:
    """The connection is not used again: the server may be about to close it."""
    assert await shop.use() == 0
    shop.now += 5.1
    assert await shop.use() == 1
    assert shop.closed() == [1, 0]


async def test_closing_closes_idle_and_borrowed_connections(shop: Shop) -> None:
    """All are closed, idle or borrowed; a request that was under way leaves none behind."""
    await use_together(shop, 2)
    async with shop.borrowed() as borrowed:
        await shop.pool.aclose()
        assert shop.closed() == [1, 1]
    assert borrowed.closed == 2


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_closing_still_closes_the_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own cancellation passes anyio's shield: the others are closed all the same."""
    await use_together(shop, 2)
    began = asyncio.Event()

    async def close() -> None:
        began.set()
        await anyio.sleep_forever()

    monkeypatch.setattr(shop.opened[0], "aclose", close, raising=False)
    closing = asyncio.ensure_future(shop.pool.aclose())
    await began.wait()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert shop.closed()[1] == 1


class StoppedError(BaseException):
    """Ends a program."""


async def test_closing_that_is_stopped_says_no_more_goodbyes(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are closed with no time left, and the first error is the one that is raised."""
    await use_together(shop, 3)
    times: list[float] = []

    async def close() -> None:
        times.append(anyio.current_effective_deadline())
        if len(times) == 1:
            raise StoppedError
        await anyio.lowlevel.checkpoint()

    for connection in shop.opened:
        monkeypatch.setattr(connection, "aclose", close, raising=False)
    with pytest.raises(StoppedError):
        await shop.pool.aclose()
    assert times[1:] == [-math.inf, -math.inf]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_dropped_closing_waits_for_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A coroutine that is dropped may wait for nothing more."""
    await use_together(shop, 2)
    monkeypatch.setattr(shop.opened[0], "aclose", anyio.sleep_forever, raising=False)
    closing = shop.pool.aclose()
    closing.send(None)
    closing.close()
    assert shop.closed()[1] == 0


@pytest.mark.parametrize("fails", [True, False], ids=["fails", "hangs"])
async def test_a_failed_closing_costs_no_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """The request that closes them has its answer, for any failure there."""
    replace(monkeypatch, Setting.CLOSE_TIMEOUT, 0.01)

    async def close() -> None:
        if fails:
            raise OSError("broken")
        await anyio.sleep_forever()

    with anyio.fail_after(60):
        async with shop.borrowed(dedicated=True) as connection:
            monkeypatch.setattr(connection, "aclose", close, raising=False)
            answer = "an answer"
    assert answer == "an answer"
