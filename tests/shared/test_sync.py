"""`rmz_sync` with Redis: from threads, and on both sides of a fork."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rmz_async.redis import RedisAccessCache, RedisQuotaStore
from rmz_async.sandbox import Sandbox as ServedSandbox
from rmz_sync import Client, Pacing, PacingError
from rmz_sync.paywall import Lifetimes, Paywall
from rmz_sync.sandbox import Sandbox
from tests.redis_server import RedisServer

USER = "usr_abc123"


def test_threads_share_the_minute(server: RedisServer) -> None:
    """Two clients, as two processes would have them, and four threads each."""
    done: list[bool] = []
    with Sandbox(throttle=False) as sandbox:

        def ask(rmz: Client) -> None:
            try:
                rmz.subscriptions.lookup(external_customer_id=USER)
            except PacingError:
                done.append(False)
            else:
                done.append(True)

        clients = [
            sandbox.client(
                pacing=Pacing(
                    lookup_per_minute=5, max_wait=0, store=RedisQuotaStore(server.url, timeout=5)
                )
            )
            for _ in range(2)
        ]
        threads = [threading.Thread(target=ask, args=[rmz]) for rmz in clients * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for rmz in clients:
            rmz.close()
        assert len(sandbox.requests) == 5
    assert sorted(done) == [False] * 3 + [True] * 5


def test_threads_of_two_paywalls_make_one_request(server: RedisServer) -> None:
    """As two processes would."""
    granted: list[bool] = []
    with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        paywalls = [
            Paywall(
                rmz,
                shared=RedisAccessCache(server.url, shop="a-shop", timeout=5),
                lifetimes=Lifetimes(patience=60),
            )
            for _ in range(2)
        ]
        barrier = threading.Barrier(20)

        def ask(paywall: Paywall) -> None:
            barrier.wait()
            granted.append(paywall.check(USER).granted)

        threads = [threading.Thread(target=ask, args=[paywall]) for paywall in paywalls * 10]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(sandbox.requests) == 1
    assert granted == [True] * 20


FORKED = """
import os, sys
import rmz_sync
from rmz_async.redis import RedisAccessCache, RedisQuotaStore
from rmz_sync.paywall import Paywall

redis, url, token = sys.argv[1:]
store = RedisQuotaStore(redis, timeout=5)
pacing = rmz_sync.Pacing(lookup_per_minute=3, max_wait=0, store=store)
rmz = rmz_sync.Client(token, base_url=url, pacing=pacing)
paywall = Paywall(rmz, shared=RedisAccessCache(redis, shop="a-shop", timeout=5))

def look():
    rmz.subscriptions.lookup(external_customer_id="usr_abc123")

assert paywall.check("usr_abc123").granted
pid = os.fork()
if pid == 0:
    status = 1
    try:
        # From memory, and from Redis.
        assert paywall.check("usr_abc123").granted
        again = Paywall(rmz, shared=RedisAccessCache(redis, shop="a-shop", timeout=5))
        assert again.check("usr_abc123").granted
        look()
        status = 0
    finally:
        os._exit(status)
assert os.waitpid(pid, 0)[1] == 0
look()
try:
    look()
except rmz_sync.PacingError:
    print("three")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
def test_both_sides_of_a_fork_share_minute_and_facts(server: RedisServer) -> None:
    """The connections to Redis are made before the fork."""
    sandbox = ServedSandbox()
    with sandbox.serve() as served:
        ended = subprocess.run(
            # From 3.12 on, Python warns of a fork while a thread runs.
            [
                *(sys.executable, "-W", "ignore:This process:DeprecationWarning"),
                *("-c", FORKED, server.url, served.base_url, sandbox.token),
            ],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        assert len(sandbox.requests) == 3
    assert ended.stdout == "three\n"
