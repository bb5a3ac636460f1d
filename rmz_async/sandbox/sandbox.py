"""A local RMZ: the same calls, pages and webhooks, and nothing leaves this machine."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any

import httpx
from starlette.types import ASGIApp

from rmz_async.sandbox.app import build_app
from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.lifecycle.clock import Clock
from rmz_async.sandbox.lifecycle.timeline import Timeline
from rmz_async.sandbox.loopback import LoopbackOnly, host_of_page, is_loopback
from rmz_async.sandbox.observed import Observed
from rmz_async.sandbox.seed.store import seeded_store
from rmz_async.sandbox.serving.in_process import InProcess, connect
from rmz_async.sandbox.serving.paying import pay_on_page
from rmz_async.sandbox.serving.served import Served
from rmz_async.sandbox.serving.server import Server
from rmz_async.sandbox.snapshots.snapshots import Snapshots
from rmz_async.sandbox.store.cards import TEST_CARDS, TestCard
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.tokens import checked_token, looks_live, new_token
from rmz_async.sandbox.wire.below import BASE_PATH, Below
from rmz_async.sandbox.worlds import ROOT, WorldPaths, Worlds, token_of_world

if TYPE_CHECKING:
    from rmz_async import Client, NewCustomer

__all__ = ("Sandbox",)

# An order's events have no id of their own: receivers tell them apart by these.
_IDS_OF_ORDER_EVENTS = ("order", "order status")


class Sandbox(Observed):
    """A stateful RMZ for tests and demonstrations.

    Used with ``async with`` it works in process, on asyncio and on trio; `serve` gives it a port.
    The ids of what it begins with are the same in every run. The token, the webhooks' secrets, the
    addresses of pages, and the ids by which a receiver distinguishes deliveries are random: those
    of events, of new orders and of the entries of their history.

    Args:
        clock: Returns the time, aware. None for a clock that starts at the machine's time and
            stands still: `clock` moves it, and a sandbox that is served lets it run.
        state: The store to begin with, and to change; None for one with products, customers, and
            subscriptions and orders in every state. ``Store()`` is empty. A mapping changes rows of
            the seeded store, in worlds too: ``{"subscriptions": {501: {"status": "past_due"}}}``.
        seed: Makes the ids of events and orders, the addresses of pages, and all else that is left
            to chance, the same in every run.
        throttle: Whether the rate limits apply: 60 requests a minute, 120 for the lookup.
        token: The API token; None for a random one. A token that looks like a real store's is
            refused, unless a sandbox has made it.

    Raises:
        ValueError: *token* or *seed* may be the token of a real store, *clock* returns a naive
            time, or *state* has an unknown name or a value that breaks a rule.
        TypeError: *state* is neither a `Store` nor a mapping.

    Attributes:
        token: The only API token that is accepted.
        clock: The time; stands still unless it is moved or set running.
        state: The store's data, to look at and to set up.
        seed: Repeats this run's ids of events and faults, if it is given to another sandbox.
        snapshots: The whole sandbox at other moments, by name.
        worlds: The sandboxes below ``/worlds/``, by name; see `world`.
        app: The ASGI application.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        state: Store | Mapping[str, Any] | None = None,
        seed: int | str | None = None,
        throttle: bool = True,
        token: str | None = None,
        _server: Server | None = None,
        _root: str = "",
    ) -> None:
        if looks_live(str(seed)):
            raise ValueError("seed: this looks like the token of a real store, and was not kept")
        self.seed: int | str = secrets.randbits(32) if seed is None else seed
        self.clock: Clock = Clock(clock)
        now = self.clock.now().replace(microsecond=0)
        self.state: Store = _store_of(state, now)
        self.token: str = new_token() if token is None else checked_token(token)
        self._server: Server = Server() if _server is None else _server
        self._root = _root
        if seed is None:
            self.state.ids.skip(_IDS_OF_ORDER_EVENTS, secrets.SystemRandom())
        # The key of a page is enough to pay there, or to look into a portal.
        self.state.ids.secret = secrets.token_hex() if seed is None else str(seed)
        self._backend = Backend(self.state, self.clock, self.seed, self._server)
        self._timeline = Timeline(self._backend, self.clock)
        self.snapshots: Snapshots = Snapshots(self._backend, self._timeline)
        self._connections: list[httpx.AsyncClient] = []
        self.worlds: Worlds = Worlds(
            lambda name: Sandbox(
                clock=clock,
                state=state if isinstance(state, Mapping) else None,
                seed=f"{self.seed}/{name}",
                throttle=throttle,
                token=token_of_world(self.token, name),
                _server=self._server,
                _root=f"{ROOT}{name}",
            )
        )
        app = build_app(
            self._backend,
            self.token,
            throttle=throttle,
            catch_up=self._timeline.catch_up,
            callers=self._server.callers,
            snapshots=self.snapshots,
            # A world has none of its own.
            worlds=None if _root else self.worlds,
        )
        self.app: ASGIApp = (
            Below(app, _root)
            if _root
            else LoopbackOnly(WorldPaths(app, self.worlds), self._server.callers)
        )

    def client(self, **options: Any) -> Client:
        """Return a client that calls the sandbox in process.

        The client paces its calls and retries them as in production, and waits on the sandbox's
        clock: a wait moves the time on and takes none.

        Args:
            options: The options of `rmz_async.Client`; the token and base URL are set already.
        """
        # The sandbox must be importable, and usable over HTTP, without the client.
        from rmz_async import Client

        made = connect(self.app, self._server, self.clock)
        self._connections.append(made["http"])
        set_already: dict[str, Any] = {"token": self.token, "base_url": self.base_url}
        return Client(**{**set_already, **made, **options})

    def serve(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock_runs: bool = True,
        beyond_loopback: bool = False,
        names: Collection[str] = (),
        public_url: str | None = None,
    ) -> Served:
        """Return a context manager, plain or async, that serves the sandbox from a thread.

        Args:
            host: ``localhost`` or a loopback address; with *beyond_loopback* any address of this
                machine, or ``0.0.0.0`` for all of them.
            port: 0 for any that is free.
            clock_runs: Whether time passes while the sandbox is served, as it does for its
                callers; False for a clock that only `Served.advance` moves.
            beyond_loopback: Whether other machines may call it. Anyone who reaches the port can do
                everything, and the dashboard shows the token.
            names: The host names with a dot that other machines have for it.
            public_url: The address that customers' browsers have for it, with which each link to
                a page begins; the address that the caller of the API used if left out.

        Raises:
            ValueError: *host* is not on this machine's loopback, *port* is no port, or
                *public_url* is no address.
            RuntimeError: The sandbox is a world; or when it is entered: it is served already.
        """
        if self._root:
            raise RuntimeError(
                "a world is served by the sandbox that it belongs to: serve that one"
            )
        if not beyond_loopback and not is_loopback(host):
            raise ValueError(
                f"the sandbox is served on loopback addresses only, not on {host!r}, unless "
                "beyond_loopback is set"
            )
        if public_url is not None:
            public_url = public_url.rstrip("/")
            names = (*names, host_of_page(public_url))
        server = self._server
        server.public_url = public_url
        server.callers.beyond_loopback = beyond_loopback
        server.callers.names = names
        return Served(self, host, port, server, clock_runs=clock_runs)

    async def pay(self, checkout_url: str, *, card: TestCard | str = TEST_CARDS[0]) -> int:
        """Pay on a checkout page, as a customer does in a browser.

        A customer whose bank asks for it confirms the payment.

        Args:
            checkout_url: The address of a checkout session of this sandbox.
            card: A card of `TEST_CARDS`, or its number.

        Returns:
            The subscription's id.

        Raises:
            NotPaidError: The card was declined, or the page takes no payment.
        """
        number = card.number if isinstance(card, TestCard) else card
        way = InProcess(self.app, self._server)
        return await pay_on_page(checkout_url, number, self._backend.now(), way)

    async def subscribe(
        self,
        *,
        product_id: int = 102,
        variant_id: int = 15,
        customer: int | NewCustomer = 4501,
        external_customer_id: str | None = None,
        metadata: Mapping[str, str] | None = None,
        card: TestCard | str = TEST_CARDS[0],
    ) -> int:
        """Make a checkout session, and pay on its page.

        Args:
            product_id: A product of type ``subscription``.
            variant_id: A plan of that product.
            customer: The id of a customer, or a new one.
            external_customer_id: Your own id of the user.
            metadata: At most 20 strings.
            card: As for `pay`.

        Returns:
            The subscription's id.

        Raises:
            NotPaidError: The card was declined.
            rmz_async.APIError: The session was refused, for example because there is no such plan.
        """
        session = await self.client().checkout_sessions.create(
            product_id=product_id,
            variant_id=variant_id,
            customer=customer,
            success_url="https://app.example/paid",
            cancel_url="https://app.example/plans",
            external_customer_id=external_customer_id,
            metadata=metadata,
        )
        return await self.pay(session.checkout_url, card=card)

    async def advance(
        self,
        duration: timedelta | None = None,
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> None:
        """Move the clock on, and bring about all that comes due: short for `Clock.advance`.

        Args:
            duration: How far; added to the others.
            days: Days to add.
            hours: Hours to add.
            minutes: Minutes to add.
            seconds: Seconds to add.

        Raises:
            ValueError: Time cannot go back.
        """
        await self.clock.advance(duration, days=days, hours=hours, minutes=minutes, seconds=seconds)

    def catch_up(self) -> None:
        """Bring about what has come due, because time has passed by itself.

        Each request does so first; the clock's ``advance`` leaves nothing to catch up.
        """
        self._timeline.catch_up()

    async def run_until(self, until: Callable[[], datetime]) -> None:
        """Move the clock on, from the event loop that the deliveries are sent from."""
        await self._timeline.run_until(until)

    def add_webhook(
        self,
        url: str,
        *,
        secret: str | None = None,
        signed: bool = True,
        tries: int = 5,
        enabled: bool = True,
        app: ASGIApp | None = None,
        beyond_loopback: bool = False,
    ) -> Webhook:
        """Send every event to *url* from now on.

        Args:
            url: http or https, on ``localhost`` or a loopback address unless *beyond_loopback*.
            secret: The key of the signature, at least 16 characters; None for a random one of 28.
            signed: Whether deliveries carry a ``Signature``.
            tries: How many attempts a delivery has, 1 to 5: the second comes 10 s after the first,
                and the others 100, 1,000 and 10,000 s after the one before.
            enabled: Whether it gets events.
            app: An ASGI application that takes the deliveries in process instead of a socket.
            beyond_loopback: Whether *url* may be on another machine.

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
            beyond_loopback=beyond_loopback,
            **given,
        )
        webhooks[webhook.id] = webhook
        return webhook

    def world(self, name: str) -> Sandbox:
        """Return the sandbox below ``/worlds/<name>/``, which is made if there is none.

        A world begins with the seeded store and the machine's time. The token of a world follows
        from this sandbox's token and from the name; so does the seed, and chance differs from
        world to world.

        Args:
            name: 1 to 64 letters and digits of ASCII, dots, hyphens and underscores; the first is
                a letter or a digit.

        Raises:
            WorldError: *name* is something else, or there are as many worlds as there may be.
        """
        return self.worlds.use(name)

    @property
    def base_url(self) -> str:
        """The API's address; has a port while the sandbox is served."""
        return f"{self._server.origin}{self._root}{BASE_PATH}"

    def __repr__(self) -> str:
        if not hasattr(self, "clock"):  # a sandbox whose options were refused, in a traceback
            return "<Sandbox>"
        return f"<Sandbox seed={self.seed!r} at {self.clock.now():%Y-%m-%d %H:%M:%S} UTC>"

    async def delivered(self) -> None:
        """Wait until no delivery is under way; a retry that is not due yet does not count.

        A receiver has 3 s for each delivery. In process only: for a served sandbox use
        `Served.delivered`.
        """
        await self._backend.courier.delivered()

    async def aclose(self) -> None:
        """Give up the deliveries that are under way, and close the clients' connections."""
        await self._backend.courier.close()
        while self._connections:
            await self._connections.pop().aclose()
        for world in tuple(self.worlds.values()):
            await world.aclose()

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


def _store_of(state: Store | Mapping[str, Any] | None, now: datetime) -> Store:
    if isinstance(state, Store):
        return state
    store = seeded_store(now)
    if isinstance(state, Mapping):
        # Imported when changes are given: cattrs takes longer than the start of a sandbox.
        from rmz_async.sandbox.seed.given import apply

        apply(state, store)
    elif state is not None:
        raise TypeError(
            f"state must be a Store or a mapping of changes to the seeded one, not {state!r}"
        )
    return store
