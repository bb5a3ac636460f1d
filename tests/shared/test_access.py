"""Paywalls of several processes share what they know, and ask RMZ once."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import anyio
import attrs
import pytest
import redis

from rmz_async import ConfigurationError
from rmz_async.models import SubscriptionStatus
from rmz_async.paywall import Change, Fact, Lifetimes
from rmz_async.redis import RedisAccessCache
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.redis_server import RedisServer
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio

FACT = Fact((subscription(),), START)


def cache_at(url: str, ttl: float = 86_400.0) -> RedisAccessCache:
    """Make a cache as another process would have it."""
    return RedisAccessCache(url, shop="a-token", timeout=5, ttl=ttl)


def connected(url: str) -> Any:
    """Connect to Redis, without the types of its answers."""
    return redis.Redis.from_url(url, decode_responses=True)


async def test_a_fact_reaches_another_process(server: RedisServer) -> None:
    """Nothing of a fact is lost on the way."""
    one, other = cache_at(server.url), cache_at(server.url)
    await one.put("noura", FACT)

    assert await other.get("noura") == FACT
    assert await other.get("sara") is None
    one.close()


async def test_a_change_reaches_another_process_once(server: RedisServer) -> None:
    """Each process goes on from its own mark, and another shop hears nothing."""
    one, other = cache_at(server.url), cache_at(server.url)
    changes = [
        Change(user="noura", at=START, subscription_id=501, status=SubscriptionStatus.CANCELED),
        Change(user="sami", at=START, subscription_id=502, status="frozen"),
    ]
    nothing = await other.changes(None)
    assert nothing.changes == ()

    for change in changes:
        await one.announce(change)
    found = await other.changes(nothing.mark)
    assert found.changes == tuple(changes)
    assert (await other.changes(found.mark)).changes == ()
    assert (await other.changes(found.mark)).mark == found.mark
    assert (await cache_at(server.url).changes(None)).changes == tuple(changes)
    assert (await RedisAccessCache(server.url, shop="b").changes(None)).changes == ()
    with connected(server.url) as client:
        assert all(
            client.execute_command("TTL", name) > 0 for name in client.execute_command("KEYS", "*")
        )


async def test_a_fact_is_doubted_if_it_is_older_than_a_change(server: RedisServer) -> None:
    """The fact is still there for an outage, and a newer one is not doubted."""
    cache = cache_at(server.url)
    await cache.put("noura", FACT)
    at = START + timedelta(seconds=1)
    await cache.announce(Change(user="noura", at=at, subscription_id=501, status="canceled"))

    assert await cache.get("noura") == attrs.evolve(FACT, is_doubted=True)
    newer = Fact((), at)
    await cache.put("noura", newer)
    assert await cache.get("noura") == newer


async def test_an_older_fact_replaces_no_newer_one(server: RedisServer) -> None:
    """The slower of two answers is stored last."""
    cache = cache_at(server.url)
    newer = Fact((), START + timedelta(seconds=1))
    await cache.put("noura", newer)
    await cache.put("noura", FACT)

    assert await cache.get("noura") == newer


async def test_the_names_of_keys_show_neither_token_nor_user_and_values_end(
    server: RedisServer,
) -> None:
    """Names of keys are in logs and monitors of Redis."""
    await cache_at(server.url, ttl=100).put("noura", FACT)

    with connected(server.url) as client:
        (name,) = client.execute_command("KEYS", "*")
        assert 0 < client.execute_command("TTL", name) <= 100
    assert "noura" not in name
    assert "token" not in name


@pytest.mark.parametrize(
    "value",
    [
        "no JSON",
        "{}",
        '{"checked_at": "2026-01-01T00:00:00", "subscriptions": []}',
        '{"checked_at": "2026-01-01T00:00:00+00:00", "subscriptions": [{}]}',
        "[]",
    ],
)
async def test_a_value_that_cannot_be_read_counts_as_none(server: RedisServer, value: str) -> None:
    """RMZ is asked then, and the answer takes its place."""
    cache = cache_at(server.url)
    await cache.put("noura", FACT)
    with connected(server.url) as client:
        (name,) = client.execute_command("KEYS", "*")
        client.execute_command("SET", name, value)

    assert await cache.get("noura") is None
    await cache.put("noura", FACT)
    assert await cache.get("noura") == FACT


async def test_processes_of_two_versions_share_what_they_know(server: RedisServer) -> None:
    """An update of a shop replaces one process after the other."""
    cache = RedisAccessCache(server.url, shop="a-token", timeout=5, ttl=0.0001, prefix="shop:")
    longer = RedisAccessCache(server.url, shop="a-token", timeout=5, ttl=100, prefix="shop:")
    change = Change(user="noura", at=START, subscription_id=501, status="canceled")
    await longer.announce(change)
    await longer.put("noura", FACT)
    token = await longer.lease("noura")
    assert token is not None

    user = hashlib.sha256(b"rmz access\0a-token\0noura").hexdigest()[:32]
    shop = hashlib.sha256(b"rmz changes\0a-token").hexdigest()[:32]
    with connected(server.url) as client:
        assert sorted(client.execute_command("KEYS", "*")) == sorted(
            [
                f"shop:access:{{{user}}}",
                f"shop:access:{{{user}}}:reported",
                f"shop:access:{{{user}}}:lease",
                f"shop:access:{{{shop}}}:changes",
            ]
        )
        assert json.loads(client.execute_command("GET", f"shop:access:{{{user}}}")) == {
            "at": START.timestamp(),
            "checked_at": START.isoformat(),
            "subscriptions": [subscription().to_dict()],
            "is_partial": False,
        }
        assert client.execute_command("PTTL", f"shop:access:{{{user}}}") > 60_000
    await longer.release("noura", token)
    # A fact that ends within the millisecond is no mistake.
    await cache.put("sami", FACT)
    for one in (cache, longer):
        one.close()


async def test_a_fact_that_says_little_is_read_as_such(server: RedisServer) -> None:
    """The user may have more subscriptions than these, and an event may have reported one."""
    one, other = cache_at(server.url), cache_at(server.url)
    partial = attrs.evolve(FACT, is_partial=True)
    token = await one.lease("noura")
    assert token is not None
    at = START + timedelta(seconds=1)
    await one.announce(Change(user="noura", at=at, subscription_id=501, status="canceled"))
    await one.put("noura", partial)

    doubted = attrs.evolve(partial, is_doubted=True)
    assert await other.get("noura") == doubted
    assert await other.learnt("noura", after=None, seconds=60) == doubted
    await one.release("noura", token)


async def test_a_lease_has_one_holder_and_ends_by_its_own_token_only(server: RedisServer) -> None:
    """The token of another gives nothing back."""
    one, other = cache_at(server.url), cache_at(server.url)
    token = await one.lease("noura")
    assert token is not None

    await other.release("noura", "another")
    assert await other.lease("noura") is None
    await one.release("noura", token)
    again = await other.lease("noura")
    assert again is not None
    await other.release("noura", again)


async def test_a_lease_is_renewed_until_it_is_lost(server: RedisServer) -> None:
    """A slow answer of RMZ leads to no second request."""
    one, other = cache_at(server.url), cache_at(server.url)
    token = await one.lease("noura")
    assert token is not None
    with connected(server.url) as client:
        (key,) = client.execute_command("KEYS", "*")
        client.execute_command("PEXPIRE", key, 3_600_000)
        with anyio.fail_after(60):
            # Redis reports a renewal to nobody.
            while client.execute_command("PTTL", key) > 60_000:  # noqa: ASYNC110 - see above
                await anyio.sleep(0.01)
            assert await other.lease("noura") is None
            client.execute_command("FLUSHALL")
            # The thread that renewed it ends by itself.
            while any(  # noqa: ASYNC110 - a thread that nobody else knows
                one.name == "rmz-lease" for one in threading.enumerate()
            ):
                await anyio.sleep(0.01)

    with anyio.fail_after(60):
        assert await other.learnt("noura", after=None, seconds=120) is None
    await one.release("noura", token)


async def test_the_wait_for_another_process_ends(server: RedisServer) -> None:
    """A paywall asks RMZ itself then."""
    one, other = cache_at(server.url), cache_at(server.url)
    token = await one.lease("noura")
    assert token is not None

    with anyio.fail_after(60):
        assert await other.learnt("noura", after=None, seconds=0) is None
    await one.release("noura", token)


async def test_the_answer_of_another_process_is_waited_for(server: RedisServer) -> None:
    """A fact that is no newer than the known one does not count."""
    one, other = cache_at(server.url), cache_at(server.url)
    token = await one.lease("noura")
    assert token is not None
    await one.put("noura", FACT)
    newer = Fact((), START + timedelta(seconds=1))

    async def answer() -> None:
        await one.put("noura", newer)
        await one.release("noura", token)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer)
        assert await other.learnt("noura", after=START, seconds=60) == newer


KILLED = """
import asyncio, os, signal, sys
from rmz_async.redis import RedisAccessCache

