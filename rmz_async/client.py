"""The client: it opens and closes connections, and has one attribute for each resource."""

from __future__ import annotations

from types import TracebackType
from typing import Literal, NoReturn

import attrs

from rmz_async._calls.token import Tokens, TokenSource, concealed
from rmz_async._http.base_url import Address, URLObject
from rmz_async._http.client import Connections, HTTPClient
from rmz_async._transport import Transport
from rmz_async.options import (
    DEFAULT_PACING,
    DEFAULT_TIMEOUT,
    Options,
    Pacing,
    RetryPolicy,
    Unchanged,
)

__all__ = ("Client",)


class Client:
    """Calls the RMZ API, from any event loop that anyio knows.

    It works at once, and many tasks may share it. Close it with ``async with`` or ``aclose()``.

    Args:
        token: The API token, or a callable, plain or async, that returns it. A callable is asked
            when the first call is made, and once more after each 401. ``RMZ_API_TOKEN`` where left
            out.
        base_url: Https, or http to this machine. ``RMZ_BASE_URL`` where left out, else
            production's.
        timeout: Seconds for one call, over all its tries; 60 where left out.
        retry: How often a call may be tried; whether it may at all is a property of the call.
        pacing: How to keep within RMZ's requests a minute; None for sending at once and leaving
            that to RMZ.
        http: An ``httpx.AsyncClient`` of your own, for its proxies, certificates, transport and
            event hooks; its headers, cookies, authentication and time-outs are not used. It stays
            open when this client closes. Or ``"aiohttp"``, for connections over aiohttp, which are
            faster, on asyncio only; install ``rmz[aiohttp]``.

    Attributes:
        checkout_sessions: Send customers to a page on which they pay.
        portal_sessions: Send customers to a page on which they manage their subscriptions.
        subscriptions: Read and change subscriptions.
        orders: Make orders on behalf of customers, read them, and move them on.
        products: Read what the store sells.
        categories: Read the shelves of the shop.
        store: Read the store itself, and its numbers.

    Raises:
        ConfigurationError: An option breaks a rule; the message names both.
    """

    def __init__(
        self,
        token: TokenSource | None = None,
        *,
        base_url: str | URLObject | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        retry: RetryPolicy | None = None,
        pacing: Pacing | None = DEFAULT_PACING,
        http: HTTPClient | Literal["aiohttp"] | None = None,
    ) -> None:
        source, address = concealed(token), Address(base_url)
        del token, base_url
        options = Options(
            base_url=address.checked(),
            timeout=timeout,
            retry=RetryPolicy() if retry is None else retry,
            pacing=pacing,
        )
        self._use(Transport(Connections(Tokens(source), http), options), owns_connections=True)

    def _use(self, transport: Transport, *, owns_connections: bool) -> None:
        # Here, for they bring all models: who only verifies webhooks does not wait for them.
        from rmz_async.resources.categories import Categories
        from rmz_async.resources.checkout_sessions import CheckoutSessions
        from rmz_async.resources.orders import Orders
        from rmz_async.resources.portal_sessions import PortalSessions
        from rmz_async.resources.products import Products
        from rmz_async.resources.store import OwnStore
        from rmz_async.resources.subscriptions import Subscriptions

        self._transport = transport
        self._owns_connections = owns_connections
        self.checkout_sessions: CheckoutSessions = CheckoutSessions(transport)
        self.portal_sessions: PortalSessions = PortalSessions(transport)
        self.subscriptions: Subscriptions = Subscriptions(transport)
        self.orders: Orders = Orders(transport)
        self.products: Products = Products(transport)
        self.categories: Categories = Categories(transport)
        self.store: OwnStore = OwnStore(transport)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        pacing: Pacing | Unchanged | None = Unchanged.UNCHANGED,
    ) -> Client:
        """Return a copy that works over the same connections.

        Args:
            timeout: Seconds for one call; this client's where left out.
            retry: How often a call may be tried; as this client does where left out.
            pacing: How to keep within RMZ's requests a minute; None for sending at once. As this
                client does where left out.

        Returns:
            A client that need not be closed, and that ends with this one.
        """
        current = self._transport.options
        options = attrs.evolve(
            current,
            timeout=current.timeout if timeout is None else timeout,
            retry=current.retry if retry is None else retry,
            pacing=current.pacing if isinstance(pacing, Unchanged) else pacing,
        )
        copy = object.__new__(type(self))
        copy._use(self._transport.with_options(options), owns_connections=False)
        return copy

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
