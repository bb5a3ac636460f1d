"""Pure decisions: what a failure means, and what to do next.

Nothing here waits, sends or reads a clock.
"""

from __future__ import annotations

import math
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import attrs

from rmz_async.operations import Operation, Reaction, Repeat
from rmz_async.options import RetryPolicy

# The shortest wait after a 429 that names none.
REFUSED_WAIT = 1.0

# For what RMZ's clock is put right by meanwhile. With more, a change that somebody else made before
# a call would be taken for its own.
CLOCK_STEP = 2


class Failure(Enum):
    """What a failed try says about the call."""

    NOT_SENT = auto()
    """It surely did not reach RMZ, and another try may."""
    NEVER_SENT = auto()
    """It surely did not reach RMZ, and no other try will: an untrusted certificate, or no turn."""
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


class Evidence(Enum):
    """What an object that was read back says about the change."""

    APPLIED = auto()
    """It is as it was to become, and was not so before the call."""
    NOT_APPLIED = auto()
    """Nothing has changed it since the call was sent. The call may still be at work."""
    UNCLEAR = auto()
    """Something else may have changed it, or it does not tell."""
    UNREAD = auto()
    """It could not be read."""


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
        failures: What the tries before the current one ended in.
        first_sent: When the first try began that may have been applied; seconds, monotonic.
        last_sent: The same of the last one.
        sent_at: When the first one began, on the calendar; UTC.
        answered_at: RMZ's own clock at its answer, if it said so; UTC.
        under_way: Whether a request may be at work, of which nothing is known yet.
        next_slot_in: Seconds until the next slot, if the latest answer closed the quota.
    """

    attempts: int = 0
    failures: list[Failure] = attrs.field(factory=list[Failure])
    first_sent: float | None = None
    last_sent: float | None = None
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    under_way: bool = False
    next_slot_in: float | None = None

    def note_sending(self, now: float, today: datetime) -> None:
        """Note that a request goes out; what surely did nothing before it is forgotten."""
        self.last_sent, self.under_way = now, True
        if not self.ambiguous:
            self.first_sent, self.sent_at = now, today

    def note_failure(self, failure: Failure) -> None:
        """Note what the current try has ended in."""
        self.failures.append(failure)
        self.under_way = False

    @property
    def ambiguous(self) -> bool:
        """Whether an earlier try may have been applied."""
        return Failure.AMBIGUOUS in self.failures or Failure.UNREADABLE in self.failures


def reaction(operation: Operation, failure: Failure) -> Reaction:
    """Say what the call's rule wants after *failure*."""
    rule = operation.repeat
    return {
        Failure.NOT_SENT: rule.not_sent,
        Failure.AMBIGUOUS: rule.ambiguous,
        Failure.THROTTLED: rule.throttled,
        Failure.REFUSED: rule.refused,
    }.get(failure, rule.final)


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
        operation: The call; its ``repeat`` decides.
        failure: What the current try ended in.
        history: The current try included.
        policy: How often a call may be tried.
        can_settle: Whether there is a way to see that the call was applied.
    """
    wanted = reaction(operation, failure)
    # Looked at anew before each try: meanwhile the customer may have undone what the first one did.
    unsettled = operation.repeat is Repeat.SETTLE and history.ambiguous
    repeated = wanted is Reaction.REPEAT or (
        wanted is Reaction.REPEAT_ONCE and failure not in history.failures
    )
    if operation.repeat is Repeat.HARMLESS and failure is Failure.AMBIGUOUS:
        repeated &= policy.repeat_sessions
    if repeated and history.attempts < policy.max_attempts and not unsettled:
        return Step.REPEAT
    to_be_read = wanted is Reaction.READ_BACK or failure is Failure.UNREADABLE
    return Step.SETTLE if can_settle and (to_be_read or history.ambiguous) else Step.RAISE


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
        and failure not in history.failures
        and history.attempts < policy.max_attempts
        and history.first_sent is not None
        and now < history.first_sent + operation.resend_within
    )


def may_be_by_another(operation: Operation, failure: Failure, history: History) -> bool:
    """Say whether what is there may be the work of another call alone.

    The guard against duplicates refuses an extension because an equal one was made just before.
    Where no earlier try of the call can have been that one, another caller's may.

    Args:
        operation: The call.
        failure: What its last try ended in.
        history: Its tries.
    """
    once = operation.repeat is Repeat.ONCE
    return once and failure is Failure.REFUSED and not history.ambiguous


def resend_until(operation: Operation, history: History) -> float:
    """Return when it is too late to send again what may have been applied.

    Args:
        operation: The call.
        history: Its tries so far, the last one included.

    Returns:
        Seconds, monotonic; infinity where that makes no difference.
    """
    if operation.resend_within == 0 or not history.ambiguous or history.first_sent is None:
        return math.inf
    return history.first_sent + operation.resend_within


def is_too_late(operation: Operation, history: History, at: float) -> bool:
    """Say whether RMZ may take what is sent again *at* that time for something new.

    Args:
        operation: The call.
        history: Its tries so far, the last one included.
        at: Seconds, monotonic.
    """
    return at >= resend_until(operation, history)


class Budget:
    """How many repeats a client has left: a server that is down must not be asked three times.

    Attributes:
        left: At most ``SIZE``.
    """

    SIZE = 10.0
    # Of ten calls that succeed at once, one may be repeated.
    EARNED = 0.1

    def __init__(self) -> None:
        self.left: float = self.SIZE

    def spend(self, failure: Failure) -> bool:
        """Take what a repeat costs after *failure*, if it is there."""
        # The throttle's own wait is obeyed and no storm; a time-out keeps the server busy.
        cost = {Failure.THROTTLED: 0.0, Failure.AMBIGUOUS: 2.0}.get(failure, 1.0)
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def earn(self) -> None:
        """Give a part of a repeat back, for a call that succeeded at once."""
        self.left = min(self.SIZE, self.left + self.EARNED)


def backoff(policy: RetryPolicy, attempts: int, draw: Callable[[], float]) -> float:
    """Return the seconds to wait after try number *attempts*: full jitter, doubling, capped."""
    # 2 ** 1024 is no float; the cap is reached long before 2 ** 32.
    ceiling = min(policy.max_backoff, policy.backoff * 2.0 ** min(attempts - 1, 32))
    return draw() * ceiling


def earliest(answered_at: datetime | None, elapsed: float) -> datetime | None:
    """Return the moment on RMZ's own clock before which a call cannot have been applied.

    Args:
        answered_at: RMZ's clock at a later answer, or None.
        elapsed: Seconds from the call to that answer.
    """
    if answered_at is None:
        return None
    return answered_at - timedelta(seconds=math.ceil(elapsed) + CLOCK_STEP)


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
    # An exception that is raised twice, as a caller's own transport may do, can be its own context.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
