"""The examples of queues: a service that receives, and a worker that is a process of its own."""

from __future__ import annotations

import os
import runpy
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from rmz_async import webhooks
from rmz_async.webhooks import EventType
from tests import seams
from tests.integrations.blocking import serving_wsgi
from tests.integrations.conftest import PATH, SECRET, serving
from tests.queues.dying import add_dying_handler
from tests.redis_server import RedisServer

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
LONGEST = 120.0


@attrs.frozen
class Service:
    """A service that receives.

    Attributes:
        folder: The folder in which it and the worker run; the inbox is there.
        url: Its address.
        numbers: The numbers of the deliveries that it has handed over.
    """

    folder: Path
    url: str
    numbers: list[int]

    def deliver(self, kind: EventType, subscription: int) -> None:
        """Deliver an event that RMZ has signed."""
        body = webhooks.sample(kind, event_id=f"{kind}-{subscription}", id=subscription)
        headers = {"Signature": webhooks.sign(body, SECRET)}
        answer = httpx.post(self.url + PATH, content=body, headers=headers, timeout=LONGEST)
        assert answer.status_code == 200

    def wait_for(self, table: str, *subscriptions: int) -> None:
        """Wait until the worker has recorded the effects for some subscriptions."""
        until = time.monotonic() + LONGEST
        while not set(subscriptions) <= set(self.effects(table)):
            if time.monotonic() > until:
                pytest.fail((self.folder / "worker.log").read_text())
            time.sleep(0.01)

    def effects(self, table: str) -> list[int]:
        """Return the subscriptions whose effects are recorded."""
        with opened(self.folder) as connection:
            rows = connection.execute(f"SELECT subscription FROM {table}")  # noqa: S608 - of a test
            return [number for (number,) in rows]


@contextmanager
def opened(folder: Path) -> Generator[sqlite3.Connection]:
    """Open the inbox's file, in which the application's tables are, too."""
    connection = sqlite3.connect(folder / "inbox.db", timeout=LONGEST)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


@contextmanager
def celery_service(example: str) -> Generator[tuple[str, list[int]]]:
    """Serve the example of Celery in Flask."""
    names = names_of(example)
    enqueue, numbers = names["run_delivery"].delay, list[int]()

    def enqueue_twice(inbox_id: int) -> None:
        numbers.append(inbox_id)
        enqueue(inbox_id)
        enqueue(inbox_id)

    names["receiver"].hand_off(enqueue_twice)
    with names["receiver"].working(), serving_wsgi(names["app"]) as url:
        yield url, numbers
    names["receiver"].close()
    names["queue"].close()


@contextmanager
def taskiq_service(example: str) -> Generator[tuple[str, list[int]]]:
    """Serve the example of taskiq in FastAPI."""
    names = names_of(example)
    enqueue, numbers = names["run_delivery"].kiq, list[int]()

    async def enqueue_twice(inbox_id: int) -> None:
        numbers.append(inbox_id)
        await enqueue(inbox_id)
        await enqueue(inbox_id)

    names["receiver"].hand_off(enqueue_twice)
    with serving(names["app"]) as url:
        yield url, numbers
    names["receiver"].inbox.close()


def names_of(example: str) -> dict[str, Any]:
    """Run an example's file as its server would import it, and add the handler of the worker."""
    names = runpy.run_path(str(EXAMPLES / f"{example}.py"), run_name=example)
    add_dying_handler(names["receiver"])
    return names


@attrs.frozen
class Kind:
    """A library of queues.

    Attributes:
        example: The example's name.
        serve: Serves the example.
        worker: The library's worker, which takes one task at a time.
        scheme: The scheme under which the library takes the address of a socket.
    """

    example: str
    serve: Callable[[str], AbstractContextManager[tuple[str, list[int]]]]
    worker: Sequence[str]
    scheme: str


WORKED = "tests.queues.worked:queue"
KINDS: dict[str, Kind] = {
    "celery": Kind(
        "webhook_celery",
        celery_service,
        ["celery", "-A", WORKED, "worker", "--concurrency", "1"],
        "redis+socket://",
    ),
    "taskiq": Kind(
        "webhook_taskiq",
        taskiq_service,
        ["taskiq", "worker", WORKED, "--workers", "1", "--max-async-tasks", "1"],
        "unix://",
    ),
}


@contextmanager
def service(kind: Kind, redis: RedisServer, folder: Path) -> Generator[Service]:
    """Serve an example, with the tables of its application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("RMZ_WEBHOOK_SECRET", SECRET)
        patch.setenv("REDIS_URL", redis.url.replace("unix://", kind.scheme))
        seams.set_hand_over_again(patch, 0.5)
        with opened(folder) as connection:
            connection.execute("CREATE TABLE renewals (subscription INTEGER)")
            connection.execute("CREATE TABLE ends (subscription INTEGER)")
        with kind.serve(kind.example) as (url, numbers):
            yield Service(folder, url, numbers)


@contextmanager
def worker(kind: Kind, folder: Path) -> Generator[None]:
    """Run the library's worker."""
    path = os.pathsep.join([str(EXAMPLES), str(ROOT), os.environ.get("PYTHONPATH", "")])
    with (
        (folder / "worker.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", *kind.worker],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path, "EXAMPLE": kind.example},
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as running,
    ):
        yield
        # Its processes too, none of which has anything left to do.
        os.killpg(running.pid, signal.SIGKILL)
