"""The only place in which a test reaches private parts: their names stand here, once."""

from __future__ import annotations

from typing import Any, cast

import rmz_async
import rmz_sync
from rmz_async._calls.clock import Clock
from rmz_async._calls.retry import Budget
from rmz_async._calls.token import Tokens
from rmz_async._http.client import Connections, LoopState
from rmz_async._transport import Transport

AnyClient = rmz_async.Client | rmz_sync.Client

__all__ = (
    "AnyClient",
    "Clock",
    "async_client",
    "budget_of",
    "clock_of",
    "connections_of",
    "pool_of",
    "set_clock",
    "sync_client",
    "tokens_of",
    "transport_of",
)


def async_client(clock: Clock, token: Any = None, **options: Any) -> rmz_async.Client:
    """Make a client whose time, sleep and chance are *clock*'s."""
    return rmz_async.Client(token, _clock=clock, **options)


def sync_client(clock: Clock, token: Any = None, **options: Any) -> rmz_sync.Client:
    """Make the same for code that cannot await."""
    return rmz_sync.Client(token, _clock=clock, **options)


def transport_of(client: AnyClient) -> Transport:
    """Return the transport below a client of either package."""
    wrapped = client._wrapped if isinstance(client, rmz_sync.Client) else client
    return wrapped._transport


def connections_of(client: AnyClient) -> Connections:
    """Return the connections that all copies of a client share."""
    return transport_of(client).connections


def pool_of(client: AnyClient) -> Any:
    """Return the pool of the running event loop; None if the caller's own client has it."""
    state: LoopState = connections_of(client).open()
    return cast("Any", state.pool)


def tokens_of(client: AnyClient) -> Tokens:
    """Return what holds a client's token."""
    return connections_of(client).tokens


def budget_of(client: AnyClient) -> Budget:
    """Return the retries that a client has left."""
    return transport_of(client).budget


def clock_of(client: AnyClient) -> Clock:
    """Return a client's clock."""
    return transport_of(client).clock


def set_clock(client: AnyClient, clock: Clock) -> None:
    """Let the calls that a client makes from now on live in another time."""
    transport_of(client).clock = clock
