"""Interrupts sync calls at many moments; ``python -m tests.sync.interrupts COUNT`` for a long run.

Prints how many interruptions there were, and those that were swallowed or had no note.
"""

from __future__ import annotations

import signal
import sys
import threading
import time

import rmz_sync
from tests.sync.conftest import Shop

WORDS = ("applied", "failed", "unknown")


def interrupt(client: rmz_sync.Client, offset: float) -> str:
    """Make a call that is interrupted *offset* seconds later, and return what came of it."""
    try:
        signal.setitimer(signal.ITIMER_REAL, offset)
        client.subscriptions.extend(1, days=7)
        # The signal may come only now: that interrupts this program, and not the call.
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt as interruption:
        signal.setitimer(signal.ITIMER_REAL, 0)
        notes = " ".join(getattr(interruption, "__notes__", ()))
        frames = [interruption.__traceback__]
        while frames[-1] is not None and frames[-1].tb_next is not None:
            frames.append(frames[-1].tb_next)
        inside = any(
            frame is not None and frame.tb_frame.f_code.co_name == "run" for frame in frames
        )
        last = frames[-1]
        if last is not None and last.tb_lineno == last.tb_frame.f_code.co_firstlineno:
            # At the entry of a function, before any of its statements: nothing was begun.
            inside = inside and last.tb_frame.f_code.co_name != "run"
        arrived = "noted" if any(word in notes for word in WORDS) else "no note"
        return arrived if inside else "outside"
    return "in time"


def main(count: int, url: str) -> dict[str, int]:
    """Interrupt first calls and later ones, *count* of each, at moments that are spread evenly."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    results: dict[str, int] = {}
    warm = rmz_sync.Client("1|token", base_url=url, pacing=None)
    warm.subscriptions.get(1)
    began = time.perf_counter()
    for _ in range(10):
        warm.subscriptions.extend(1, days=7)
    length = (time.perf_counter() - began) / 10
    for number in range(count):
        share = (number + 1) / count
        fresh = rmz_sync.Client("1|token", base_url=url, pacing=None)
        for client, name in ((fresh, "first"), (warm, "later")):
            try:
                result = interrupt(client, max(1e-5, 1.5 * length * share))
            except rmz_sync.RMZError as error:
                result = f"swallowed by {type(error).__name__}"
            results[f"{name}: {result}"] = results.get(f"{name}: {result}", 0) + 1
        fresh.close()
    warm.close()
    results["threads left"] = sum(each.name == "rmz-sync" for each in threading.enumerate())
    return results


if __name__ == "__main__":
    with Shop() as shop:
        threading.Thread(target=shop.serve_forever, args=(0.01,), daemon=True).start()
        print(main(int(sys.argv[1]), shop.url))  # noqa: T201 - it is what the script is for
        shop.shutdown()
