"""All who share a Redis stay together within RMZ's minute."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import anyio
import pytest
import redis

import rmz_async
import rmz_sync
from rmz_async import ConfigurationError, Pacing, QuotaReport
from rmz_async.redis import RedisQuotaStore
from rmz_async.sandbox import Sandbox
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

KEY = "fingerprint:general"


class Time:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def time() -> Time:
    """The clock of Redis and of all processes."""
    return Time()


@pytest.fixture
def store_at(time: Time) -> Callable[..., RedisQuotaStore]:
    """Make a store as another process would have it."""

    def make(url: str, processes: int = 4) -> RedisQuotaStore:
        # Longer than any machine needs: no test waits so long, unless it is about that.
        return RedisQuotaStore(url, processes=processes, timeout=5, _clock=time, _server_time=time)

    return make


Maker = Callable[..., RedisQuotaStore]


async def taken(store: RedisQuotaStore, time: Time, limit: int, *, most: int = 100) -> int:
    """Take slots until there is none, and return how many there were."""
    # A store that asks Redis without end must fail the test instead of stopping all tests.
    with anyio.fail_after(30):
        for count in range(most):
            if await store.reserve(KEY, limit, time.now) > 0:
                return count
    return most


async def test_two_processes_count_together(
    server: RedisServer, time: Time, store_at: Maker
) -> None:
    """Requests of the same moment count each."""
    one, other = store_at(server.url), store_at(server.url)

    assert await taken(one, time, 10, most=7) == 7
    assert await taken(other, time, 10) == 3
    assert await one.reserve(KEY, 10, time.now) == pytest.approx(61)
    assert await one.reserve(KEY, 10, time.now, ahead=10) == pytest.approx(122)
    time.now += 61
    assert await taken(one, time, 10) == 10


async def test_a_slot_that_is_given_back_is_free_for_another_process(
    server: RedisServer, time: Time, store_at: Maker
) -> None:
    """And one that nobody took frees nothing."""
    one, other = store_at(server.url), store_at(server.url)
    await taken(one, time, 2)

    await one.forget(KEY, time.now)
    await other.forget(KEY, time.now + 1)

    assert await taken(other, time, 2) == 1


async def test_a_closure_holds_for_all_processes(
    server: RedisServer, time: Time, store_at: Maker
) -> None:
    """A 429 of one is a 429 of all."""
    one, other = store_at(server.url), store_at(server.url)

    assert await one.learn(KEY, 10, time.now, QuotaReport(closed_for=30.0))

    assert await other.reserve(KEY, 10, time.now) == pytest.approx(31)


async def test_figures_of_rmz_hold_for_all_processes(
    server: RedisServer, time: Time, store_at: Maker
) -> None:
    """Others may use the token without this Redis."""
    one, other = store_at(server.url), store_at(server.url)
    await one.reserve(KEY, 60, time.now)

    assert await one.learn(KEY, 60, time.now, QuotaReport(limit=20, remaining=3))
    assert not await one.learn(KEY, 60, time.now, QuotaReport(limit=20, remaining=3))

    assert await taken(other, time, 60) == 3
    await other.forget(KEY, time.now)
    assert await taken(one, time, 60) == 1
    time.now += 61
    assert await taken(one, time, 60) == 20


async def test_without_redis_a_process_keeps_to_its_share_and_says_so_once(
    dead: RedisServer, time: Time, store_at: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    """If 39 requests were free, 20 of them may have been sent by others meanwhile."""
    store = store_at(dead.url)
    await store.reserve(KEY, 40, time.now)
    dead.kill()

    assert await taken(store, time, 40) == 19 // 4
    time.now += 2
    assert await taken(store, time, 40) == 0
    time.now += 61
    assert await taken(store, time, 40) == 10
    dead.start()
    time.now += 61
    assert await store.reserve(KEY, 40, time.now) <= 0
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "1/4" in caplog.messages[0]
    assert "again" in caplog.messages[1]


async def test_without_redis_the_requests_of_others_are_remembered(
    dead: RedisServer, time: Time, store_at: Maker
) -> None:
    """A full minute has no share in it, until its requests are a minute old."""
    one, other = store_at(dead.url), store_at(dead.url)
    assert await taken(other, time, 40, most=20) == 20
    time.now += 30
    assert await taken(other, time, 40) == 20
    assert await one.reserve(KEY, 40, time.now) == pytest.approx(31)
    dead.kill()

    assert await taken(one, time, 40) == 0
    time.now += 31
    assert await taken(one, time, 40) == 20 // 4
    time.now += 30
    assert await taken(one, time, 40) == 40 // 4 - 20 // 4


async def test_a_share_that_is_given_back_without_redis_is_free(
    dead: RedisServer, time: Time, store_at: Maker
) -> None:
    """The request was not sent after all."""
    dead.kill()
    store = store_at(dead.url)
    assert await taken(store, time, 40) == 10

    await store.forget(KEY, time.now)

    assert await taken(store, time, 40) == 1


async def test_without_redis_a_closure_and_the_figures_of_rmz_hold(
    dead: RedisServer, time: Time, store_at: Maker
) -> None:
    """Others may have sent more than this process knows."""
    dead.kill()
    store = store_at(dead.url)
    await store.reserve(KEY, 40, time.now)

    assert await store.learn(KEY, 40, time.now, QuotaReport(remaining=9))
    assert await taken(store, time, 40) == 2
    assert await store.learn(KEY, 40, time.now, QuotaReport(closed_for=100.0))
    assert await store.reserve(KEY, 40, time.now) == pytest.approx(101)


async def test_a_redis_that_was_restarted_hears_of_the_last_minute(
    dead: RedisServer, time: Time, store_at: Maker
) -> None:
    """Also if nobody noticed; the share of those who have not reported is left to them."""
    one, other = store_at(dead.url, processes=2), store_at(dead.url, processes=2)
    assert await taken(one, time, 40, most=8) == 8
    assert await taken(other, time, 40, most=2) == 2
    dead.kill()
    dead.start()

    assert await taken(one, time, 40) == 20 - 8
    assert await one.reserve(KEY, 40, time.now) == 1
    assert await taken(other, time, 40) == 40 - 20 - 2
    time.now += 61
    assert await taken(one, time, 40) == 40


async def test_a_process_that_never_reports_is_waited_for_a_minute(
    dead: RedisServer, time: Time, store_at: Maker
) -> None:
    """After that, all that it can have sent is a minute old."""
    store = store_at(dead.url, processes=2)
    await taken(store, time, 40, most=1)
    dead.kill()
    dead.start()

    assert await taken(store, time, 40) == 20 - 1
    time.now += 61
    assert await taken(store, time, 40) == 40


async def test_a_wait_shorter_than_a_microsecond_is_a_wait(
    server: RedisServer, time: Time, store_at: Maker
) -> None:
    """Redis counts nothing that may not go yet, so nothing may go."""
    store = store_at(server.url)
    await store.learn(KEY, 10, time.now, QuotaReport(closed_for=1.0))
    time.now += 2 - 2e-7

    assert await store.reserve(KEY, 1, time.now) > 0


async def test_what_is_older_than_a_minute_is_no_more_remembered(
    dead: RedisServer, time: Time, store_at: Maker
) -> None:
    """The second minute without Redis has a share of its own."""
    dead.kill()
    store = store_at(dead.url, processes=1)

    assert await taken(store, time, 3) == 3
    time.now += 61
    assert await taken(store, time, 3) == 3


async def test_a_lost_redis_is_asked_again_after_a_second(
    dead: RedisServer, time: Time, store_at: Maker, caplog: pytest.LogCaptureFixture
) -> None:
    """A Redis that hangs must not slow down each call, and one that is back is used soon."""
    store = store_at(dead.url)
    dead.kill()
    await store.reserve(KEY, 40, time.now)
    dead.start()

    time.now = 1000.999
    await store.reserve(KEY, 40, time.now)
    assert len(caplog.records) == 1
    time.now = 1001.0
    for _ in range(2):
        await store.reserve(KEY, 40, time.now)
    warnings = [
        "Redis does not count requests: ConnectionError. This process keeps to 1/4 of each limit",
        "Redis counts requests again",
    ]
    assert caplog.record_tuples == [("rmz_async", logging.WARNING, warning) for warning in warnings]


@pytest.mark.parametrize(("processes", "share"), [(1, 39), (2, 9)])
async def test_only_other_processes_may_have_gone_on_without_redis(
    dead: RedisServer, time: Time, store_at: Maker, processes: int, share: int
) -> None:
    """A process that is alone has all that it has not used; else half of it counts as used."""
    store = store_at(dead.url, processes=processes)
    await store.reserve(KEY, 40, time.now)
    dead.kill()

    assert await taken(store, time, 40) == share


async def test_redis_hears_of_all_that_was_sent_without_it_and_of_nothing_else(
    dead: RedisServer, time: Time, store_at: Maker
) -> None:
    """Neither of a request that had to wait, nor of one that was given back."""
    store = store_at(dead.url, processes=1)
    dead.kill()
    await store.reserve(KEY, 9, time.now, ahead=1)
    assert await taken(store, time, 4) == 4
    await store.forget(KEY, time.now)
    assert await store.reserve(KEY, 3, time.now + 60.5) == pytest.approx(0.5)
    dead.start()
    time.now += 2

    assert await taken(store, time, 9) == 9 - 3


async def test_eight_processes_are_expected_unless_their_number_is_given(time: Time) -> None:
    """Nobody listens at the address."""
    store = RedisQuotaStore("unix:///nowhere/redis.sock", _clock=time)

    assert await taken(store, time, 56) == 7


async def test_all_versions_of_the_library_count_under_the_same_names(
    server: RedisServer, time: Time
) -> None:
    """Servers are updated one after the other. The braces keep both in one part of a cluster."""
    store = RedisQuotaStore(server.url, timeout=5, _clock=time)
    await store.reserve(KEY, 40, time.now)

    with redis.Redis.from_url(server.url, decode_responses=True) as client:
        names: Any = client.execute_command("KEYS", "*")
    assert set(names) == {f"rmz:quota:{{{KEY}}}:sent", f"rmz:quota:{{{KEY}}}:state"}


async def test_a_store_that_is_closed_leaves_no_connection(
    server: RedisServer, time: Time, store_at: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next request opens one."""
    closed: list[object] = []
    disconnect = redis.ConnectionPool.disconnect

    def noted(pool: redis.ConnectionPool, *given: Any) -> None:
        closed.append(pool)
        disconnect(pool, *given)

    monkeypatch.setattr(redis.ConnectionPool, "disconnect", noted)
    store = store_at(server.url)
    await store.reserve(KEY, 40, time.now)

    store.close()

    assert closed
    assert await store.reserve(KEY, 40, time.now) <= 0


