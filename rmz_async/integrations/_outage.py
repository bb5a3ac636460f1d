"""The answer to a request that failed because RMZ could not be asked."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime

from rmz_async.errors import (
    ConnectionFailedError,
    OutcomeUnknownError,
    RateLimitError,
    RMZError,
    ServerError,
    UnexpectedAnswerError,
)
from rmz_async.integrations._gate import RETRY_AFTER, Gate, Refusal
from rmz_async.operations import OPERATIONS, RetryRule
from rmz_async.paywall import Access, Reason

OUTAGES: tuple[type[RMZError], ...] = (
    ConnectionFailedError,
    OutcomeUnknownError,
    RateLimitError,
    ServerError,
    UnexpectedAnswerError,
)
"""The errors that say that RMZ could not be asked, or gave no answer of its own."""

_HARMLESS = frozenset(row.name for row in OPERATIONS if row.retry is RetryRule.HARMLESS)
_LOGGER = logging.getLogger("rmz_async.integrations")


def outage(error: Exception, accept_language: str) -> Refusal:
    """Return 503 with ``Retry-After``.

    Raises:
        OutcomeUnknownError: Something may have been changed, so that the caller must not send the
            request again.
    """
    if isinstance(error, OutcomeUnknownError) and error.operation not in _HARMLESS:
        raise error
    _LOGGER.warning("answered with 503: %s: %s", type(error).__name__, error)
    seconds = getattr(error, "retry_after", None) or RETRY_AFTER
    access = Access(
        granted=False,
        reason=Reason.UNAVAILABLE,
        checked_at=datetime.now(UTC),
        retry_after=math.ceil(seconds),
    )
    return Gate(()).refusal(access, {"accept-language": accept_language}, None)
