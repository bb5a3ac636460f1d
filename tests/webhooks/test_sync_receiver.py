"""The receiver for code that cannot await: in many threads, across a fork, at exit."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time as real_time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from rmz_sync import ConfigurationError
from rmz_sync.webhooks import Ack, Event, EventType, Receiver, Stats, sample, sign
from rmz_sync.webhooks._batching import ThreadBatches
from tests.seams import set_pause_of_loops
from tests.webhooks.receiving import SECRET


@pytest.fixture
def receiver(address: str) -> Iterator[Receiver]:
    """A receiver with an inbox of its own."""
    receiver = Receiver(secrets=[SECRET], inbox=address)
    yield receiver
    receiver.close()


def deliver(receiver: Receiver, event_id: str) -> Ack:
    """Deliver a renewal that RMZ has signed."""
    body = sample(EventType.SUBSCRIPTION_RENEWED, event_id=event_id)
    return receiver.receive(body, {"Signature": sign(body, SECRET)})


def until(condition: Callable[[], Any]) -> None:
    """Wait for the background's thread."""
    while not condition():
        real_time.sleep(0.001)


# Python 3.12 warns of each fork of a process that has threads, which a test is about.
FORKING = "ignore:This process:DeprecationWarning"


def run(program: str, address: str) -> str:
    """Run a program that receives, and return what it prints."""
    head = (
        "import os, sys, threading\n"
        "from rmz_sync.webhooks import Receiver\n"
        "from tests.webhooks.test_sync_receiver import SECRET, deliver, until\n"
        "receiver = Receiver(secrets=[SECRET], inbox=sys.argv[1])\n"
        "seen = []\n"
        "@receiver.on('*')\n"
        "def handler(event):\n"
        "    seen.append(event.dedupe_key)\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", FORKING, "-c", head + program, address],
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.stderr == ""
    return result.stdout


def test_a_delivery_is_stored_and_handled_in_the_background(receiver: Receiver) -> None:
    """Handlers may be plain or async."""
    seen: list[str] = []

    @receiver.on("*")
    def plain(event: Event) -> None:
        with receiver.transaction(event):
            seen.append("plain")

    @receiver.on("*")
    async def awaiting(event: Event) -> None:
        await asyncio.sleep(0)
        seen.append("async")

    with receiver.working():
        assert deliver(receiver, "a") == Ack(200, "stored")
        until(lambda: receiver.stats().done == 2)
    assert sorted(seen) == ["async", "plain"]


def test_the_end_of_the_block_is_the_end_of_its_threads(receiver: Receiver) -> None:
    """Python would wait for them at its exit."""
    receiver.on("*")(lambda event: None)
    before = set(threading.enumerate())
    with receiver.working():
        deliver(receiver, "a")
        until(lambda: receiver.stats().done)
    until(lambda: set(threading.enumerate()) <= before)


@pytest.mark.parametrize(
    "options", [{"concurrency": 0}, {"concurrency": 1.5}, {"grace": "5"}, {"grace": -1}], ids=str
)
def test_a_background_that_cannot_begin_is_an_error_of_the_caller(
    receiver: Receiver, options: dict[str, Any]
) -> None:
    """A service that stores deliveries and never handles them would look healthy."""
    with (
        pytest.raises(ConfigurationError, match=f"{next(iter(options))}: must be"),
        receiver.working(**options),
    ):
        pytest.fail("the block must not begin")


