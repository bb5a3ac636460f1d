"""A sandbox whose event loop runs in a thread of its own, for callers that cannot await."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio
import anyio.to_thread

from rmz_async.sandbox.delivery.log import Deliveries, Delivery
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.faults.faults import Faults
from rmz_async.sandbox.serving.request_log import Requests
from rmz_async.sandbox.serving.server import Server
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.snapshots.snapshots import Snapshots
from rmz_async.sandbox.store.cards import TEST_CARDS, TestCard
from rmz_async.sandbox.store.ledger import Ledger
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.store.switches import Switches

if TYPE_CHECKING:
    from rmz_async.sandbox.sandbox import Sandbox

__all__ = ("InThread",)

T = TypeVar("T")

# In seconds: times are whole seconds anyway.
_LOOK_EVERY = 0.5


class InThread:
    """A sandbox in a thread of its own, while a ``with`` block lasts.

    Its loop is always asyncio, whatever the caller runs on. Everything here may be used from any
    thread: what changes the sandbox happens in the loop, one step after the other.

    Args:
        clock_runs: Whether time passes while the block lasts.

    Attributes:
        sandbox: The sandbox that runs.
    """

    def __init__(self, sandbox: Sandbox, server: Server, *, clock_runs: bool) -> None:
        self.sandbox: Sandbox = sandbox
        self._address = server
        self._clock_runs = clock_runs and not sandbox.clock.is_running
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def base_url(self) -> str:
        """The API's address."""
        return self.sandbox.base_url

    @property
    def token(self) -> str:
        """The only API token that is accepted."""
        return self.sandbox.token

    @property
    def state(self) -> Store:
        """The store's data."""
        return self.sandbox.state

    @property
    def switches(self) -> Switches:
        """The behaviour where the documentation leaves a choice; see `Sandbox.switches`."""
        return self.sandbox.switches

    @property
    def faults(self) -> Faults:
        """The faults of calls and deliveries; `Faults.add` starts one."""
        return self.sandbox.faults

    @property
    def deliveries(self) -> Deliveries:
        """The attempts to deliver an event, in the order in which they ended."""
        return self.sandbox.deliveries

    @property
    def requests(self) -> Requests:
        """The latest thousand requests of the API, in the order in which they were answered."""
        return self.sandbox.requests

    @property
    def snapshots(self) -> Snapshots:
        """The whole sandbox at other moments, by name."""
        return self.sandbox.snapshots

    @property
    def ledger(self) -> Ledger:
        """The changes by calls, pages and time, in order."""
        return self.sandbox.ledger

    def add_webhook(self, url: str, **options: Any) -> Webhook:
        """Send every event to *url* from now on; see `Sandbox.add_webhook`."""
        return self.sandbox.add_webhook(url, **options)

    def advance(
        self,
        duration: timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> None:
        """Move the sandbox's time on, and block until all that came due was done.

        See `Clock.advance`, which an async caller uses: ``await served.sandbox.clock.advance()``.
        """
        moving = self.sandbox.advance(
            duration, days=days, hours=hours, minutes=minutes, seconds=seconds
        )
        self._result(moving)

    def pay(self, checkout_url: str, *, card: TestCard | str = TEST_CARDS[0]) -> int:
        """Pay on a checkout page, and return the subscription's id; see `Sandbox.pay`."""
        return self._result(self.sandbox.pay(checkout_url, card=card))

    def subscribe(self, **options: Any) -> int:
        """Make a checkout session, pay on its page, and return the subscription's id.

        Args:
            options: Those of `Sandbox.subscribe`.
        """
        return self._result(self.sandbox.subscribe(**options))

    def emit(self, event: Event | str, object_id: int) -> None:
        """Send *event* about an object as it is now; see `Sandbox.emit`."""
        self._run_on_loop(partial(self.sandbox.emit, event, object_id))

    def send_again(self, delivery: Delivery) -> None:
        """Attempt *delivery* again; see `Sandbox.send_again`."""
        self._run_on_loop(partial(self.sandbox.send_again, delivery))

    def wait_delivered(self, timeout: float = 10.0) -> None:
        """Block until no delivery is under way.

        Args:
            timeout: Seconds.

        Raises:
            TimeoutError: Some still are.
        """
        try:
            self._result(self.sandbox.delivered(), timeout)
        except TimeoutError:
            raise TimeoutError(
                f"deliveries are still under way after {timeout:g} s: a receiver has not answered"
            ) from None

    async def delivered(self) -> None:
        """Wait until no delivery is under way, from any event loop."""
        await anyio.to_thread.run_sync(self.wait_delivered)

    def __repr__(self) -> str:
        sandbox = getattr(self, "sandbox", None)
        return "<Sandbox>" if sandbox is None else repr(sandbox)

    def __enter__(self) -> Self:
        """Start the thread.

        Raises:
            RuntimeError: The sandbox runs in a thread already.
        """
        # A sandbox has one address, and one loop from which its deliveries are sent.
        if not self._address.serving.acquire(blocking=False):
            raise RuntimeError("the sandbox is served already; make another one")
        self._error = None
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the thread, and give up the deliveries that are under way."""
        try:
            # The child of a fork has no such thread, and would wait for it for ever.
            if self._thread is not None and self._address.process == os.getpid():
                self._ask_to_stop()
                # Ctrl-C may have come in the middle of its start.
                if self._thread.ident is not None:
                    self._ended.wait()
                    self._thread.join()
            if self._error is not None:
                raise self._error
        finally:
            self._thread = None
            self._address.serving.release()

    def _start(self) -> None:
        self._start_thread(self._until_asked)

    def _start_thread(self, in_loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start the thread, which does *in_loop*; `_note_start` must be called there."""
        self._started, self._ended = threading.Event(), threading.Event()
        self._is_asked = False
        self._address.process = os.getpid()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(
            target=self._live, args=[in_loop], name="rmz-sandbox", daemon=True
        )
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error

    def _ask_to_stop(self) -> None:
        self._is_asked = True
        # If there is no loop yet, the start looks at the flag.
        if self._address.loop is not None:
            self._address.loop.call_soon_threadsafe(self._stopping.set)

    def _live(self, in_loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            with asyncio.Runner() as runner:
                # First, as no coroutine may be made that a loop without files never runs.
                runner.get_loop()
                runner.run(self._run(in_loop))
        except BaseException as error:  # noqa: BLE001 - who started or ends the thread raises it
            self._error = error
        finally:
            self._started.set()
            self._ended.set()

    async def _run(self, in_loop: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._loop = self._address.loop = asyncio.get_running_loop()
        try:
            async with self.sandbox, anyio.create_task_group() as tasks:
                worlds = self.sandbox.worlds
                for sandbox in self._sandboxes():
                    self._take_over(sandbox)
                worlds.when_made.append(self._take_over_world)
                tasks.start_soon(self._keep_up)
                try:
                    await in_loop()
                finally:
                    tasks.cancel_scope.cancel()
                    worlds.when_made.remove(self._take_over_world)
                    for sandbox in self._sandboxes():
                        self._give_back(sandbox)
        finally:
            self._address.loop = None

    async def _until_asked(self) -> None:
        await self._note_start()
        while not self._is_asked:
            await self._stopping.wait()

    def _sandboxes(self) -> tuple[Sandbox, ...]:
        return (self.sandbox, *self.sandbox.worlds.values())

    def _take_over_world(self, _: str, world: Sandbox) -> None:
        self._take_over(world)

    def _take_over(self, sandbox: Sandbox) -> None:
        if self._clock_runs:
            sandbox.clock.run()
        # Deliveries belong to this loop, even if another thread moves the clock.
        sandbox.clock.moved_by(partial(self._move, sandbox))
        sandbox.snapshots.called_by(self._run_on_loop)

    def _give_back(self, sandbox: Sandbox) -> None:
        sandbox.clock.moved_by(sandbox.run_until)
        sandbox.snapshots.called_by(None)
        if self._clock_runs:
            sandbox.clock.stop()

    def _start_on_loop(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return self._address.start_on(self._loop, work)

    def _result(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Do *work* in the loop, and wait for its end; a wait that is interrupted ends it."""
        done = self._start_on_loop(work)
        try:
            return done.result(timeout)
        finally:
            done.cancel()

    def _run_on_loop(self, work: Callable[[], T]) -> T:
        """Do *work* between the steps of the loop, from any thread."""
        if threading.current_thread() is self._thread:
            return work()

        async def step() -> T:
            return work()

        return self._result(step())

    async def _move(self, sandbox: Sandbox, until: Callable[[], datetime]) -> None:
        moving = self._start_on_loop(sandbox.run_until(until))
        await anyio.to_thread.run_sync(moving.result)

    async def _keep_up(self) -> None:
        """Bring about what comes due between requests."""
        while True:
            await anyio.sleep(_LOOK_EVERY)
            for sandbox in self._sandboxes():
                sandbox.catch_up()

    async def _note_start(self) -> None:
        self._started.set()