cache = RedisAccessCache(sys.argv[1], shop="a-token", timeout=5)
assert asyncio.run(cache.lease("noura"))
print("held", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_after_a_kill_the_next_process_asks_and_the_others_wait_for_it(
    server: RedisServer,
) -> None:
    """Eight paywalls with a hundred askers each make one request in place of the killed one."""
    killed = await anyio.to_thread.run_sync(
        lambda: subprocess.run(
            [sys.executable, "-c", KILLED, server.url], stdout=subprocess.PIPE, check=False
        )
    )
    assert killed.stdout == b"held\n"
    rmz = ScriptedRMZ()
    rmz.set(subscription())
    granted: list[bool] = []

    async def ask(number: int) -> None:
        access = await paywalls[number].check("noura")
        granted.append(access.granted)

    patient = Lifetimes(patience=60.0)
    paywalls = [paywall_over(rmz, shared=cache_at(server.url), lifetimes=patient) for _ in range(8)]
    async with anyio.create_task_group() as tasks:
        for number in range(800):
            tasks.start_soon(ask, number % 8)

    assert granted == [True] * 800
    assert rmz.asked == ["noura"]


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("shop", "", "a string that is not empty"),
        ("shop", b"a-shop", "a string that is not empty"),
        ("ttl", 0, "a finite number of seconds above 0"),
        ("ttl", math.inf, "a finite number of seconds above 0"),
    ],
)
def test_an_argument_of_the_cache_that_breaks_a_rule_is_named(
    name: str, value: object, rule: str
) -> None:
    """An empty name, or a fact that never lives or never ends."""
    given: Any = {"shop": "a-shop", "ttl": 60.0, name: value}

    with pytest.raises(ConfigurationError, match=f"^{name}: must be {rule}$"):
        RedisAccessCache("redis://host", **given)


def test_a_ttl_is_a_number_of_seconds() -> None:
    """True would be one second."""
    with pytest.raises(ConfigurationError, match=r"^ttl"):
        RedisAccessCache("redis://host", shop="a-shop", ttl=True)


@pytest.mark.parametrize(
    "value",
    [
        "[",
        "[]",
        "{}",
        '{"user": "noura", "at": "2026-01-01T00:00:00", "subscription_id": 1, "status": "x"}',
        '{"user": [], "at": "2026-01-01T00:00:00Z", "subscription_id": 1, "status": "x"}',
        '{"user": "noura", "at": "2026-01-01T00:00:00Z", "subscription_id": 1, "status": null}',
    ],
)
async def test_a_change_of_another_version_hides_no_other_one(
    server: RedisServer, value: str
) -> None:
    """Else each process would stop at it, for as long as Redis keeps it."""
    one, other = cache_at(server.url), cache_at(server.url)
    change = Change(user="sami", at=START, subscription_id=502, status="frozen")
    await one.announce(change)
    (log,) = connected(server.url).keys("*:changes")
    connected(server.url).xadd(log, {"change": value})
    await one.announce(change)

    assert (await other.changes(None)).changes == (change, change)
