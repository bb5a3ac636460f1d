"""A lease ends with the process that holds it, and no sooner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import attrs
import pytest
import redis
from anyio import to_thread

from rmz_async.paywall import Change, Changes, Fact, Lifetimes
from rmz_async.redis import RedisAccessCache
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.redis_server import RedisServer
from tests.seams import paywall_over, presence_over, set_lease, silent_link

pytestmark = pytest.mark.anyio

# Longer than any test.
LONG = 3600

HOLDER = """
import asyncio, sys
from rmz_async.redis import RedisAccessCache, access

access.LEASE = int(sys.argv[2]) * 1000
assert asyncio.run(RedisAccessCache(sys.argv[1], shop="a-shop", timeout=5).lease("noura"))
sys.stdin.read()
"""


@contextmanager
def holder_of_lease(url: str) -> Generator[subprocess.Popen[bytes]]:
    """Start a process that takes a lease, and kill it in the end."""
    command = [sys.executable, "-c", HOLDER, url, str(LONG)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdin=subprocess.PIPE) as holder:
        try:
            yield holder
        finally:
            holder.kill()


def cache_at(url: str) -> RedisAccessCache:
    """Make a cache as another process would have it."""
    return RedisAccessCache(url, shop="a-shop", timeout=5)


def connected(url: str) -> Any:
    """Connect to Redis, without the types of its answers."""
    return redis.Redis.from_url(url, decode_responses=True)


async def channel_of_lease(url: str) -> str:
    """Wait until the only lease names the channel of its process, and return the name."""
    with connected(url) as client, anyio.fail_after(60):
        while True:
            for key in client.execute_command("KEYS", "*:lease"):
                value = client.execute_command("GET", key) or ""
                if "alive" in value:
                    return str(value[value.index("rmz:") :])
            await anyio.sleep(0.01)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")
async def test_a_lease_ends_when_its_process_is_killed_and_not_while_it_is_stopped(
    server: RedisServer,
) -> None:
    """A process that is stopped may go on and ask; Redis sees the end of one that is killed."""
    other = cache_at(server.url)
    with holder_of_lease(server.url) as holder:
        await channel_of_lease(server.url)
        holder.send_signal(signal.SIGSTOP)
        assert await other.learnt("noura", after=None, seconds=0.1) is None
        assert await other.lease("noura") is None

    with anyio.fail_after(60):
        assert await other.learnt("noura", after=None, seconds=LONG) is None
    token = await other.lease("noura")
    assert token is not None
    await other.release("noura", token)


@pytest.mark.parametrize("rights", ["resetchannels", "allchannels -pubsub"])
async def test_a_lease_ends_by_its_time_if_redis_refuses_to_watch_processes(
    server: RedisServer, rights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user of Redis may have no right to listen, or none to ask who listens."""
    set_lease(LONG, monkeypatch)
    with connected(server.url) as client:
        client.execute_command("ACL", "SETUSER", "shop", "on", "nopass", "~*", "+@all")
        client.execute_command("ACL", "SETUSER", "shop", *rights.split())
    one, other = (cache_at(server.url.replace("//", "//shop:any@")) for _ in range(2))
    token = await one.lease("noura")
    assert token is not None
    one.close()

    assert await other.learnt("noura", after=None, seconds=0.1) is None
    assert await other.lease("noura") is None
    await one.release("noura", token)
    again = await other.lease("noura")
    assert again is not None
    await other.release("noura", again)


async def test_a_lease_that_is_watched_is_left_alone_by_those_who_may_not_watch(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cannot tell whether its process is gone."""
    set_lease(LONG, monkeypatch)
    with connected(server.url) as client:
        client.execute_command("ACL", "SETUSER", "blind", "on", "nopass", "~*", "+@all", "-pubsub")
    one, other = cache_at(server.url), cache_at(server.url)
    gone = await one.lease("noura")
    assert gone is not None
    await channel_of_lease(server.url)
    one.close()

    blind = cache_at(server.url.replace("//", "//blind:any@"))
    assert await blind.learnt("noura", after=None, seconds=0.1) is None
    assert await other.lease("noura") is None
    with anyio.fail_after(60):
        assert await other.learnt("noura", after=None, seconds=LONG) is None
    token = await other.lease("noura")
    assert token is not None
    # The lease is another's by now.
    await one.release("noura", gone)
    assert await one.lease("noura") is None
    await other.release("noura", token)


async def test_a_process_whose_connection_breaks_keeps_its_lease_and_listens_again(
    server: RedisServer,
) -> None:
    """The lease names another channel from then on, and so does the next one from its beginning."""
    one, other = cache_at(server.url), cache_at(server.url)
    token = await one.lease("noura")
    assert token is not None
    channel = broken = await channel_of_lease(server.url)
    with connected(server.url) as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        with anyio.fail_after(60):
            while channel == broken:
                channel = await channel_of_lease(server.url)
        assert await other.lease("noura") is None
        await one.release("noura", token)

        token = await one.lease("sami")
        assert token is not None
        (key,) = client.execute_command("KEYS", "*:lease")
        assert channel in client.execute_command("GET", key)
    await one.release("sami", token)
    one.close()


async def test_the_thread_of_a_lease_ends_with_it_and_keeps_no_interpreter_alive(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the lease would have lasted."""
    set_lease(LONG, monkeypatch)
    before = set(threading.enumerate())
    cache = cache_at(server.url)

    token = await cache.lease("noura")
    assert token is not None
    # The lease has been renewed once, and the thread waits.
    await channel_of_lease(server.url)
    (thread,) = (one for one in set(threading.enumerate()) - before if one.name == "rmz-lease")
    assert thread.daemon
    await cache.release("noura", token)
    await to_thread.run_sync(thread.join, 60)
    assert not thread.is_alive()
    cache.close()


async def test_leases_need_no_thread_that_blocking_calls_of_others_hold(
    server: RedisServer,
) -> None:
    """A service may use all threads of the default limiter."""
    cache, ended = cache_at(server.url), threading.Event()
    threads = to_thread.current_default_thread_limiter()
    threads.total_tokens = 1

    async def hold() -> None:
        await to_thread.run_sync(ended.wait)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold)
        while not threads.borrowed_tokens:
            await anyio.lowlevel.checkpoint()
        try:
            assert await cache.get("noura") is None
        finally:
            ended.set()


