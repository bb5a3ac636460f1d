"""Pure: what a client may still report as unknown, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rmz_async.operations import RetryRule
from tests.faults.faults import Leaves, Position

if TYPE_CHECKING:
    from tests.faults.matrix import Case


def may_be_lost(case: Case) -> bool:
    """Say whether RMZ's own answer may not reach the client, though the fault lets it through."""
    hook = case.lane.hook
    if hook is not None and hook.spoils:
        return True
    # aiohttp gives up an answer in whose segment something follows that is no HTTP.
    return case.lane.http == "aiohttp" and case.fault.kind.name == "stray-garbage"


def reason_for_unknown(case: Case) -> str | None:
    """Return why "unknown" is all that a client can report of a change; None if it is not."""
    kind, position = case.fault.kind, case.fault.position
    if may_be_lost(case):
        return "the caller's own hook, or aiohttp, loses RMZ's answer"
    if kind.leaves in (Leaves.ANSWER, Leaves.CERTAINTY):
        return None
    if not case.lane.believes:
        return "reads lag, clocks differ, or the customer undoes it"
    if kind.silent and case.lane.hook is not None and case.lane.hook.waits:
        return "a silent attempt and the caller's own slow hook use the time up"
    if position in (Position.LATE, Position.LATER) and not (
        case.subject.is_read_back and position is Position.LATE
    ):
        return "RMZ carries it out after the last look at it"
    if case.subject.is_read_back:
        return _of_read_back(case)
    return _of_others(case)


def _of_read_back(case: Case) -> str | None:
    if case.reads_fail:
        return "the fault hits what is read back, too"
    if case.fault.position in (Position.AFTER, Position.LATE):
        return None
    return _of_resent(case, attempts=1)


def _of_others(case: Case) -> str | None:
    rule = case.subject.operation.retry
    return _of_resent(case, attempts=2 if rule is RetryRule.DEDUPED else 1)


def _of_resent(case: Case, *, attempts: int) -> str | None:
    row, kind = case.subject.operation, case.fault.kind
    if kind.leaves is Leaves.STRANGE:
        return "a retry would bring the same strange answer"
    if row.retry is not RetryRule.HARMLESS and row.resend_within == 0:
        return "the call is never sent again"
    if kind.silent and attempts > 1:
        return "the time is over" if case.tries != "first" else None
    hit = {"first": 1, "two": 2, "all": 99}[case.tries]
    return None if hit <= attempts else "the fault hits each attempt that there may be"
