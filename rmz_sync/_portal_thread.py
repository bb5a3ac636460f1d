"""The thread of a portal in one process: an event loop, and the jobs that it runs."""

from __future__ import annotations

import _thread
import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CancelScope
from anyio.from_thread import BlockingPortal

from rmz_async.errors import ConfigurationError, ConnectionFailedError, RMZError
from rmz_sync._job import Job
from rmz_sync._loop import library, new_loop

# Seconds between two looks at whether a thread still lives. Ctrl-C is late by that much at most, if
# a lock cannot be interrupted: on Windows, or if another thread received the signal.
SLICE = 0.1

# Seconds that cancelled jobs may take to clean up.
GRACE = 2.0

# The threads that have not ended, by portal and process. A forked child keeps the entries of its
# parent: a loop that is freed unregisters its connections in the epoll object that both processes
# share.
threads: dict[tuple[object, int], PortalThread] = {}


class PortalThread:
    """An anyio portal in a daemon thread, which starts with the first job.

    Attributes:
        error: Why the thread could not start, or the error of *finish*.
        jobs: The jobs whose callers wait.
        loop: The event loop; None before the loop runs.
        thread: The daemon thread; None before it is made.
    """

    def __init__(self, key: tuple[object, int], finish: Callable[[], Awaitable[object]]) -> None:
        self.error: Exception | None = None
        self.jobs: set[Job[Any]] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.thread: threading.Thread | None = None
        self._ending = False
        self._finish = finish
        self._key = key
        self._ready = threading.Lock()
        self._ready.acquire()
        self._first = threading.Lock()

    def start(self) -> None:
        """Start the thread, unless that has happened, and wait a moment for its loop."""
        try:
            # In a thread of its own, because an interruption of `Thread.start`, which waits under a
            # lock of the new thread, could leave that locked.
            _thread.start_new_thread(self._start_once, ())
        except RuntimeError as error:
            if "new thread" not in str(error):
                raise  # from a signal handler
            raise _not_started(error) from error
        if self._ready.acquire(timeout=SLICE):
            self._ready.release()
        if self.error is not None:
            raise _not_started(self.error) from self.error

    def begin(self, job: Job[Any]) -> None:
        """Run *job* as a task of the loop, in the context of the thread that asks for it."""
        if self._ending:
            job.lose()
        else:
            asyncio.get_running_loop().create_task(job.run())

    def end(self) -> None:
        """Ask the thread to cancel its jobs and to end, without a wait: a finalizer may ask."""
        self._ending = True
        if self.loop is not None:
            self.call_soon(self._serving.cancel)
        else:
            threads.pop(self._key, None)

    def call_soon(self, callback: Callable[..., object], *args: object) -> None:
        """Let the loop, which must be there, call *callback* unless it was closed."""
        assert self.loop is not None
        try:
            self.loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:  # from a signal handler, unless the loop was closed a moment ago
            if not self.loop.is_closed():
                raise

    def _start_once(self) -> None:
        # No thread waits for this lock: the first that comes here starts the portal's thread.
        if self._first.acquire(blocking=False):
            try:
                # A daemon, because Python waits for every other thread before it exits.
                self.thread = threading.Thread(target=self._live, name="rmz-sync", daemon=True)
                self.thread.start()
            except Exception as error:  # noqa: BLE001 - the callers raise it
                self.error = error
                threads.pop(self._key, None)

    def _live(self) -> None:
        library.name = "asyncio"
        try:
            # Without asyncio's debug mode, which would make every call five times slower.
            with asyncio.Runner(debug=False, loop_factory=new_loop) as runner:
                runner.run(self._serve())
        except Exception as error:
            if self.loop is not None:
                raise
            self.error = error
        finally:
            threads.pop(self._key, None)

    async def _serve(self) -> None:
        async with BlockingPortal() as portal:
            try:
                with CancelScope() as self._serving:
                    self.loop = asyncio.get_running_loop()
                    self._ready.release()
                    if not self._ending:
                        await portal.sleep_until_stopped()
            finally:
                # Set here, too: a task that raised SystemExit, for instance, has stopped the loop.
                self._ending = True
            jobs = list(self.jobs)
            for job in jobs:
                job.cancel()
            if tasks := [job.task for job in jobs if job.task is not None]:
                await asyncio.wait(tasks, timeout=GRACE)
            # The request of a paywall outlives the call that began it, and asyncio prints the error
            # of a task that is still there when its loop ends.
            if left := asyncio.all_tasks() - {asyncio.current_task(), *tasks}:
                for task in left:
                    task.cancel()
                await asyncio.wait(left, timeout=GRACE)
            try:
                await self._finish()
            except Exception as error:  # noqa: BLE001 - the thread that closes the portal raises it
                self.error = error
            # A token function that cannot be cancelled keeps this thread. Its caller need not wait:
            # without connections the call sends nothing any more.
            for job in jobs:
                job.lose()


def _not_started(error: Exception) -> RMZError:
    kind = ConnectionFailedError if isinstance(error, OSError) else ConfigurationError
    return kind(
        "nothing was sent, because no thread with an event loop could be started for this client "
        f"({error}): close files or threads, or raise their limit, then retry"
    )
