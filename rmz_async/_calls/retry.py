"""Pure: what to do after a failed attempt.

Nothing here waits, sends or reads a clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from rmz_async._calls.outcome import AMBIGUOUS, Failed, Failure, History
from rmz_async.operations import Operation, Reaction, RetryRule
from rmz_async.options import RetryPolicy

# The shortest wait after a 429 that names none.
REFUSED_WAIT = 1.0

# A replica is known to have caught up only if it is asked this much later than it can lag.
LAG_MARGIN = 1.0

# Seconds between the first looks at an object that shows no change: most replicas lag less.
LOOK_AGAIN_AFTER = (1.0, 3.0)


class Step(Enum):
    """The next step after a failed attempt."""

    RETRY = auto()
    READ_BACK = auto()
    RAISE = auto()


class Decision:
    """The next step after a failed attempt, with its bounds.

    Attributes:
        step: The step itself.
        wait: Seconds to wait before that.
        may_resend: Whether the change may be sent again if it is seen not to have been applied.
        send_before: When a retry must have begun; seconds, monotonic.
    """

    def __init__(self, step: Step, wait: float, may_resend: bool, send_before: float) -> None:
        self.step: Final = step
        self.wait: Final = wait
        self.may_resend: Final = may_resend
        self.send_before: Final = send_before


def decide(
    operation: Operation,
    failed: Failed,
    history: History,
    policy: RetryPolicy,
    *,
    can_settle: bool,
    now: float,
    deadline: float,
    suspended: float,
    draw: Callable[[], float],
) -> Decision:
    """Return what to do after *failed*.

    Args:
        operation: The call; its rule decides.
        failed: The result of the current attempt.
        history: The current attempt is counted, and its failure is not yet noted.
        policy: How often a call may be attempted, and how long to wait.
        can_settle: Whether there is a way to see that the call was applied.
        now: Seconds, monotonic.
        deadline: When the call must be over; seconds, monotonic.
        suspended: Seconds since the first attempt for which the monotonic clock stood still.
        draw: Returns a random number from 0 to 1.
    """
    failure = failed.failure
    ambiguous = history.ambiguous or failure in AMBIGUOUS
    until = resend_until(operation, history, policy, ambiguous=ambiguous) - suspended
    send_before = min(deadline, until)
    wait = _wait(failed, history, policy, draw)
    step = _step(operation, failure, history, policy, can_settle=can_settle)
    if step is Step.RETRY and now + wait >= send_before:
        step = Step.RAISE
    return Decision(step, wait, _may_resend(operation, failure, history, policy), send_before)


def _step(
    operation: Operation,
    failure: Failure,
    history: History,
    policy: RetryPolicy,
    *,
    can_settle: bool,
) -> Step:
    wanted = reaction(operation, failure)
    # Read back before each retry: meanwhile the customer may have undone the first attempt.
    unsettled = operation.retry is RetryRule.SETTLE and history.ambiguous
    retried = wanted is Reaction.RETRY or (
        wanted is Reaction.RETRY_ONCE and failure not in history.failures
    )
    if operation.retry is RetryRule.HARMLESS and failure is Failure.AMBIGUOUS:
        retried &= policy.retry_sessions
    if retried and history.attempts < policy.max_attempts and not unsettled:
        return Step.RETRY
    to_be_read = wanted is Reaction.READ_BACK or failure is Failure.UNREADABLE
    return Step.READ_BACK if can_settle and (to_be_read or history.ambiguous) else Step.RAISE


def reaction(operation: Operation, failure: Failure) -> Reaction:
    """Return what the call's rule wants after *failure*."""
    rule = operation.retry
    return {
        Failure.NOT_SENT: rule.not_sent,
        Failure.AMBIGUOUS: rule.ambiguous,
        Failure.THROTTLED: rule.throttled,
        Failure.REFUSED: rule.refused,
    }.get(failure, rule.final)


