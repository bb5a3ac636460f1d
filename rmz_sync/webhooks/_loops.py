"""Event loops for handlers, in code that has none."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

import anyio

logger: logging.Logger = logging.getLogger("rmz_async")

T = TypeVar("T")

# Seconds between two checks of whether the block, or the program, has ended.
CHECK_EVERY = 0.05

# Seconds before a background that has ended begins again, so that the log stays readable.
PAUSE = 0.5

pause = time.sleep


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run an async function to its end; in a thread if an event loop runs in this one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return anyio.run(function)
    with ThreadPoolExecutor(1, "rmz-sync-run") as threads:
        return threads.submit(anyio.run, function).result()


@contextmanager
def running(context: Callable[[], AbstractAsyncContextManager[None]]) -> Generator[None]:
    """Keep an async context open in a thread of its own while the block runs."""
    ended = False

    async def work() -> None:
        async with context():
            # A flag and no event: an interrupt of the caller could leave an event's lock held, and
            # this loop would wait for it forever. As the program exits, Python waits for the
            # worker threads of this loop, which end with it.
            while not ended and threading.main_thread().is_alive():  # noqa: ASYNC110 - see above
                await anyio.sleep(CHECK_EVERY)

    def work_on() -> None:
        # Coverage on 3.11 loses a frame in which an event loop has run to its end.
        while not ended and threading.main_thread().is_alive():  # pragma: no branch - see above
            try:
                anyio.run(work)
            # An async handler may end its thread, and no other handler would ever run again.
            except BaseException as error:  # noqa: BLE001 - SystemExit, and groups that have it
                logger.error(  # noqa: TRY400 - the handler's error is in the log
                    "the background of a receiver was ended by %s, and begins again",
                    type(error).__name__,
                )
                pause(PAUSE)

    thread = threading.Thread(target=work_on, name="rmz-sync-webhooks", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended = True
        thread.join()