async def test_a_redis_that_hangs_costs_no_call_its_deadline(time: Time) -> None:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        port = hanging.getsockname()[1]
        store = RedisQuotaStore(f"redis://127.0.0.1:{port}/0", timeout=0.05, _clock=time)

        assert await store.reserve(KEY, 8, time.now) <= 0
        assert await store.reserve(KEY, 8, time.now) > 0
        store.close()


async def test_a_client_counts_in_redis_by_the_clock_of_the_server(
    server: RedisServer,
) -> None:
    """After two requests, the third one finds no slot."""
    pacing = Pacing(lookup_per_minute=2, max_wait=0, store=RedisQuotaStore(server.url, timeout=5))
    async with Sandbox() as sandbox, sandbox.client(pacing=pacing) as rmz:
        for _ in range(2):
            await rmz.subscriptions.lookup(external_customer_id="usr_abc123")
        with pytest.raises(rmz_async.PacingError):
            await rmz.subscriptions.lookup(external_customer_id="usr_abc123")


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://:hidden@host", {}),
        ("redis://:hidden@host:port", {}),
        ("redis://host", {"processes": 0}),
        ("redis://host", {"processes": True}),
        ("redis://host", {"timeout": 0}),
        ("redis://host", {"timeout": 6}),
        ("redis://host", {"timeout": True}),
    ],
)
def test_an_argument_that_breaks_a_rule_is_named_and_no_password_is_shown(
    url: str, options: dict[str, int]
) -> None:
    """The message begins with the argument."""
    with pytest.raises(ConfigurationError) as caught:
        RedisQuotaStore(url, **options)  # type: ignore[arg-type] # wrong on purpose

    assert str(caught.value).startswith(next(iter(options), "url"))
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("processes", [0, -1, 1.0, "2"])
def test_a_wrong_number_of_processes_is_refused_with_the_rule(processes: Any) -> None:
    rule = r"^processes: must be an integer of 1 or more$"
    with pytest.raises(ConfigurationError, match=rule):
        RedisQuotaStore("redis://host", processes=processes)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command to install it is in the message."""
    monkeypatch.setitem(__import__("sys").modules, "redis", None)

    with pytest.raises(rmz_sync.MissingExtraError, match=r"rmz\[redis\]"):
        RedisQuotaStore("redis://host")
