"""A real Redis for the tests of one file, which is empty before each of them."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import redis

from tests.redis_server import RedisServer, redis_server


@pytest.fixture(scope="module")
def running() -> Generator[RedisServer]:
    """Run one Redis for a file of tests."""
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    """The Redis, with nothing in it."""
    with redis.Redis.from_url(running.url) as client:
        client.execute_command("FLUSHALL")
    return running


@pytest.fixture
def dead() -> Generator[RedisServer]:
    """A Redis of one test, which may be killed."""
    with redis_server() as server:
        yield server
