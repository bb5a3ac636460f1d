"""Serve the sandbox on a real port, from a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
import uvicorn

from rmz_async.sandbox.delivery.log import Deliveries
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.serving.abortable import AbortableProtocol
from rmz_async.sandbox.serving.listening import listen
from rmz_async.sandbox.serving.request_log import Requests
from rmz_async.sandbox.serving.server import Server
from rmz_async.sandbox.snapshots.snapshots import Snapshots
from rmz_async.sandbox.store.cards import TEST_CARDS, TestCard
from rmz_async.sandbox.store.ledger import Ledger
from rmz_async.sandbox.store.state import Store

if TYPE_CHECKING:
    from rmz_async.sandbox.sandbox import Sandbox

__all__ = ("Served",)

T = TypeVar("T")

# In seconds: times are whole seconds anyway.
_LOOK_EVERY = 0.5
# All addresses of the machine: no client can call them by this name.
_CALLED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared with


class Served:
    """A sandbox behind a port, while a ``with`` or ``async with`` block lasts.

    Its loop is always asyncio, whatever the caller runs on. Everything here may be used from any
    thread.

    Attributes:
        sandbox: The sandbox that is served.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        host: str,
        port: int,
        server: Server,
        *,
        clock_runs: bool = True,
    ) -> None:
        # The socket would raise OverflowError for it, and be left open.
        if not 0 <= port <= 65535:
            raise ValueError(f"a port is 0 to 65535, not {port}")
        self.sandbox = sandbox
        self._host = "127.0.0.1" if host == "localhost" else host
        self._port = port
        self._address = server
        self._serving = server.serving
        self._clock_runs = clock_runs and not sandbox.clock.is_running
        self._unserved_origin = server.origin
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        """The API's address, with the port."""
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
        distance = (duration or timedelta(0)) + timedelta(
            days=days, hours=hours, minutes=minutes, seconds=seconds
        )
        moving = self.sandbox.clock.advance(distance)
        self._start_on_loop(moving).result()

    def pay(self, checkout_url: str, *, card: TestCard | str = TEST_CARDS[0]) -> int:
        """Pay on a checkout page, and return the subscription's id; see `Sandbox.pay`."""
        return self._start_on_loop(self.sandbox.pay(checkout_url, card=card)).result()

    def subscribe(self, **options: Any) -> int:
        """Make a checkout session, pay on its page, and return the subscription's id.

        Args:
            options: Those of `Sandbox.subscribe`.
        """
        return self._start_on_loop(self.sandbox.subscribe(**options)).result()

    def wait_delivered(self, timeout: float = 10.0) -> None:
        """Block until no delivery is under way.

        Args:
            timeout: Seconds.

        Raises:
            TimeoutError: Some still are.
        """
        waiting = self._start_on_loop(self.sandbox.delivered())
        try:
            waiting.result(timeout)
        finally:
            waiting.cancel()

    async def delivered(self) -> None:
        """Wait until no delivery is under way, from any event loop."""
        await anyio.to_thread.run_sync(self.wait_delivered)

    def __enter__(self) -> Served:
        """Bind the port and start to serve."""
        # Its address is one, and so is the loop that its deliveries are sent from.
        if not self._serving.acquire(blocking=False):
            raise RuntimeError("the sandbox is served already; make another one")
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _start(self) -> None:
        self._server = uvicorn.Server(self._config())
        # Bound here, so that a port in use is the caller's error and not the thread's.
        listener = listen(self._host, self._port)
        port = listener.getsockname()[1]
        named = _CALLED.get(self._host, self._host)
        host = f"[{named}]" if ":" in named else named
        self._address.origin = f"http://{host}:{port}"
        self._started = threading.Event()
        thread = threading.Thread(
            target=lambda: asyncio.run(self._run(listener)), name="rmz-sandbox", daemon=True
        )
        try:
            thread.start()
        except BaseException:
            listener.close()
            raise
        self._thread = thread
        self._started.wait()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving and free the port."""
        try:
            if self._thread is not None:
                self._server.should_exit = True
                self._thread.join()
        finally:
            self._thread = None
            self._address.origin = self._unserved_origin
            self._serving.release()

    async def __aenter__(self) -> Served:
        """Bind the port and start to serve."""
        # Not from a thread: asyncio's own cancellation would leave that one at work.
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving and free the port, even while being cancelled."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.__exit__, exc_type, exc, traceback)

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self.sandbox.app,
            http=AbortableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            # Called on the first tick: the server accepts connections, and knows how to stop.
            callback_notify=self._note_start,
        )

    async def _run(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        async with self.sandbox, anyio.create_task_group() as tasks:
            worlds = self.sandbox.worlds
            for one in self._sandboxes():
                self._take_over(one)
            worlds.when_made = self._take_over
            tasks.start_soon(self._keep_up)
            try:
                await self._server.serve(sockets=[listener])
            finally:
                tasks.cancel_scope.cancel()
                worlds.when_made = None
                for one in self._sandboxes():
                    self._give_back(one)

    def _sandboxes(self) -> tuple[Sandbox, ...]:
        return (self.sandbox, *self.sandbox.worlds.values())

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
        # A context of its own: trio's says that trio runs here.
        return Context().run(asyncio.run_coroutine_threadsafe, work, self._loop)

    def _run_on_loop(self, work: Callable[[], T]) -> T:
        """Do *work* between the steps of the loop, from any thread."""
        if threading.current_thread() is self._thread:
            return work()

        async def step() -> T:
            return work()

        return self._start_on_loop(step()).result()

    async def _move(self, sandbox: Sandbox, until: Callable[[], datetime]) -> None:
        moving = self._start_on_loop(sandbox.run_until(until))
        await anyio.to_thread.run_sync(moving.result)

    async def _keep_up(self) -> None:
        """Bring about what comes due between requests."""
        while True:
            await anyio.sleep(_LOOK_EVERY)
            for one in self._sandboxes():
                one.catch_up()

    async def _note_start(self) -> None:
        self._started.set()
