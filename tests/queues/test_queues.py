"""Events go over a real Redis to the real workers of Celery and taskiq."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from rmz_async.webhooks import EventType
from tests.queues.dying import KILLED
from tests.queues.services import EXAMPLES, KINDS, service, worker
from tests.redis_server import redis_server

LINES = 40


def test_each_example_is_run_here_and_is_short() -> None:
    """A new example is added here, too."""
    files = {path.stem: path for path in EXAMPLES.glob("webhook_*.py")}

    assert files.keys() == {kind.example for kind in KINDS.values()}
    for path in files.values():
        assert len(path.read_text("utf-8").splitlines()) <= LINES, path.name


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("name", KINDS)
def test_each_event_takes_effect_once_whatever_redis_forgets_and_whoever_is_killed(
    name: str, tmp_path: Path
) -> None:
    """Each number is handed over twice, and the worker takes one task after another."""
    renewed, expired = EventType.SUBSCRIPTION_RENEWED, EventType.SUBSCRIPTION_EXPIRED
    kind = KINDS[name]
    with redis_server() as redis, service(kind, redis, tmp_path) as running:
        running.deliver(renewed, 1)
        redis.kill()  # which forgets the task
        running.deliver(renewed, 2)
        redis.start()
        with worker(kind, tmp_path):
            running.wait_for("renewals", 1, 2)

            running.deliver(expired, 3)
            running.wait_for("ends", 3)
            assert (tmp_path / KILLED).exists()

            # As soon as the last one has run, so have both tasks of those before.
            running.deliver(renewed, 4)
            running.deliver(renewed, 5)
            running.wait_for("renewals", 5)

        assert set(running.numbers) == {1, 2, 3, 4, 5}
        assert running.effects("ends") == [3]
        assert sorted(running.effects("renewals")) == [1, 2, 4, 5]
