"""The options that a caller may set: retries, pacing, and how long a call may take."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import attrs

from rmz_async._frozen import frozen
from rmz_async.errors import ConfigurationError

__all__ = (
    "DEFAULT_PACING",
    "DEFAULT_TIMEOUT",
    "PRODUCTION_URL",
    "Options",
    "Pacing",
    "QuotaReport",
    "QuotaStore",
    "RetryPolicy",
    "Unchanged",
)

PRODUCTION_URL = "https://merchant-api.rmz.gg/shawarma"
DEFAULT_TIMEOUT = 60.0


def _positive(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    # NaN compares false with everything, so the comparison refuses it too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigurationError(f"{attribute.name}: must be a finite number of seconds above 0")


def _zero_or_more(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ConfigurationError(f"{attribute.name}: must be a finite number of seconds, 0 or more")


def _at_least_one(_: object, attribute: attrs.Attribute[int], value: object) -> None:
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{attribute.name}: must be an integer of 1 or more")


def _yes_or_no(_: object, attribute: attrs.Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name}: must be True or False")


@frozen(kw_only=True)
class RetryPolicy:
    """The number of attempts that a call may have, and the wait between two attempts.

    Whether a call may be retried at all is a property of the call and not of this policy: see
    :mod:`rmz_async.operations`. All times are in seconds.

    Attributes:
        max_attempts: Attempts of one call, the first included; 1 or more.
        backoff: The wait before attempt *n* + 1 is a random part of ``backoff * 2 ** (n - 1)``.
        max_backoff: The longest such wait.
        attempt_timeout: How long one attempt may take; then it has failed, and may be retried.
        retry_sessions: Whether a checkout or portal session is asked for again if no
            trustworthy answer came back; the first one, if there is one, ends by itself.
        replica_lag: How long after a change RMZ may still answer a read with the state before it.
            A change counts as not applied, and is sent again, only if it was read back later than
            that. 0 if RMZ is known to read its own writes.
    """

    max_attempts: int = attrs.field(default=3, validator=_at_least_one)
    backoff: float = attrs.field(default=0.5, validator=_positive)
    max_backoff: float = attrs.field(default=8.0, validator=_positive)
    attempt_timeout: float = attrs.field(default=30.0, validator=_positive)
    retry_sessions: bool = attrs.field(default=True, validator=_yes_or_no)
    replica_lag: float = attrs.field(default=30.0, validator=_zero_or_more)


@frozen(kw_only=True)
class QuotaReport:
    """RMZ's own figures about a quota, from the headers of one answer.

    Attributes:
        limit: RMZ's requests a minute, as the answer names them; 0 or more. None if it names none.
        remaining: How many requests are left in RMZ's present minute; 0 or more.
        closed_for: For how many seconds RMZ refuses everything; 0 or more.
    """

    limit: int | None = None
    remaining: int | None = None
    closed_for: float | None = None


@runtime_checkable
class QuotaStore(Protocol):
    """Counts requests for all clients that share it.

    Write one to share a token's quotas between processes. A store that has a clock of its own, on a
    server for instance, ignores each *now*, because the monotonic clocks of two machines have
    nothing in common. If a store cannot be reached, it should let requests pass: RMZ counts too.
    """

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """Record one request as sent now, if it may go.

        Args:
            key: The quota; it identifies a token without showing it.
            per_minute: The limit, unless RMZ named a lower one.
            now: Seconds, monotonic.
            ahead: How many others of this process go first. Above 0, nothing is recorded.

        Returns:
            0 or less if the request may go now; else the seconds until it is worth asking again.
        """
        ...

    async def forget(self, key: str, at: float) -> None:
        """Remove the request that was recorded at *at*, because it was not sent after all.

        Args:
            key: The quota.
            at: The *now* of its `reserve`; seconds, monotonic.
        """
        ...

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """Take over RMZ's figures from an answer.

        Args:
            key: The quota.
            per_minute: The limit, unless RMZ named a lower one.
            now: Seconds, monotonic.
            report: RMZ's figures.

        Returns:
            Whether a wait may have changed.
        """
        ...


def _a_store(_: object, attribute: attrs.Attribute[QuotaStore | None], value: object) -> None:
    # A class has the methods too, but no instance to call them on.
    if value is not None and (isinstance(value, type) or not isinstance(value, QuotaStore)):
        raise ConfigurationError(f"{attribute.name}: must have the methods of QuotaStore")


@frozen(kw_only=True)
class Pacing:
    """The waiting by which a client keeps RMZ's rate limit.

    A *slot* is the moment at which a request may be sent. As long as a minute has slots, requests
    go immediately. After that they wait, and go in the order in which they came. If RMZ's answers
    name a lower limit, that one holds. A higher one is not used, so a smaller number here leaves a
    share of the minute to others who use the same token.

    Attributes:
        per_minute: Requests in a minute, for all calls except ``subscriptions.lookup``.
        lookup_per_minute: The same for ``subscriptions.lookup``, which has a quota of its own.
        max_wait: The longest wait for a slot, in seconds. A call that would wait longer fails
            immediately, with nothing sent; 0 never waits.
        store: Counts the requests. Without one, each client counts its own; give clients that share
            a token the same store.
    """

    per_minute: int = attrs.field(default=60, validator=_at_least_one)
    lookup_per_minute: int = attrs.field(default=120, validator=_at_least_one)
    max_wait: float = attrs.field(default=60.0, validator=_zero_or_more)
    store: QuotaStore | None = attrs.field(default=None, validator=_a_store)


DEFAULT_PACING = Pacing()


def _a_policy(_: object, attribute: attrs.Attribute[RetryPolicy], value: object) -> None:
    if not isinstance(value, RetryPolicy):
        raise ConfigurationError(f"{attribute.name}: must be a RetryPolicy")


def _pacing_or_none(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, Pacing):
        raise ConfigurationError(f"{attribute.name}: must be a Pacing or None")


class Unchanged(Enum):
    """Stands for the present value of an option of which None is a value too."""

    UNCHANGED = "unchanged"


@frozen(kw_only=True)
class Options:
    """The options of a client, beside its token and its connections.

    Attributes:
        base_url: The API's address without a trailing slash.
        timeout: Seconds for one call, over all its attempts.
        retry: How often a call may be attempted.
        pacing: How to keep within RMZ's requests a minute; None sends immediately.
        answer_timeout: Seconds for one call from its first request on, without the wait for a slot;
            None for as long as *timeout* lasts.
    """

    base_url: str
    timeout: float = attrs.field(default=DEFAULT_TIMEOUT, validator=_positive)
    retry: RetryPolicy = attrs.field(factory=RetryPolicy, validator=_a_policy)
    pacing: Pacing | None = attrs.field(default=DEFAULT_PACING, validator=_pacing_or_none)
    answer_timeout: float | None = None
