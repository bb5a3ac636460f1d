"""Paywalls and an inbox that a process has used before it forks: each child goes on by itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from rmz_async.sandbox import Sandbox, Served
from rmz_sync.webhooks import EventType, Receiver, sample, sign
from tests.redis_server import redis_server
from tests.sync.scripts import FORK_WARNING, LIMIT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")

ROOT = Path(__file__).parents[2]
SECRET = "whsec_of_a_shop_that_forks"

# Celery alone takes seconds to start, and a busy machine makes that a minute.
LONGEST = 120.0

# The parent's first event loop has ended before its client was closed, as at an import.
UNCLOSED = [
    *("-W", "ignore:unclosed transport:ResourceWarning"),
    *("-W", "ignore:unclosed <socket:ResourceWarning"),
]

USED = """
import os, sys
import anyio, rmz_async, rmz_sync
from rmz_sync.paywall import Lifetimes, Paywall, Source
from rmz_sync.webhooks import EventType, Receiver, sample, sign

PAYER, SECRET = "usr_abc123", os.environ["RMZ_WEBHOOK_SECRET"]
rmz = rmz_sync.Client()
paywall = Paywall(rmz, lifetimes=Lifetimes(patience=30))
# All its answers are old, so that each check leaves a request to the background.
aging = Paywall(rmz, lifetimes=Lifetimes(soft=1e-6, patience=30))
receiver = Receiver(secrets=[SECRET], inbox="sqlite:///inbox.db")

@receiver.on("*")
def keep(event):
    # A receiver without a handler would be reported.
    pass

def deliver(event_id):
    body = sample(EventType.SUBSCRIPTION_RENEWED, event_id=event_id)
    return receiver.receive(body, {"Signature": sign(body, SECRET)}).status

async_rmz = rmz_async.Client()
async_paywall = rmz_async.Paywall(async_rmz, lifetimes=Lifetimes(patience=30))
async_aging = rmz_async.Paywall(async_rmz, lifetimes=Lifetimes(soft=1e-6, patience=30))

async def use():
    assert (await async_paywall.check(PAYER)).granted
    assert (await async_aging.check(PAYER)).granted

anyio.run(use)
assert paywall.check(PAYER).granted
assert aging.check(PAYER).granted
assert deliver("parent") == 200

def look():
    known = paywall.check(PAYER)
    assert known.granted and known.source is Source.CACHE
    assert paywall.check("usr_unknown").certain
    old = aging.check(PAYER)
    assert old.granted and old.source is Source.STALE
    while aging.answers.memory.payer(PAYER).access.checked_at == old.checked_at:
        os.sched_yield()

async def async_look():
    async with async_rmz, async_aging:
        known = await async_paywall.check(PAYER)
        assert known.granted and known.source is Source.CACHE
        assert (await async_paywall.check("usr_unknown")).certain
        old = await async_aging.check(PAYER)
        assert old.granted and old.source is Source.STALE
        while async_aging.answers.memory.payer(PAYER).access.checked_at == old.checked_at:
            await anyio.lowlevel.checkpoint()
"""


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A served sandbox, which the environment names."""
    with Sandbox(throttle=False).serve() as served:
        monkeypatch.setenv("RMZ_API_TOKEN", served.token)
        monkeypatch.setenv("RMZ_BASE_URL", served.base_url)
        monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        yield served


def stored(folder: Path) -> int:
    """Return how many deliveries are in the inbox of a folder."""
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{folder / 'inbox.db'}")
    try:
        return receiver.stats().deliveries
    finally:
        receiver.close()


