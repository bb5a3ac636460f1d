"""The client for code that cannot await: the async client, in a thread with an event loop."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Literal, NoReturn, cast

import rmz_async
from rmz_async._calls.clock import Clock
from rmz_async._calls.token import TokenSource, as_secret
from rmz_async._http.base_url import Address, URLObject
from rmz_async._http.client import HTTPClient
from rmz_async.errors import OutcomeUnknownError
from rmz_async.observing import Observer
from rmz_async.options import DEFAULT_PACING, DEFAULT_TIMEOUT, Pacing, RetryPolicy, Unchanged
from rmz_async.plans import Plans
from rmz_sync import _preloaded  # noqa: F401 # pyright: ignore[reportUnusedImport] # for what it imports
from rmz_sync._cut_off import WrappedClient
from rmz_sync._portal import Portal
from rmz_sync.resources.declared import Resources

__all__ = ("Client",)


class Client(Resources):
    """Calls the RMZ API and waits for the answer.

    A new client works immediately, and many threads may share it. Its connections live in a thread
    of its own, which starts with the first call. Close it with ``with`` or ``close()``; leaving
    Python without that is no harm. A process that forks may use it on both sides: the child opens
    connections of its own.

    Ctrl-C cancels the call. A call sees the context variables of its caller, and none of its
    thread-local ones.

    Inside a running event loop, a notebook's for instance, it works too, but the whole loop
    **stands still** until the answer is there. In async code, use ``rmz_async``.

    Args:
        token: The API token, or a callable, plain or async, that returns it. A callable is asked
            when the first call is made, and again after each 401; it runs in the client's
            thread, and must not use this client. If left out, the environment variable
            ``RMZ_API_TOKEN``.
        base_url: The address of the API, with https, or with http on this machine. If left out, the
            environment variable ``RMZ_BASE_URL``, or else RMZ itself.
        timeout: Seconds for one call, with all its attempts and waits; 60 if left out.
        retry: How often a call may be attempted. Whether a call may be retried at all does not
            depend on this option, but on the call.
        pacing: How to keep within RMZ's requests a minute. None sends immediately, and RMZ may
            answer 429.
        http: An ``httpx.AsyncClient`` of your own, for its proxies, certificates, transport and
            event hooks; its headers, cookies, authentication and time-outs are not used. Your
            client works in this client's thread only and does not survive a fork. Unlike in
            ``rmz_async``, it is closed with this client, because no other thread could close it.
            ``"aiohttp"`` means connections over aiohttp, which take less processor time; install
            ``rmz[aiohttp]``.
        observer: Gets a record of each call and attempt, in the client's thread; see
            :mod:`rmz_async.observing`.
        send_token_unencrypted: Allow a *base_url* with http on another machine, such as a sandbox
            in another container. Everyone on the way can read the token, and all data of
            customers.

    The attributes are those of ``rmz_async.Client``: ``subscriptions``, ``orders`` and the others.

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
        observer: Observer | None = None,
        send_token_unencrypted: bool = False,
        _clock: Clock | None = None,
    ) -> None:
        source, address = as_secret(token), Address(base_url)
        del token, base_url
        wrapped = WrappedClient(
            cast("TokenSource | None", source),
            base_url=cast("str", address),
            timeout=timeout,
            retry=retry,
            pacing=pacing,
            http=http,
            observer=observer,
            send_token_unencrypted=send_token_unencrypted,
            _clock=_clock,
        )

        # A function and not a method: the thread, which refers to it, would keep the client alive.
        async def finish() -> None:
            await wrapped.aclose()
            if http is not None and http != "aiohttp":
                await http.aclose()

        self._use(wrapped, Portal(finish), owns_portal=True)

    def _use(self, wrapped: rmz_async.Client, portal: Portal, *, owns_portal: bool) -> None:
        self._wrapped = wrapped
        self._portal = portal
        self._owns_portal = owns_portal

    def with_options(
        self,
        *,
        timeout: float | None = None,
        retry: RetryPolicy | None = None,
        pacing: Pacing | Unchanged | None = Unchanged.UNCHANGED,
    ) -> Client:
        """Return a copy that works over the same connections, in the same thread.

        Args:
            timeout: Seconds for one call; this client's if left out.
            retry: How often a call may be attempted; as this client does if left out.
            pacing: How to keep within RMZ's requests a minute; None to send immediately. As this
                client does if left out.

        Returns:
            A client that is closed together with this one, and need not be closed itself.
        """
        copy = object.__new__(type(self))
        wrapped = self._wrapped.with_options(timeout=timeout, retry=retry, pacing=pacing)
        copy._use(wrapped, self._portal, owns_portal=False)
        return copy

    def plans(self, *, max_age: float = 600.0) -> Plans:
        """Read the store's plans, so that they can be named: ``plans["pro-plan", "annually"]``.

        This costs one request for each 15 products, and one for each product that is sold by
        subscription. The client keeps the plans, and its copies share them. Threads that ask at the
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
        return self._portal.run(self._wrapped.plans, max_age=max_age)

    def resolve(self, error: OutcomeUnknownError) -> Any:
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
        return self._portal.run(self._wrapped.resolve, error)

    def close(self) -> None:
        """Close the connections; calling it again does nothing.

        Calls that run in other threads are cut off there: what may have been applied with
        ``OutcomeUnknownError``, all else with ``ConnectionFailedError``.

        Raises:
            ConfigurationError: This method was called from the client's own thread.
        """
        if self._owns_portal:
            self._portal.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        # A traceback with variables shows a client whose options were refused, too.
        wrapped = getattr(self, "_wrapped", None)
        return "<Client>" if wrapped is None else repr(wrapped)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds a token and connections: it cannot be pickled or copied")
