"""The client: it opens and closes connections, and has one attribute for each resource."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal, NoReturn, TypeVar

import attrs

from rmz_async._calls.clock import Clock
from rmz_async._calls.token import Tokens, TokenSource, as_secret
from rmz_async._http.base_url import Address, URLObject
from rmz_async._http.client import Connections, HTTPClient
from rmz_async._transport import Transport
from rmz_async.errors import ConfigurationError, OutcomeUnknownError
from rmz_async.observing import Observer
from rmz_async.options import (
    DEFAULT_PACING,
    DEFAULT_TIMEOUT,
    PRODUCTION_URL,
    Options,
    Pacing,
    RetryPolicy,
    Unchanged,
)
from rmz_async.plans import PlanCache, Plans
from rmz_async.resources._attribute import ResourceAttribute
from rmz_async.resources.categories import Categories
from rmz_async.resources.checkout_sessions import CheckoutSessions
from rmz_async.resources.orders import Orders
from rmz_async.resources.portal_sessions import PortalSessions
from rmz_async.resources.products import Products
from rmz_async.resources.store import OwnStore
from rmz_async.resources.subscriptions import Subscriptions

__all__ = ("Client",)


R = TypeVar("R")


def _resource(resource: Callable[[Transport], R]) -> ResourceAttribute[Client, R]:
    return ResourceAttribute(
        resource,
        lambda client: resource(client._transport),  # pyright: ignore[reportPrivateUsage] # the class is below
    )


class Client:
    """Calls the RMZ API, from any event loop that anyio knows.

    A new client works immediately, and many tasks may share it. Close it with ``async with`` or
    ``aclose()``.

    Args:
        token: The API token, or a callable, plain or async, that returns it. A callable is asked
            when the first call is made, and again after each 401. If left out, the environment
            variable ``RMZ_API_TOKEN``; if that is missing too, the first call raises
            `ConfigurationError`.
        base_url: The address of the API, with https, or with http on this machine. If left out, the
            environment variable ``RMZ_BASE_URL``, or else RMZ itself.
        timeout: Seconds for one call, with all its attempts and waits; 60 if left out.
        retry: How often a call may be attempted. Whether a call may be retried at all does not
            depend on this option, but on the call.
        pacing: How to keep within RMZ's requests a minute. None sends immediately, and RMZ may
            answer 429.
        http: An ``httpx.AsyncClient`` of your own, for its proxies, certificates, transport and
            event hooks; its headers, cookies, authentication and time-outs are not used. Your
            client stays open when this one closes. ``"aiohttp"`` means connections over aiohttp,
            which take less processor time, on asyncio only; install ``rmz[aiohttp]``.
        observer: Gets a record of each call and attempt; see :mod:`rmz_async.observing`.
        send_token_unencrypted: Allow a *base_url* with http on another machine, such as a sandbox
            in another container. Everyone on the way can read the token, and all data of
            customers.

    Attributes:
        checkout_sessions: Send customers to a page on which they pay.
        portal_sessions: Send customers to a page on which they manage their subscriptions.
        subscriptions: Read and change subscriptions.
        orders: Make orders on behalf of customers, read them, and move them on.
        products: Read what the store sells.
        categories: Read the categories of products.
        store: Read the store, and its statistics.

    Raises:
        ConfigurationError: An option breaks a rule; the message names both.
    """

    checkout_sessions: ResourceAttribute[Client, CheckoutSessions] = _resource(CheckoutSessions)
    portal_sessions: ResourceAttribute[Client, PortalSessions] = _resource(PortalSessions)
    subscriptions: ResourceAttribute[Client, Subscriptions] = _resource(Subscriptions)
    orders: ResourceAttribute[Client, Orders] = _resource(Orders)
    products: ResourceAttribute[Client, Products] = _resource(Products)
    categories: ResourceAttribute[Client, Categories] = _resource(Categories)
    store: ResourceAttribute[Client, OwnStore] = _resource(OwnStore)

    def __init__(
        self,
        token: TokenSource | None = None,
        *,
        base_url: str | URLObject | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        retry: RetryPolicy | None = None,
        pacing: Pacing | None = DEFAULT_PACING,
        http: HTTPClient | Literal["aiohttp"] | None = None,
        observer: Observer | None = None,
        send_token_unencrypted: bool = False,
        _clock: Clock | None = None,
    ) -> None:
        source = as_secret(token)
        address = Address(base_url, unencrypted=send_token_unencrypted)
        del token, base_url
        options = Options(
            base_url=address.checked(),
            timeout=timeout,
            retry=RetryPolicy() if retry is None else retry,
            pacing=pacing,
        )
        tokens = Tokens(source)
        if tokens.is_of_sandbox and options.base_url == PRODUCTION_URL:
            raise ConfigurationError(
                "token: is a sandbox's, which RMZ itself does not know; set RMZ_BASE_URL as the "
                "sandbox has printed it, or pass base_url=…"
            )
        transport = Transport(Connections(tokens, http), options, _clock, observer)
        self._plans = PlanCache()
        self._use(transport, owns_connections=True)

    def _use(self, transport: Transport, *, owns_connections: bool) -> None:
        self._transport = transport
        self._owns_connections = owns_connections

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        pacing: Pacing | Unchanged | None = Unchanged.UNCHANGED,
    ) -> Client:
        """Return a copy that works over the same connections.

        Args:
            timeout: Seconds for one call; this client's if left out.
            retry: How often a call may be attempted; as this client does if left out.
            pacing: How to keep within RMZ's requests a minute; None to send immediately. As this
                client does if left out.

        Returns:
            A client that is closed together with this one, and need not be closed itself.
        """
        current = self._transport.options
        options = attrs.evolve(
            current,
            timeout=current.timeout if timeout is None else timeout,
            retry=current.retry if retry is None else retry,
            pacing=current.pacing if isinstance(pacing, Unchanged) else pacing,
        )
        copy = object.__new__(type(self))
        copy._plans = self._plans
        copy._use(self._transport.with_options(options), owns_connections=False)
        return copy

    async def plans(self, *, max_age: float = 600.0) -> Plans:
        """Read the store's plans, so that they can be named: ``plans["pro-plan", "annually"]``.

        This costs one request for each 15 products, and one for each product that is sold by
        subscription. The client keeps the plans, and its copies share them. Tasks that ask at the
        same time share one reading.

        Args:
            max_age: The greatest age of plans that were read before, in seconds; 0 reads them
                again. At most 86,400, which is a day.

        Returns:
            All plans of the store.

        Raises:
            ConfigurationError: *max_age* is below 0 or above 86,400.
            RMZError: A page or a product could not be read.
        """
        return await self._plans.plans(self.products, self._transport.clock, max_age)

    async def resolve(self, error: OutcomeUnknownError) -> Any:
        """Find out what became of a call whose outcome is unknown.

        If the call changes an object, that object is read back. The change counts as not applied
        only a minute and ``RetryPolicy.replica_lag`` after the last attempt, because until then RMZ
        may still be processing it, or may read from a replica that lags. A session is created
        again, and so is an order as long as RMZ recognizes it as the same one. An extension can be
        found only if the call got the subscription that had been read before, and not its id.

        Args:
            error: The error, from a client of the same store.

        Returns:
            The result that the call would have returned: the call was applied.

        Raises:
            ConnectionFailedError: The call was not applied, and a retry is safe.
            OutcomeUnknownError: The outcome is still unknown; this very error, or for an order or a
                session a new one.
            ConfigurationError: The error was pickled or copied, or the client was closed, or it has
                another base URL.
        """
        return await self._transport.resolve(error)

    async def aclose(self) -> None:
        """Close the connections; calling it again does nothing."""
        if self._owns_connections:
            await self._transport.aclose()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        # A traceback with variables shows a client whose options were refused, too.
        transport = getattr(self, "_transport", None)
        return "<Client>" if transport is None else f"<Client of {transport.options.base_url}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds a token and connections: it cannot be pickled or copied")
