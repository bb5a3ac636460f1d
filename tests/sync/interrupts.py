"""Interrupts sync calls at many moments; ``python -m tests.sync.interrupts COUNT`` for a long run.

Each call extends a subscription of its own, so that the word of its caller can be compared with the
requests that the server has read. Prints how often each outcome came; an outcome whose name begins
with ``BAD`` is a defect. A hang ends the process, with the stack of every thread.
"""

from __future__ import annotations

import faulthandler
import gc
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import rmz_sync
from tests.seams import Portal
from tests.sync.conftest import Shop

BAD = "BAD"
LIMIT = 100
"""Seconds after which a turn, which takes some thousandths of a second, counts as a hang."""

NOTES = {
    "was interrupted: it had succeeded": "applied",
    "was interrupted: it failed": "failed",
    "was interrupted: its outcome is unknown": "unknown",
}
# How many requests the server may have read. For every other outcome it must have read none.
READ = {"applied": {1}, "in time": {1}, "after the call": {1}, "unknown": {0, 1}}

Act = Callable[[rmz_sync.Client, int], None]


class Timer:
    """A timer whose handler raises KeyboardInterrupt, and that knows what it interrupted.

    Attributes:
        calling: Whether the interrupted program is in the line of its call.
        place: The place of the interruption; None if there was none.
    """

    def __init__(self) -> None:
        self.calling = False
        self.place: str | None = None
        signal.signal(signal.SIGALRM, self._interrupt)

    def start(self, seconds: float) -> None:
        """Interrupt the main thread in *seconds*."""
        # Python swallows an interruption of a finalizer. The collector runs those of other calls.
        gc.collect()
        gc.disable()
        self.place = None
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def stop(self) -> None:
        """Interrupt nothing any more."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.enable()

    def _interrupt(self, _: int, frame: FrameType | None) -> NoReturn:
        self.place = "before the call" if self.calling else "after the call"
        for each in stack(frame):
            # In its first line a function has only been entered, and has begun nothing.
            if each.f_code is Portal.run.__code__ and each.f_lineno > each.f_code.co_firstlineno:
                self.place = "inside"
        raise KeyboardInterrupt


def stack(frame: FrameType | None) -> Iterator[FrameType]:
    """Give *frame* and its callers."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def extend(client: rmz_sync.Client, number: int) -> None:
    """Make a call that changes something."""
    client.subscriptions.extend(number, days=7)


def close(client: rmz_sync.Client, _: int) -> None:
    """Close the client."""
    client.close()


def interrupt(act: Act, client: rmz_sync.Client, number: int, timer: Timer, after: float) -> str:
    """Interrupt *act* some time after its beginning, and return the outcome as its caller sees it.

    *act* is a function of Python's own, as nothing can interrupt the way back from such a one.
    """
    interruption: KeyboardInterrupt | None = None
    try:
        try:
            timer.calling = True
            timer.start(after)
            act(client, number)
            timer.calling = False
        finally:
            timer.stop()
    except KeyboardInterrupt as error:
        interruption = error
    except rmz_sync.RMZError as error:
        return f"{BAD}: {type(error).__name__} in place of the interruption"
    if timer.place is None:
        return "in time"
    if interruption is None:
        return f"{BAD}: swallowed {timer.place}"
    notes = getattr(interruption, "__notes__", [])
    said = [word for text, word in NOTES.items() if len(notes) == 1 and text in notes[0]]
    if said or timer.place != "inside":
        return said[0] if said else timer.place
    return f"{BAD}: no note"


class Record:
    """The outcome of each call as its caller sees it, and beside it what the server has read."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._outcomes: dict[int, tuple[str, str]] = {}

    def next(self) -> int:
        """Return the id of a subscription that no call has extended."""
        return 1_000 + len(self._outcomes)

    def note(self, number: int, name: str, outcome: str) -> None:
        """Remember the outcome of the extension of *number*."""
        self._outcomes[number] = name, outcome

    def results(self) -> Counter[str]:
        """Count the outcomes, and those that the server contradicts; all clients are closed."""
        self._shop.settle()
        read = Counter(
            int(path.split("/")[2]) for method, path, _ in self._shop.requests if method == "POST"
        )
        results = Counter(f"{name}: {outcome}" for name, outcome in self._outcomes.values())
        for number, (_, outcome) in self._outcomes.items():
            if read[number] not in READ.get(outcome, {0}) and not outcome.startswith(BAD):
                results[f"{BAD}: {outcome}, and the server has read {read[number]}"] += 1
        return results


@contextmanager
def others(client: rmz_sync.Client) -> Generator[None]:
    """Make calls in another thread meanwhile, which no interruption may disturb."""
    over = threading.Event()

    def work() -> int:
        made = 0
        while not over.wait(0.001):
            made += client.subscriptions.get(3).id == 3
        return made

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            yield
        finally:
            over.set()
        assert working.result() > 0


def interrupt_calls(count: int, shop: Shop, timer: Timer, record: Record) -> None:
    """Interrupt first calls and later ones, at moments that are spread evenly over a call."""
    with rmz_sync.Client("1|token", base_url=shop.url, pacing=None) as warm, others(warm):
        began = time.perf_counter()
        for _ in range(10):
            warm.subscriptions.get(2)
        length = (time.perf_counter() - began) / 10
        for turn in range(count):
            faulthandler.dump_traceback_later(LIMIT, exit=True)
            after = max(1e-5, 1.5 * length * (turn + 1) / count)
            with rmz_sync.Client("1|token", base_url=shop.url, pacing=None) as fresh:
                for client, name in ((fresh, "first"), (warm, "later")):
                    number = record.next()
                    record.note(number, name, interrupt(extend, client, number, timer, after))
                    assert client.subscriptions.get(2).id == 2, "the client goes on"


def interrupt_closing(count: int, shop: Shop, timer: Timer, record: Record) -> None:
    """Interrupt ``close`` in the middle of another thread's call; that call and the client end."""
    pause = threading.Event()
    for turn in range(count):
        faulthandler.dump_traceback_later(LIMIT, exit=True)
        client = rmz_sync.Client("1|token", base_url=shop.url, pacing=None)
        client.subscriptions.get(2)
        number = record.next()
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(extend, client, number)
            pause.wait(turn % 8 * 3e-4)
            closed = interrupt(close, client, number, timer, max(1e-5, 2e-3 * turn / count))
            client.close()
            error = call.exception()
        assert not closed.startswith(BAD), closed
        outcome = "unknown" if isinstance(error, rmz_sync.OutcomeUnknownError) else "failed"
        record.note(number, "closed", "applied" if error is None else outcome)


def main(count: int) -> dict[str, int]:
    """Interrupt *count* first calls, as many later ones, and a tenth as many closings."""
    with Shop() as shop:
        threading.Thread(target=shop.serve_forever, args=(0.01,), daemon=True).start()
        timer, record = Timer(), Record(shop)
        gc.freeze()
        interrupt_calls(count, shop, timer, record)
        interrupt_closing(count // 10, shop, timer, record)
        results = record.results()
        shop.shutdown()
    faulthandler.cancel_dump_traceback_later()
    results[f"{BAD}: threads left"] = sum(each.name == "rmz-sync" for each in threading.enumerate())
    return dict(sorted((+results).items()))


if __name__ == "__main__":
    found = main(int(sys.argv[1]))
    print(found)  # noqa: T201 - it is what the script is for
    sys.exit(any(name.startswith(BAD) for name in found))
