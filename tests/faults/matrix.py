"""Every operation, meeting every fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import attrs

from rmz_async import OutcomeUnknownError, RMZError
from rmz_async._execution import SETTLE_GRACE, TIMEOUT_SLACK
from rmz_async.operations import RetryRule
from rmz_async.options import DEFAULT_TIMEOUT
from tests.faults.faults import FAULTS, Fault, Leaves, Position, Stage
from tests.faults.floors import may_be_lost, reason_for_unknown
from tests.faults.hooks import HookError
from tests.faults.judge import OFFENCES, Column, Finding, Tally, Verdict, column
from tests.faults.lanes import PATIENCE, Lane
from tests.faults.shop import Shop
from tests.faults.subjects import SUBJECTS, Subject
from tests.faults.timing import waited_for

TRIES = {"first": 1, "two": 2, "all": 99}
"""How many tries of a call the fault hits."""

_LONGER_PATIENCE = 1.0

# RMZ may be at work for a minute, and reads may lag; then "not applied" is final.
_AFTER_WORK = 92.0


@attrs.frozen
class Case:
    """A call that meets one fault.

    Attributes:
        tries: A name in ``TRIES``.
        reads_fail: Whether each read-back of the call meets the fault too.
    """

    subject: Subject
    fault: Fault
    tries: str
    reads_fail: bool
    lane: Lane

    @property
    def name(self) -> str:
        """The name by which it can be made again."""
        reads = "+reads" if self.reads_fail else ""
        return f"{self.subject.name}/{self.fault}/{self.tries}{reads}/{self.lane.name}"


def cases(lane: Lane) -> Iterator[Case]:
    """Return all cases of a lane."""
    for subject in SUBJECTS:
        for fault in FAULTS:
            if not (_is_played(subject, lane) and _can_be_judged(subject, fault, lane)):
                continue
            for tries in _tries(fault, lane):
                yield Case(subject, fault, tries, False, lane)
                if subject.is_read_back and fault.kind.stage is Stage.REQUEST:
                    yield Case(subject, fault, tries, True, lane)


def _is_played(subject: Subject, lane: Lane) -> bool:
    if lane.undone and subject.operation.retry is RetryRule.ONCE:
        return False  # No customer can take an extension back.
    return lane.believes or subject.settles


def _can_be_judged(subject: Subject, fault: Fault, lane: Lane) -> bool:
    if lane.undone and fault.position in (Position.LATE, Position.LATER):
        return False  # A first request that comes after the undoing is documented as a limit.
    if lane.name == "hook-raise-for-status" and fault.kind.name == "403-alien-json":
        return False  # The hook throws the body away, and the head is as RMZ's.
    if lane.hook is not None and lane.hook.spoils and fault.kind.warm:
        return False  # No connection has served before.
    # A read does not show whether it was carried out.
    return subject.changes or fault.position is fault.kind.positions[-1]


def _tries(fault: Fault, lane: Lane) -> tuple[str, ...]:
    if fault.kind.name == "no-fault":
        return ("first",)  # Then the call is over.
    # Silence costs real time, and a hook's lanes are many: the others show the same.
    return ("first", "all") if fault.kind.silent or lane.hook is not None else tuple(TRIES)


class CasePlan:
    """The fault of one case, at the attempts that it hits.

    A fault that comes before a request is read cannot know whether it is a read-back: it counts
    connections.
    """

    def __init__(self, case: Case) -> None:
        self.off = False
        self._case = case
        self._left = TRIES[case.tries]
        self._undo: Callable[[], bool] | None = None

    def on_connection(self) -> Fault | None:
        """See `Plan`."""
        return self._hit() if self._case.fault.kind.stage is Stage.CONNECTION else None

    def on_request(self, method: str) -> Fault | None:
        """See `Plan`."""
        if self._case.fault.kind.stage is not Stage.REQUEST:
            return None
        if method == "GET" and self._case.subject.changes:
            return self._case.fault if self._case.reads_fail and not self.off else None
        return self._hit()

    def begin(self, shop: Shop, target: Any) -> None:
        """Let RMZ behave as the lane says, now that the target is there."""
        lane, subject = self._case.lane, self._case.subject
        shop.behave(lane.replica_lag, lane.timestamp_skew, lane.updated_at_skew)
        if lane.undone:
            self._undo = partial(undo, shop, subject, target, shop.mark())

    def passing(self, when: str) -> None:
        """See `Plan`."""
        if when == "after" and self._undo is not None and self._undo():
            self._undo = None

    def _hit(self) -> Fault | None:
        if self.off or self._left == 0:
            return None
        self._left -= 1
        return self._case.fault


class Playing:
    """A case under way.

    Args:
        case: The case.
        shop: The shop that it is about.
        patience: Seconds that the client waits for an answer if the fault is silence.
    """

    def __init__(self, case: Case, shop: Shop, patience: float) -> None:
        self.case = case
        self.shop = shop
        self.patience = patience
        self.plan = CasePlan(case)
        self.line = shop.proxy.line(self.plan, listening=not self._closed)
        self._sleeps = 0

    @property
    def _closed(self) -> bool:
        return self.case.fault.kind.name == "closed-port"

    def on_sleep(self) -> None:
        """Open the port again, after so many attempts."""
        self._sleeps += 1
        if self._closed and self._sleeps == TRIES[self.case.tries]:
            self.line.listen()

    async def play(self, tally: Tally) -> None:
        """Make the call, and count what became of it."""
        case, shop = self.case, self.shop
        lane, kind = case.lane, case.fault.kind
        client = lane.client(
            shop.token,
            self.line.base_url,
            shop.timing.waiting(self.on_sleep),
            patience=self.patience if kind.silent else 30.0,
        )
        try:
            if kind.warm:
                self.plan.off = True
                await reported(lane, client.store.get)
                self.plan.off = False
            if kind.name == "idle-closed":
                self.line.close_idle()
            target = case.subject.prepare(shop)
            mark = shop.mark()
            self.plan.begin(shop, target)
            slept, seen = shop.timing.slept, len(self.line.seen)
            call = partial(reported, lane, partial(case.subject.call, client, target))
            (verdict, answer), waited = await waited_for(call)
            slept, seen = shop.timing.slept - slept, len(self.line.seen) - seen
            late = is_late(case, slept=slept, waited=waited, requests=seen)
            early = None
            if case.fault.position is Position.LATER and verdict is Verdict.UNKNOWN:
                # While it is still on its way: a report of now must hold when it has arrived.
                early = await self._resolved(client, answer)
            self.line.settle()
            injected = self.line.injected + int(self._closed)
            self._count(
                tally, case.subject.operation.name, verdict, answer, target, mark, injected, late
            )
            if early is not None:
                self._count(tally, RESOLVED, *early, target, mark, 0)
            if verdict is Verdict.UNKNOWN:
                self.plan.off = True
                self.line.listen()
                shop.timing.skip(_AFTER_WORK)
                resolved = await self._resolved(client, answer)
                self._count(tally, RESOLVED, *resolved, target, mark, 0)
            if kind.is_followed:
                self.plan.off = True
                target = case.subject.prepare(shop)
                mark = shop.mark()
                next_one = await reported(lane, partial(case.subject.call, client, target))
                self._count(tally, FOLLOWING, *next_one, target, mark, 0)
        finally:
            shop.behave()
            await lane.close(client)
            self.line.close()
            shop.forget()

    async def _resolved(self, client: Any, error: Any) -> tuple[Verdict, Any]:
        verdict, answer = await reported(self.case.lane, partial(client.resolve, error))
        # The error of the caller's own hook says nothing about the call.
        return (Verdict.UNKNOWN if isinstance(answer, HookError) else verdict), answer

    def _count(
        self,
        tally: Tally,
        row: str,
        verdict: Verdict,
        answer: Any,
        target: Any,
        mark: int,
        injected: int,
        late: bool = False,
    ) -> None:
        subject = self.case.subject
        effects = self.shop.effects(mark, subject.operation.name)
        wanted = subject.target_id(target)
        ours = [effect for effect in effects if wanted in (None, effect)]
        right = verdict is not Verdict.OK or bool(subject.right(answer, target, ours))
        found = Finding(
            verdict=verdict,
            changes=subject.changes,
            harmless=subject.harmless,
            applied=len(ours),
            right=right,
            forced=row is RESOLVED or self._forced is not None,
            answered=row is not RESOLVED and self._is_answered,
            late=late,
        )
        where = column(found)
        tally.add(row, self.case.name, where, injected, said(verdict, answer, ours))
        if row not in (RESOLVED, FOLLOWING):
            if subject.changes:
                self._note_share(tally, verdict)
            tally.notes[f"cases on {self.case.lane.name}"] += 1
            if injected == 0 and not isinstance(answer, HookError):
                tally.offenders.append((self.case.name, "no fault was injected"))
            if subject.harmless and len(ours) > 1:
                tally.notes["sessions made beside the one returned"] += len(ours) - 1

    @property
    def _forced(self) -> str | None:
        return reason_for_unknown(self.case)

    @property
    def _is_answered(self) -> bool:
        leaves = self.case.fault.kind.leaves
        return leaves is Leaves.ANSWER and not may_be_lost(self.case)

    def _note_share(self, tally: Tally, verdict: Verdict) -> None:
        share = tally.shares.setdefault(self.case.fault.kind.name, Counter())
        share["calls"] += 1
        share["unknown"] += verdict is Verdict.UNKNOWN
        if self._forced is not None:
            share["forced"] += 1
            share[f"because {self._forced}"] += 1


RESOLVED = "resolve() of what was unknown"
FOLLOWING = "the call after stray bytes"

# Seconds: a machine that is busy with other things is no fault of the client's.
_BUSY = 5.0

# Seconds that a request may take if no answer comes, with the connection and the time to notice.
_SILENT = 3 * PATIENCE + TIMEOUT_SLACK


def is_late(case: Case, *, slept: float, waited: float, requests: int) -> bool:
    """Say whether a call was over later than it may be.

    Args:
        case: The call, and what it met.
        slept: The seconds of the test's time for which the client slept.
        waited: The machine's seconds for which it was waited for.
        requests: How many requests of it arrived.
    """
    if case.lane.hook is not None and case.lane.hook.waits:
        return False
    deadline = DEFAULT_TIMEOUT + (SETTLE_GRACE if case.subject.is_read_back else 0.0)
    # Only silence takes time of the machine's.
    silence = (requests + 1) * _SILENT if case.fault.kind.silent else 0.0
    return slept > deadline or slept + waited > deadline + _BUSY or waited > silence + _BUSY


def undo(shop: Shop, subject: Subject, target: Any, mark: int) -> bool:
    """Do what a customer does who does not want the change; return whether it was there."""
    number = subject.target_id(target)
    if number is None or number not in shop.effects(mark, subject.operation.name):
        return False
    shop.restore(number)
    return True


async def reported(lane: Lane, work: Any) -> tuple[Verdict, Any]:
    """Make a call; return its report, and its result or exception."""
    try:
        return Verdict.OK, await lane.do(work)
    except HookError as error:
        return Verdict.FAILED, error
    except OutcomeUnknownError as error:
        return Verdict.UNKNOWN, error
    except RMZError as error:
        return Verdict.FAILED, error
    except Exception as error:  # noqa: BLE001 - that there is none is part of the proof
        return Verdict.BROKEN, error


def said(verdict: Verdict, answer: Any, effects: list[int | str]) -> str:
    """Describe a call that must not be."""
    return f"{verdict.value}, {answer!r}, ledger {effects}"


async def play_all(chosen: list[Case], shop: Shop) -> Tally:
    """Play *chosen*, one after the other; all are of one lane."""
    tally = Tally()
    for case in chosen:
        of_case = Tally()
        await Playing(case, shop, PATIENCE).play(of_case)
        if case.fault.kind.silent and _may_be_slow(of_case):
            # A busy machine may take longer than a short time-out allows for.
            of_case = Tally()
            await Playing(case, shop, _LONGER_PATIENCE).play(of_case)
        tally.merge(of_case)
    return tally


def _may_be_slow(tally: Tally) -> bool:
    """Say whether all that must not be may come of answers that came later than a time-out."""
    others = (where for where in OFFENCES if where is not Column.NEEDLESS)
    return bool(tally.offenders) and not any(tally.total(where) for where in others)
