"""What a caller may set: how long a call may take, and how often it may be tried."""

from __future__ import annotations

import math
import os
from enum import Enum
from typing import Any

import attrs

from rmz_async.errors import ConfigurationError
from rmz_async.pacing import Pacing

__all__ = (
    "DEFAULT_PACING",
    "DEFAULT_TIMEOUT",
    "PRODUCTION_URL",
    "Options",
    "RetryPolicy",
    "Unchanged",
)

PRODUCTION_URL = "https://merchant-api.rmz.gg/shawarma"
DEFAULT_TIMEOUT = 60.0
DEFAULT_PACING = Pacing()


def _positive(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    # NaN compares false with everything, so it is refused here too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigurationError(f"{attribute.name}: must be a finite number of seconds above 0")


def _at_least_one(_: object, attribute: attrs.Attribute[int], value: object) -> None:
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{attribute.name}: must be an integer of 1 or more")


def _yes_or_no(_: object, attribute: attrs.Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name}: must be True or False")


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often a call may be tried, and how long to wait between two tries.

    Whether a call may be tried again at all is a property of the call and not of this policy: see
    :mod:`rmz_async.operations`. All times are in seconds.

    Attributes:
        max_attempts: Tries of one call, the first included; 1 or more.
        backoff: The wait before try *n* + 1 is a random part of ``backoff * 2 ** (n - 1)``.
        max_backoff: The longest such wait.
        attempt_timeout: How long one try may take before the next one begins.
        repeat_sessions: Whether a checkout or portal session is asked for once more where no
            trustworthy answer came back; the first one, if there is one, ends by itself.
    """

    max_attempts: int = attrs.field(default=3, validator=_at_least_one)
    backoff: float = attrs.field(default=0.5, validator=_positive)
    max_backoff: float = attrs.field(default=8.0, validator=_positive)
    attempt_timeout: float = attrs.field(default=30.0, validator=_positive)
    repeat_sessions: bool = attrs.field(default=True, validator=_yes_or_no)


def _a_policy(_: object, attribute: attrs.Attribute[RetryPolicy], value: object) -> None:
    if not isinstance(value, RetryPolicy):
        raise ConfigurationError(f"{attribute.name}: must be a RetryPolicy")


def _pacing_or_none(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if value is not None and not isinstance(value, Pacing):
        raise ConfigurationError(f"{attribute.name}: must be a Pacing or None")


class Unchanged(Enum):
    """Stands for what an option is already, where None is a choice of its own."""

    UNCHANGED = "unchanged"


@attrs.frozen(kw_only=True)
class Options:
    """What a client was told, beside its token and its connections.

    Attributes:
        base_url: The API's address without a trailing slash.
        timeout: Seconds for one call, over all its tries.
        retry: How often a call may be tried.
        pacing: How to keep within RMZ's requests a minute; None for sending at once.
    """

    base_url: str
    timeout: float = attrs.field(default=DEFAULT_TIMEOUT, validator=_positive)
    retry: RetryPolicy = attrs.field(factory=RetryPolicy, validator=_a_policy)
    pacing: Pacing | None = attrs.field(default=DEFAULT_PACING, validator=_pacing_or_none)


def base_url_or_default(base_url: str | None) -> str:
    """Return *base_url*, or ``RMZ_BASE_URL``, or production's."""
    if base_url is not None:
        return base_url
    return os.environ.get("RMZ_BASE_URL") or PRODUCTION_URL