@pytest.mark.parametrize("error", [SystemExit(3), BaseExceptionGroup("", [KeyboardInterrupt()])])
def test_an_async_handler_that_ends_its_thread_stops_no_other(
    receiver: Receiver, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the service would look healthy, and would handle nothing from then on."""
    ended = threading.Event()
    set_pause_of_loops(monkeypatch, lambda _: ended.set())
    seen: list[str] = []

    @receiver.on("*")
    async def handler(event: Event) -> None:
        if event.dedupe_key == "bad" and not seen:
            seen.append("bad")
            raise error
        seen.append(event.dedupe_key)

    with receiver.working():
        deliver(receiver, "bad")
        ended.wait()
        deliver(receiver, "good")
        until(lambda: "good" in seen)


def test_an_event_that_nobody_wants_is_stored(receiver: Receiver) -> None:
    assert [deliver(receiver, "a"), deliver(receiver, "a")] == [Ack(200, "stored")] * 2
    assert receiver.stats() == Stats(deliveries=1)


def test_what_rmz_did_not_sign_is_refused(receiver: Receiver) -> None:
    assert receiver.receive(b"{}", {"Signature": "0" * 64}).status == 401


class SlowSecrets(Sequence[str]):
    """Secrets whose reading one thread is slow at."""

    def __init__(self) -> None:
        self.slow: threading.Thread | None = None
        self.has_begun = threading.Event()
        self.go_on = threading.Event()

    def __len__(self) -> int:
        return 1

    def __getitem__(self, place: Any) -> Any:
        if threading.current_thread() is self.slow:
            self.has_begun.set()
            self.go_on.wait()
        return SECRET


def test_threads_that_verify_at_the_same_time_do_not_refuse_each_other(address: str) -> None:
    """A delivery is verified while another thread has read half of the secrets."""
    secrets = SlowSecrets()
    receiver = Receiver(secrets=secrets, inbox=address)
    secrets.slow = threading.Thread(target=deliver, args=(receiver, "a"))

    class Headers(dict[str, str]):
        """Headers at whose reading the other thread begins."""

        def items(self) -> Any:
            assert secrets.slow is not None
            secrets.slow.start()
            secrets.has_begun.wait()
            return super().items()

    body = sample(EventType.SUBSCRIPTION_RENEWED, event_id="b")
    assert receiver.receive(body, Headers(Signature=sign(body, SECRET))) == Ack(200, "stored")
    secrets.go_on.set()
    secrets.slow.join()
    assert receiver.stats() == Stats(deliveries=2)
    receiver.close()


def test_a_delivery_that_cannot_be_stored_is_delivered_again(tmp_path: Path) -> None:
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'no' / 'inbox.db'}")

    assert deliver(receiver, "a") == Ack(503, "not stored")


def test_due_handlers_run_on_request(receiver: Receiver) -> None:
    """In a cron job, and in the worker of a queue."""
    seen: list[str] = []
    receiver.on("*")(lambda event: seen.append(event.dedupe_key))
    deliver(receiver, "a")
    assert receiver.drain() == 1
    assert [one.was_applied for one in receiver.replay(1)] == [True]
    assert receiver.run_one(1) == 1

    assert seen == ["a", "a"]
    assert receiver.stats() == Stats(deliveries=1, done=1)


def test_a_delivery_is_handed_over_to_a_queue(receiver: Receiver) -> None:
    queue: list[int] = []
    receiver.on("*")(lambda event: None)
    receiver.hand_off(queue.append)
    deliver(receiver, "a")

    assert queue == [1]


def test_handlers_run_on_request_inside_an_event_loop(receiver: Receiver) -> None:
    """In a notebook for instance; in a thread, as the loop is taken."""

    @receiver.on("*")
    async def handler(event: Event) -> None:
        await asyncio.sleep(0)

    async def main() -> int:
        return receiver.drain()

    deliver(receiver, "a")
    assert asyncio.run(main()) == 1


def test_an_error_inside_an_event_loop_reaches_the_caller(tmp_path: Path) -> None:
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'no' / 'inbox.db'}")

    async def main() -> None:
        receiver.drain()

    with pytest.raises(Exception, match="unable to open"):
        asyncio.run(main())


def test_threads_store_their_deliveries_together() -> None:
    """Those that wait while a commit runs share the next one."""
    calls: list[int] = []
    free = threading.Event()

    def double(values: Any) -> list[int]:
        calls.append(len(values))
        if len(calls) == 1:
            free.wait()
        if 13 in values:
            raise ValueError("no 13")
        return [2 * value for value in values]

    batches: ThreadBatches[int, int] = ThreadBatches(double)
    results: dict[int, object] = {}

    def submit(value: int) -> None:
        try:
            results[value] = batches.submit(value)
        except ValueError as error:
            results[value] = str(error)

    threads = [threading.Thread(target=submit, args=(value,)) for value in (1, 2, 13, 4)]
    threads[0].start()
    until(lambda: calls)
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(batches) == 4)
    free.set()
    for thread in threads:
        thread.join()

    assert results == {1: 2, 2: 4, 13: "no 13", 4: 8}
    assert calls[:2] == [1, 3]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
def test_parent_and_child_of_a_fork_both_receive(address: str) -> None:
    """The child has no background until it enters a block itself, and hangs on no lock."""
    program = (
        "with receiver.working():\n"
        "    deliver(receiver, 'parent')\n"
        "    until(lambda: receiver.stats().done == 1)\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        assert deliver(receiver, 'child').status == 200\n"
        "        os._exit(0)\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "    until(lambda: receiver.stats().done == 2)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    with receiver.working():\n"
        "        assert deliver(receiver, 'second child').status == 200\n"
        "        until(lambda: receiver.stats().done == 3)\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print(*seen)\n"
    )
    assert run(program, address).split() == ["parent", "child"]


def test_a_lock_that_a_thread_held_at_a_fork_is_free_in_the_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread does not exist there."""
    results: list[int] = []

    def inside(values: Any) -> list[int]:
        if values == [1]:
            monkeypatch.setattr("os.getpid", lambda: -1)
            results.append(batches.submit(2))
            monkeypatch.undo()
        return list(values)

    batches: ThreadBatches[int, int] = ThreadBatches(inside)
    assert batches.submit(1) == 1
    assert results == [2]


def test_threads_of_a_child_wait_for_no_lock_of_the_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread may come while another one is about to replace the lock."""
    others: list[threading.Thread] = []

    def inside(values: Any) -> list[int]:
        if values == [1]:
            monkeypatch.setattr("os.getpid", lambda: -1)
            monkeypatch.setattr(threading, "RLock", lock_later)
            batches.submit(2)
            monkeypatch.undo()
        return list(values)

    def lock_later() -> Any:
        monkeypatch.undo()
        monkeypatch.setattr("os.getpid", lambda: -1)
        others.append(threading.Thread(target=batches.submit, args=(3,), daemon=True))
        others[0].start()
        others[0].join(60)
        return threading.RLock()

    batches: ThreadBatches[int, int] = ThreadBatches(inside)
    assert batches.submit(1) == 1
    assert not others[0].is_alive()


def test_a_signal_handler_receives_while_a_delivery_is_stored() -> None:
    """Python runs it in the thread that it interrupts, whatever the thread has locked."""
    program = (
        "import signal\n"
        "from rmz_sync.webhooks._batching import ThreadBatches\n"
        "signal.signal(signal.SIGINT, lambda *_: print(batches.submit('second')))\n"
        "def inside(values):\n"
        "    if 'second' not in values:\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "    return values\n"
        "batches = ThreadBatches(inside)\n"
        "print(batches.submit('first'))\n"
    )
    assert run(program, "sqlite:///unused.db").split() == ["second", "first"]


def test_python_exits_in_the_middle_of_a_block(address: str) -> None:
    """A service that never leaves the block hangs at no exit; the handlers that run may end."""
    program = (
        "block = receiver.working()\n"
        "block.__enter__()\n"
        "deliver(receiver, 'a')\n"
        "until(lambda: receiver.stats().done == 1)\n"
        "print(*seen)\n"
    )
    assert run(program, address) == "a\n"
