"""How long facts, changes and leases last in Redis, and when a process looks for them again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest
import redis
from anyio import to_thread

from rmz_async.paywall import Change, Fact
from rmz_async.redis import RedisAccessCache
from tests.paywall.scripted import START, subscription
from tests.redis_server import RedisServer
from tests.seams import access_cache_over, set_lease

pytestmark = pytest.mark.anyio

FACT = Fact((subscription(),), START)
CHANGE = Change(user="noura", at=START, subscription_id=501, status="canceled")


@attrs.define
class ScriptedLink:
    """A Redis that gives the next of its answers, and keeps a list of what it was asked.

    Attributes:
        answers: To the commands of callers.
        renewals: To the commands of threads that renew a lease.
        asked: All of them.
        within: The seconds that it was given to confirm a connection that listens.
        closed: The names of all that was closed.
    """

    answers: list[Any]
    renewals: list[Any] = attrs.field(factory=list)
    asked: list[tuple[Any, ...]] = attrs.field(factory=list)
    within: list[float] = attrs.field(factory=list)
    closed: list[str] = attrs.field(factory=list)

    async def run(self, *command: Any) -> Any:
        """Answer."""
        await anyio.lowlevel.checkpoint()
        self.asked.append(command)
        return self.answers.pop(0)

    def run_here(self, *command: Any) -> Any:
        """Answer a thread."""
        self.asked.append(command)
        return self.renewals.pop(0)

    def listen(self, channel: str, within: float) -> Any:
        """Confirm."""
        self.within.append(within)
        return Listener(lambda: self.closed.append(channel))

    def close(self) -> None:
        """Note it."""
        self.closed.append("link")


@attrs.frozen
class Listener:
    """A connection that listens."""

    close: Callable[[], None]


def threads_that_renew() -> set[threading.Thread]:
    """Return those that run."""
    return {one for one in threading.enumerate() if one.name == "rmz-lease"}


async def ended(thread: threading.Thread) -> bool:
    """Wait for the end of a thread, unless that takes far too long."""
    await to_thread.run_sync(thread.join, 60)
    return not thread.is_alive()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of all who sleep, which take no time."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await anyio.lowlevel.checkpoint()

    monkeypatch.setattr(anyio, "sleep", sleep)
    return pauses


async def test_an_answer_is_looked_for_twenty_times_a_second_while_somebody_has_the_lease(
    slept: list[float],
) -> None:
    """A lease that ends sooner is looked at when it ends: another process may take it then."""
    link = ScriptedLink([[600, None, None], [20, None, None], [600, await stored(FACT), None]])

    found = await access_cache_over(link).learnt("noura", after=None, seconds=60)

    assert found == FACT
    assert slept == [0.05, 0.02]


@pytest.mark.usefixtures("slept")
async def test_a_fact_that_is_no_newer_than_the_known_one_is_not_the_answer() -> None:
    """A process waits on, until the lease has ended."""
    newer = Fact((subscription(),), START + timedelta(seconds=1))
    old, new = await stored(FACT), await stored(newer)
    link = ScriptedLink([[600, old, None], [600, new, None], [600, old, None], [0, old, None]])
    cache = access_cache_over(link)

    assert await cache.learnt("noura", after=START, seconds=60) == newer
    assert await cache.learnt("noura", after=START, seconds=60) is None
    assert link.answers == []


async def stored(fact: Fact) -> str:
    """Return a fact as it is stored."""
    link = ScriptedLink([1])
    await access_cache_over(link).put("noura", fact)
    return next(part for part in link.asked[0] if isinstance(part, str) and "501" in part)


async def test_a_lease_lasts_six_tenths_of_a_second_and_is_renewed_four_times_in_them() -> None:
    """A machine that is off keeps the others from asking no longer."""
    before = threads_that_renew()
    link = ScriptedLink([1, 1], [1, 0])
    cache = access_cache_over(link)

    token = await cache.lease("noura")
    for thread in threads_that_renew() - before:
        assert await ended(thread)

    taken, *renewed = link.asked
    assert [command[4:6] for command in (taken, *renewed)] == [(token, 600)] * 3
    assert link.within == [0.15, 0.15]
    await cache.release("noura", token)


async def test_a_connection_that_redis_does_not_see_is_closed_and_opened_again() -> None:
    """The lease names the channel of the second one."""
    before = threads_that_renew()
    link = ScriptedLink([1], [1, 2, 0])

    await access_cache_over(link).lease("noura")
    for thread in threads_that_renew() - before:
        assert await ended(thread)

    channels = [command[-1] for command in link.asked]
    assert channels[0] == ""
    assert channels[1] != channels[2] == channels[3]
    assert link.closed == [channels[1]]


async def test_a_lease_is_renewed_no_more_after_it_was_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its thread sleeps between two renewals, and wakes up for the end."""
    set_lease(3600, monkeypatch)
    before = threads_that_renew()
    link = ScriptedLink([1, 1], [1])
    cache = access_cache_over(link)

    token = await cache.lease("noura")
    (thread,) = threads_that_renew() - before
    await cache.release("noura", token)

    assert await ended(thread)
    assert len(link.asked) == 3


async def test_a_lease_that_cannot_be_renewed_is_left_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its thread shows no traceback: the next call of the paywall reports that Redis is gone."""
    errors: list[object] = []
    monkeypatch.setattr(threading, "excepthook", errors.append)
    before = threads_that_renew()
    link = ScriptedLink([1])

    await access_cache_over(link).lease("noura")
    for thread in threads_that_renew() - before:
        assert await ended(thread)

    assert len(link.asked) == 2
    assert errors == []


async def test_the_channel_of_a_process_has_the_name_that_rights_are_given_for() -> None:
    """Nothing but a random number follows the beginning that the guide names."""
    before = threads_that_renew()
    link = ScriptedLink([1, 1], [2, 0])
    cache = access_cache_over(link)

    token = await cache.lease("noura")
    for thread in threads_that_renew() - before:
        assert await ended(thread)
    cache.close()

    (channel, last) = link.closed
    assert last == "link"
    assert int(channel.removeprefix("rmz:access:alive:"), 16)
    await cache.release("noura", token)


@pytest.mark.parametrize(("options", "seconds"), [({}, 86_400), ({"ttl": 100}, 100)])
async def test_a_fact_and_its_doubt_end_after_a_day_or_when_the_shop_says(
    server: RedisServer, options: dict[str, Any], seconds: int
) -> None:
    """The changes for all processes end an hour after the last of them."""
    cache = RedisAccessCache(server.url, shop="a-shop", timeout=5, **options)
    client: Any
    with redis.Redis.from_url(server.url, decode_responses=True) as client:

        def now() -> int:
            whole, millionths = client.execute_command("TIME")
            return int(whole) * 1000 + int(millionths) // 1000

        began = now()
        await cache.put("noura", FACT)
        await cache.announce(CHANGE)
        until = now()
        for name in client.execute_command("KEYS", "*"):
            lasts = 3600 if name.endswith(":changes") else seconds
            end = client.execute_command("PEXPIRETIME", name)
            assert began <= end - 1000 * lasts <= until
    cache.close()
