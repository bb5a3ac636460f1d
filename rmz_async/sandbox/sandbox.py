"""A local RMZ: the same calls, pages and webhooks, and nothing leaves this machine."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx
from starlette.types import ASGIApp

from rmz_async.sandbox.app import BASE_PATH, build_app
from rmz_async.sandbox.backend import Backend, whole_seconds
from rmz_async.sandbox.delivery.courier import Delivery
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.seed.store import seeded_store
from rmz_async.sandbox.serving.in_process import connect
from rmz_async.sandbox.serving.served import Served
from rmz_async.sandbox.store.ledger import Effect
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.store.switches import Switches

if TYPE_CHECKING:
    from rmz_async import Client

__all__ = ("Sandbox",)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A stateful RMZ for tests and demonstrations.

    Used with ``async with`` it works in process, on asyncio and on trio; `serve` gives it a port.
    Ids, keys and event ids are the same in every run; the token and the webhooks' secrets are
    random.

    Args:
        clock: Returns the time, aware; the machine's by default.
        seed: True for a store with products, customers, and subscriptions and orders in every
            state, False for an empty one, or a store of your own.
        throttle: Whether the rate limits are kept: 60 requests a minute, 120 for the lookup.

    Attributes:
        token: The only API token that is accepted.
        base_url: The API's address; has a port while the sandbox is served.
        state: The store's data, to look at and to set up.
        app: The ASGI application.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = _utc_now,
        seed: bool | Store = True,
        throttle: bool = True,
    ) -> None:
        if isinstance(seed, Store):
            self.state: Store = seed
        else:
            self.state = seeded_store(whole_seconds(clock())) if seed else Store()
        self.token: str = f"1|{secrets.token_hex(20)}"
        self.base_url: str = f"http://127.0.0.1{BASE_PATH}"
        self._backend = Backend(self.state, clock)
        self._serving = threading.Lock()
        self._connections: list[httpx.AsyncClient] = []
        self.app: ASGIApp = build_app(self._backend, self.token, throttle=throttle)

    def client(self, **options: Any) -> Client:
        """Return a client that calls the sandbox in process.

        Args:
            options: What `rmz_async.Client` takes; the token and base URL are set already.
        """
        # Its clock is the test's: nobody should wait for a real minute.
        set_already = {"token": self.token, "base_url": self.base_url, "pacing": None}
        client, connections = connect(self.app, {**set_already, **options})
        self._connections.append(connections)
        return client

    def serve(self, *, host: str = "127.0.0.1", port: int = 0) -> Served:
        """Return a context manager, plain or async, that serves the sandbox from a thread.

        Args:
            host: ``localhost`` or a loopback address.
            port: 0 for any that is free.

        Raises:
            ValueError: *host* is not on this machine's loopback, or *port* is no port.
            RuntimeError: When it is entered: the sandbox is served already.
        """
        return Served(self, host, port, self._serving)

    def add_webhook(
        self,
        url: str,
        *,
        secret: str | None = None,
        signed: bool = True,
        tries: int = 1,
        enabled: bool = True,
        app: ASGIApp | None = None,
    ) -> Webhook:
        """Send every event to *url* from now on.

        Args:
            url: http or https, on ``localhost`` or a loopback address.
            secret: The key of the signature, at least 16 characters; None for a random one of 28.
            signed: Whether deliveries carry a ``Signature``.
            tries: How often a delivery is tried, 1 to 5. For now each is tried once.
            enabled: Whether it gets events.
            app: An ASGI application that takes the deliveries in process instead of a socket.

        Returns:
            The webhook, with its ``secret``.

        Raises:
            ValueError: *url* leads elsewhere, *secret* is too short, or *tries* is out of range.
        """
        webhooks = self._backend.webhooks
        given = {} if secret is None else {"secret": secret}
        webhook = Webhook(
            id=max(webhooks, default=0) + 1,
            url=url,
            signed=signed,
            tries=tries,
            enabled=enabled,
            app=app,
            **given,
        )
        webhooks[webhook.id] = webhook
        return webhook

    @property
    def switches(self) -> Switches:
        """How this RMZ behaves if the documentation leaves a choice, or if servers disagree."""
        return self.state.switches

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """The webhooks, in the order in which they were added."""
        return tuple(self._backend.webhooks.values())

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """The attempts to deliver an event, in the order in which they ended."""
        return tuple(self._backend.courier.log)

    @property
    def ledger(self) -> tuple[Effect, ...]:
        """What the calls have changed, in their order; a refused one changes nothing."""
        return tuple(self._backend.ledger)

    async def delivered(self) -> None:
        """Wait until no delivery is under way, which takes 3 s at most.

        In process only: for a served sandbox use `Served.delivered`.
        """
        await self._backend.courier.delivered()

    async def aclose(self) -> None:
        """Give up the deliveries that are under way, and close the clients' connections."""
        await self._backend.courier.close()
        while self._connections:
            await self._connections.pop().aclose()

    async def __aenter__(self) -> Sandbox:
        """Return the sandbox."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the sandbox."""
        await self.aclose()
