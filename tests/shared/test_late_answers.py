"""An answer of Redis that is on its way while other requests are counted without Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest
import redis

from rmz_async.redis import RedisQuotaStore
from tests.redis_server import RedisServer

pytestmark = pytest.mark.anyio

KEY = "fingerprint:general"
NOW = 1000.0


def _now() -> float:
    return NOW


async def test_redis_hears_of_what_was_sent_without_it_while_it_answered_another_request(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer of Redis is on its way while the next connection breaks."""
    store, other = (
        RedisQuotaStore(server.url, processes=4, timeout=5, _clock=_now, _server_time=_now)
        for _ in range(2)
    )
    run: Callable[..., Any] = redis.Redis.execute_command
    answered, arrives = threading.Event(), threading.Event()

    def late(client: Any, *command: Any) -> Any:
        answer = run(client, *command)
        answered.set()
        arrives.wait()
        return answer

    def broken(*_: Any) -> Any:
        raise redis.ConnectionError

    async def reserve() -> None:
        assert await store.reserve(KEY, 10, NOW) <= 0

    async with anyio.create_task_group() as tasks:
        monkeypatch.setattr(redis.Redis, "execute_command", late)
        tasks.start_soon(reserve)
        await anyio.to_thread.run_sync(answered.wait)
        monkeypatch.setattr(redis.Redis, "execute_command", broken)
        await reserve()
        arrives.set()
    monkeypatch.setattr(redis.Redis, "execute_command", run)
    await reserve()

    waits = [await other.reserve(KEY, 10, NOW) for _ in range(8)]
    assert [wait > 0 for wait in waits] == [False] * 7 + [True]