def _may_resend(
    operation: Operation, failure: Failure, history: History, policy: RetryPolicy
) -> bool:
    return (
        operation.retry is RetryRule.SETTLE
        and operation.resend_within > 0
        and failure is Failure.AMBIGUOUS
        and failure not in history.failures
        and history.attempts < policy.max_attempts
    )


def _wait(
    failed: Failed, history: History, policy: RetryPolicy, draw: Callable[[], float]
) -> float:
    if failed.error is not None and failed.error.retry_after is not None:
        return max(failed.error.retry_after, history.next_slot_in or 0.0)
    wait = backoff(policy, history.attempts, draw)
    return max(wait, REFUSED_WAIT) if failed.failure is Failure.REFUSED else wait


def resend_until(
    operation: Operation, history: History, policy: RetryPolicy, *, ambiguous: bool
) -> float:
    """Return when it is too late to send again what may have been applied.

    Args:
        operation: The call.
        history: Its attempts so far.
        policy: Names how far a read may lag: that much later a change is seen not to be there.
        ambiguous: Whether an attempt may have been applied.

    Returns:
        Seconds, monotonic; infinity if the time makes no difference.
    """
    if operation.resend_within == 0 or not ambiguous or history.first_sent is None:
        return math.inf
    late = lag_of(policy) if operation.retry is RetryRule.SETTLE else 0.0
    return history.first_sent + operation.resend_within + late


def lag_of(policy: RetryPolicy) -> float:
    """Return how long after a write a read surely shows it, in seconds."""
    return policy.replica_lag + LAG_MARGIN if policy.replica_lag else 0.0


def caught_up_at(history: History, policy: RetryPolicy) -> float:
    """Return when each replica has caught up with the call's attempts; seconds, monotonic."""
    return -math.inf if history.last_ambiguous is None else history.last_ambiguous + lag_of(policy)


def next_look(
    looks: int,
    decision: Decision,
    history: History,
    policy: RetryPolicy,
    *,
    now: float,
    until: float,
) -> float | None:
    """Return in how many seconds to read an object again that shows no change.

    Args:
        looks: How often it was read.
        decision: The next step when it is seen that the change was not applied.
        history: The call's attempts so far.
        policy: Names how far a read may lag.
        now: Seconds, monotonic.
        until: When the last look must begin; seconds, monotonic.

    Returns:
        Seconds; None if no other look would show more in time.
    """
    if not policy.replica_lag or history.last_ambiguous is None:
        return None
    left = caught_up_at(history, policy) - now
    if looks <= len(LOOK_AGAIN_AFTER):
        wait = LOOK_AGAIN_AFTER[looks - 1]
        wait = min(wait, left) if left > 0 else wait
        return wait if now + wait < until else None
    # The full wait is worth its time only if the change may be sent again afterwards.
    return left if decision.may_resend and 0 < left < decision.send_before - now else None


class Budget:
    """The retries that a client has left: calls to a server that is down must not be tripled.

    Attributes:
        left: At most ``SIZE``.
    """

    SIZE = 10.0
    # Ten calls that succeed immediately earn one retry.
    EARNED = 0.1

    def __init__(self) -> None:
        self.left: float = self.SIZE

    def spend(self, failure: Failure) -> bool:
        """Take what a retry costs after *failure*, if it is there."""
        # The throttle's own wait is obeyed and no storm; a time-out keeps the server busy.
        cost = {Failure.THROTTLED: 0.0, Failure.AMBIGUOUS: 2.0}.get(failure, 1.0)
        if cost > self.left:
            return False
        self.left -= cost
        return True

    def earn(self) -> None:
        """Give a part of a retry back, for a call that succeeded immediately."""
        self.left = min(self.SIZE, self.left + self.EARNED)


def backoff(policy: RetryPolicy, attempts: int, draw: Callable[[], float]) -> float:
    """Return the seconds to wait after attempt number *attempts*: full jitter, doubling, capped."""
    # 2 ** 1024 is no float.
    ceiling = min(policy.max_backoff, policy.backoff * 2.0 ** min(attempts - 1, 1023))
    return draw() * ceiling