@attrs.define
class BusyCache:
    """A cache in which another process asks, and is followed by others."""

    facts: list[Fact | None]
    after: list[datetime | None] = attrs.field(factory=list)

    async def get(self, _user: str) -> Fact | None:
        """Know nothing."""
        return None

    async def put(self, _user: str, _fact: Fact) -> None:
        """Nothing is stored."""

    async def announce(self, _change: Change) -> None:
        """Nobody hears of it."""

    async def changes(self, after: str | None) -> Changes:
        """There are none."""
        return Changes(mark=after or "")

    async def lease(self, _user: str) -> str | None:
        """Another process has it."""
        return None

    async def release(self, _user: str, _token: str) -> None:
        """Nobody has one."""

    async def learnt(self, _user: str, *, after: datetime | None, seconds: float) -> Fact | None:
        """Return the next fact; in the end, wait as long as is allowed."""
        self.after.append(after)
        if self.facts:
            return self.facts.pop(0)
        await anyio.sleep(seconds)
        return None


async def test_a_paywall_waits_however_many_processes_are_killed_while_they_ask() -> None:
    """A fact that will not do is waited for no second time."""
    rmz = ScriptedRMZ()
    facts = [Fact((), START - timedelta(days=1)), Fact((subscription(),), START)]
    cache = BusyCache([None, None, None, facts[0], None, facts[1]])

    paywall = paywall_over(rmz, shared=cache, lifetimes=Lifetimes(patience=60.0))

    assert (await paywall.check("noura")).granted
    assert rmz.asked == []
    assert cache.after == [None] * 4 + [facts[0].checked_at] * 2


async def test_a_paywall_asks_rmz_itself_once_its_patience_has_ended() -> None:
    """The other process may be slow."""
    rmz = ScriptedRMZ()
    rmz.set(subscription())

    paywall = paywall_over(rmz, shared=BusyCache([None]), lifetimes=Lifetimes(patience=0.05))

    assert (await paywall.check("noura")).granted
    assert rmz.asked == ["noura"]


class Listener:
    """A connection that knows whether it was closed."""

    is_closed = False

    def close(self) -> None:
        """Note it."""
        self.is_closed = True


def test_the_child_of_a_fork_opens_a_connection_and_leaves_that_of_the_parent_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Redis would take the parent for dead."""
    listeners: list[Listener] = []

    def listen(_channel: str, _within: float) -> Listener:
        listeners.append(Listener())
        return listeners[-1]

    presence = presence_over(listen)
    presence.open(within=1)
    mine = presence.channel
    pid = os.getpid() + 1
    monkeypatch.setattr(os, "getpid", lambda: pid)

    assert presence.channel == ""
    presence.open(within=1)
    assert presence.channel not in ("", mine)
    presence.close()
    assert [listener.is_closed for listener in listeners] == [False, True]


def test_one_connection_is_opened_however_many_threads_need_it() -> None:
    """A thread that comes second does without, because its lease must be renewed."""
    channels: list[str] = []

    def listen(channel: str, within: float) -> Listener:
        channels.append(channel)
        presence.open(within)
        return Listener()

    presence = presence_over(listen)
    presence.open(within=1)
    presence.open(within=1)

    assert channels == [presence.channel]


def test_another_channel_than_the_one_that_broke_stays_open() -> None:
    """Two threads may notice the same broken connection, each in its time."""
    presence = presence_over(lambda _channel, _within: Listener())
    presence.open(within=1)
    channel = presence.channel

    presence.close("another")
    assert presence.channel == channel
    presence.close(channel)
    assert presence.channel == ""


def test_a_redis_that_confirms_nothing_is_left_in_time() -> None:
    """The connection does not stay."""
    link, closed = silent_link()

    with pytest.raises(TimeoutError):
        link.listen("alive:1", 0.01)
    assert closed == ["listener"]


def test_a_cache_that_never_listened_can_be_closed(server: RedisServer) -> None:
    """Twice, too."""
    cache: Any = cache_at(server.url)
    cache.close()
    cache.close()
