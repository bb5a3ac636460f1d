"""Pure decisions: what a failure means, and what to do next.

Nothing here waits, sends or reads a clock.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import attrs

from rmz_async.operations import Operation, Repeat
from rmz_async.options import RetryPolicy

# The shortest wait after a 429 that names none.
REFUSED_WAIT = 1.0


class Failure(Enum):
    """What a failed try says about the call."""

    NOT_SENT = auto()
    """It surely did not reach RMZ, and another try may."""
    NEVER_SENT = auto()
    """It surely did not reach RMZ, and no other try will: a certificate that is not trusted."""
    AMBIGUOUS = auto()
    """It may have been applied."""
    UNREADABLE = auto()
    """An answer came that is not of the documented shape: another try would bring the same."""
    THROTTLED = auto()
    """RMZ's throttle refused it before it began."""
    REFUSED = auto()
    """Another 429: the duplicate guard, or a proxy."""
    CONFLICT = auto()
    """400, 409 or 422: after an ambiguous try it may be the echo of a success."""
    FINAL = auto()
    """Any other answer; it will not change."""


class Step(Enum):
    """What to do after a failed try."""

    REPEAT = auto()
    SETTLE = auto()
    RAISE = auto()


@attrs.define(eq=False, repr=False)
class History:
    """What happened to one call so far.

    Attributes:
        attempts: Tries, the current one included.
        ambiguous: Whether an earlier try may have been applied.
        first_sent: When the first try that could reach RMZ began; seconds, monotonic.
        sent_at: The same on the calendar; UTC.
    """

    attempts: int = 0
    ambiguous: bool = False
    first_sent: float | None = None
    sent_at: datetime | None = None


def next_step(
    operation: Operation,
    failure: Failure,
    history: History,
    policy: RetryPolicy,
    *,
    can_settle: bool,
) -> Step:
    """Say what to do after *failure*.

    Args:
        operation: The call; its ``repeat`` decides what an ambiguous failure allows.
        failure: What the current try ended in.
        history: The current try included.
        policy: How often a call may be tried.
        can_settle: Whether there is a way to see that the call was applied.
    """
    rule = operation.repeat
    tries_left = history.attempts < policy.max_attempts
    # Looked at anew before each try: meanwhile the customer may have undone what the first one did.
    unsettled = rule is Repeat.SETTLE and history.ambiguous
    match failure:
        case Failure.NOT_SENT:
            repeat = tries_left and not unsettled
        case Failure.THROTTLED:
            # For what must not happen twice, even this 429 may be the duplicate guard's.
            repeat = tries_left and not unsettled and rule is not Repeat.ONCE
        case Failure.REFUSED:
            repeat = tries_left and history.attempts == 1 and rule in (Repeat.SAFE, Repeat.HARMLESS)
        case Failure.AMBIGUOUS:
            repeat = tries_left and (
                rule in (Repeat.SAFE, Repeat.DEDUPED)
                or (rule is Repeat.HARMLESS and not history.ambiguous)
            )
        case _:
            repeat = False
    if repeat:
        return Step.REPEAT
    may_have_happened = failure in (Failure.AMBIGUOUS, Failure.UNREADABLE) or history.ambiguous
    return Step.SETTLE if may_have_happened and can_settle else Step.RAISE


def may_resend(
    operation: Operation, failure: Failure, history: History, policy: RetryPolicy, now: float
) -> bool:
    """Say whether a change may be sent again, now that it is seen not to have been applied.

    Args:
        operation: The call.
        failure: What its last try ended in.
        history: That try included.
        policy: How often a call may be tried.
        now: Seconds, monotonic.
    """
    return (
        operation.repeat is Repeat.SETTLE
        and failure is Failure.AMBIGUOUS
        and history.attempts < min(policy.max_attempts, 2)
        and history.first_sent is not None
        and operation.resend_within > 0
        and now - history.first_sent <= operation.resend_within
    )


def is_too_late(operation: Operation, history: History, at: float) -> bool:
    """Say whether RMZ may take what is sent again *at* that time for something new.

    Args:
        operation: The call.
        history: Its tries so far.
        at: Seconds, monotonic.
    """
    return (
        operation.repeat is Repeat.DEDUPED
        and history.ambiguous
        and history.first_sent is not None
        and at - history.first_sent > operation.resend_within
    )


def backoff(policy: RetryPolicy, attempts: int, draw: Callable[[], float]) -> float:
    """Return the seconds to wait after try number *attempts*: full jitter, doubling, capped."""
    # 2 ** 1024 is no float; the cap is reached long before 2 ** 32.
    ceiling = min(policy.max_backoff, policy.backoff * 2.0 ** min(attempts - 1, 32))
    return draw() * ceiling


def retry_after(value: str | None, now: float) -> float | None:
    """Read a ``Retry-After`` header: seconds, or an HTTP date.

    Args:
        value: The header, or None.
        now: Unix time, for a date.

    Returns:
        Seconds, 0 or more; None where the header is missing or makes no sense.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return float(value) if len(value) <= 9 else None
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    # An HTTP date is always GMT; one of its forms does not say so.
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


def is_certificate_error(error: BaseException | None) -> bool:
    """Say whether an untrusted certificate is behind *error*: no other try would help."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