def test_children_go_on_with_what_their_parent_has_used(sandbox: Served, tmp_path: Path) -> None:
    """Each asks RMZ once for whom it does not know, and once in a background of its own."""
    body = """
    children = []
    for name, backend in (("first", "asyncio"), ("second", "trio")):
        child = os.fork()
        if child == 0:
            anyio.run(async_look, backend=backend)
            look()
            assert deliver("both") == deliver(name) == 200
            paywall.close()
            aging.close()
            receiver.close()
            rmz.close()
            sys.exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    anyio.run(async_look)
    look()
    assert deliver("parent again") == 200
    rmz.close()
    receiver.close()
    """
    command = [sys.executable, "-W", "error", *FORK_WARNING, *UNCLOSED]
    ended = subprocess.run(
        [*command, "-c", USED + textwrap.dedent(body)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert len(sandbox.requests) == 4 + 3 * 4
    assert stored(tmp_path) == 5


SERVED = """
import multiprocessing

# Each worker waits with its request for that of the other one.
both = multiprocessing.get_context("fork").Barrier(2, timeout=30)

def application(environ, start_response):
    both.wait()
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        ack = receiver.receive(body, {"Signature": environ["HTTP_SIGNATURE"]})
        status = str(ack.status)
    else:
        look()
        anyio.run(async_look)
        status = "200"
    start_response(f"{status} OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


@pytest.mark.skipif(find_spec("gunicorn") is None, reason="only the group of the tests has it")
def test_workers_of_gunicorn_go_on_with_what_was_preloaded(sandbox: Served, tmp_path: Path) -> None:
    (tmp_path / "preloaded.py").write_text(USED + SERVED, "utf-8")
    command = [sys.executable, "-m", "gunicorn", "--preload", "-w", "2", "--bind", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, "preloaded"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        address = None
        while address is None:
            line = process.stderr.readline()
            assert line, "gunicorn has ended"
            address = re.search(r"Listening at: (http://\S+)", line)
        for bodies in [(None, None), (event("a"), event("b")), (event("twice"), event("twice"))]:
            with ThreadPoolExecutor(2) as browsers:
                pids = set(browsers.map(lambda body: ask(address[1], body), bodies))
            assert len(pids) == 2
    finally:
        process.terminate()
        process.communicate(timeout=LIMIT)
    assert len(sandbox.requests) == 4 + 2 * 4
    assert stored(tmp_path) == 4


PREFORKED = """
import multiprocessing
from celery import Celery
from rmz_async.redis import RedisAccessCache

shared = RedisAccessCache(os.environ["REDIS_URL"].replace("redis+socket", "unix"), shop="a-shop")
together = Paywall(rmz, lifetimes=Lifetimes(patience=30), shared=shared)
assert together.check(PAYER).granted

# Each child waits with its task for that of the other one.
both = multiprocessing.get_context("fork").Barrier(2, timeout=30)
queue = Celery("preforked", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])

@queue.task
def work():
    both.wait()
    look()
    anyio.run(async_look)
    assert together.check(PAYER).source is Source.CACHE
    assert together.check("usr_unknown_to_both").certain
    assert deliver("both") == deliver(f"of {os.getpid()}") == 200
    return os.getpid()
"""


def test_children_of_celery_go_on_with_what_was_imported(
    sandbox: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool forks after the import of the tasks; both children share facts over Redis."""
    celery = pytest.importorskip("celery", reason="only the group of the tests has it")
    (tmp_path / "preforked.py").write_text(USED + PREFORKED, "utf-8")
    options = ["worker", "--pool", "prefork", "--concurrency", "2", "--without-mingle"]
    with redis_server() as redis:
        url = redis.url.replace("unix", "redis+socket")
        monkeypatch.setenv("REDIS_URL", url)
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "preforked:queue", *options],
            cwd=tmp_path,
            start_new_session=True,
        )
        try:
            with celery.Celery("asking", broker=url, backend=url) as asking:
                work = asking.signature("preforked.work")
                pids = celery.group(work, work)().get(timeout=LONGEST)
        finally:
            # The children of the pool, too.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.pid not in pids
    assert len(set(pids)) == 2
    assert len(sandbox.requests) == 5 + 2 * 4 + 1
    assert stored(tmp_path) == 4


def event(event_id: str) -> bytes:
    """Return the body of an event."""
    return sample(EventType.SUBSCRIPTION_RENEWED, event_id=event_id)


def ask(url: str, body: bytes | None) -> int:
    """Ask the application, and return the number of the process that has answered."""
    headers = {} if body is None else {"Signature": sign(body, SECRET)}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:  # noqa: S310 - loopback
        return int(answer.read())
