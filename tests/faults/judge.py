"""Pure: what the client said, compared with what the sandbox's ledger holds."""

from __future__ import annotations

from collections import Counter
from enum import Enum, StrEnum

import attrs


class Verdict(Enum):
    """The report of a call to its caller."""

    OK = "ok"
    """The call returned."""
    FAILED = "failed"
    """Any error of the library but the next: nothing was changed."""
    UNKNOWN = "unknown"
    """``OutcomeUnknownError``."""
    BROKEN = "broken"
    """An exception that is none of the library's."""


class Column(StrEnum):
    """The outcome of a call. Each call is counted in one column."""

    ONCE = "applied exactly once"
    """Reported ok, and the ledger has one effect of it, on the object that was returned."""
    NOT_APPLIED = "reported ok but not applied"
    """Reported ok, and the ledger has no effect of it, or the call returned something else."""
    TWICE = "reported ok but applied twice"
    """The ledger has more than one effect of it. No report excuses that: the call is counted here
    in any case. Sessions may be made twice, by their rule."""
    FAILED_APPLIED = "reported failed but applied"
    """Reported that nothing was changed, and the ledger has an effect of it."""
    BROKEN = "another exception"
    """Neither a result nor an error of the library; or an unknown outcome of what only reads."""
    UNKNOWN = "reported unknown"
    """Reported as unknown, whatever the ledger has."""
    NEEDLESS = "reported unknown without need"
    """Reported as unknown, though the fault leaves a client the means to find out."""
    SPOILED = "no answer though it came"
    """RMZ's own answer came whole, and the call did not return it."""
    LATE = "later than its deadline"
    """Under any report: the call took longer than its timeout, and what reading back may take if
    it is read back; or it kept its caller waiting in real time, whatever its clock said."""
    BY_CUSTOMER = "ok by the customer's doing"
    """Reported ok, and the ledger has no effect of it; but the customer has brought about just what
    it wanted, in the time in which it may have been applied. No client can distinguish such a call
    from one that was applied. Any other change of the customer's excuses nothing."""
    ANSWERED = "answered"
    """The call only reads, and its answer is what the store holds."""
    FAILED = "failed"
    """Reported failed, and the ledger has no effect of it."""


OFFENCES = (
    Column.NOT_APPLIED,
    Column.TWICE,
    Column.FAILED_APPLIED,
    Column.BROKEN,
    Column.NEEDLESS,
    Column.SPOILED,
    Column.LATE,
)


@attrs.frozen(kw_only=True)
class Finding:
    """A call that is over.

    Attributes:
        verdict: Its report.
        changes: Whether it changes anything.
        harmless: Whether it may be applied twice, by its rule.
        applied: How many effects the ledger has of it.
        right: Whether it returned the right answer.
        in_place: Whether things are as it wanted, for calls that count only by that.
        by_customer: Whether the customer's own change brought about what it wanted.
        forced: Whether the fault leaves a client no means to find out.
        answered: Whether RMZ's own answer came whole.
        late: Whether the call was over later than it may be.
    """

    verdict: Verdict
    changes: bool
    harmless: bool = False
    applied: int = 0
    right: bool = True
    in_place: bool = False
    by_customer: bool = False
    forced: bool = True
    answered: bool = False
    late: bool = False


def column(found: Finding) -> Column:
    """Return the column of a call."""
    if found.verdict is Verdict.BROKEN:
        return Column.BROKEN
    where = _change(found) if found.changes else _read(found)
    # A lie weighs more than these.
    if where in OFFENCES[:3]:
        return where
    if found.answered and found.verdict is not Verdict.OK:
        return Column.SPOILED
    return Column.LATE if found.late else where


def _read(found: Finding) -> Column:
    if found.verdict is Verdict.OK:
        return Column.ANSWERED if found.right else Column.NOT_APPLIED
    return Column.FAILED if found.verdict is Verdict.FAILED else Column.BROKEN


def _change(found: Finding) -> Column:
    if found.applied > 1 and not found.harmless:
        return Column.TWICE
    if found.verdict is Verdict.UNKNOWN:
        return Column.UNKNOWN if found.forced else Column.NEEDLESS
    if found.verdict is Verdict.FAILED:
        return Column.FAILED_APPLIED if found.applied else Column.FAILED
    if not found.right:
        return Column.NOT_APPLIED
    if found.applied or found.in_place:
        return Column.ONCE
    return Column.BY_CUSTOMER if found.by_customer else Column.NOT_APPLIED


@attrs.define
class Tally:
    """Counts, row by row, and the calls that must not be.

    Attributes:
        rows: Counts by row and column.
        injected: Faults by row.
        offenders: The name of each, and its column.
        notes: Other counts, by what they count.
        shares: For changes, by the kind of fault: calls, those reported unknown, and those for
            which no other report is possible, also by the reason.
    """

    rows: dict[str, Counter[str]] = attrs.field(factory=dict[str, Counter[str]])
    injected: Counter[str] = attrs.field(factory=Counter[str])
    offenders: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    notes: Counter[str] = attrs.field(factory=Counter[str])
    shares: dict[str, Counter[str]] = attrs.field(factory=dict[str, Counter[str]])

    def add(self, row: str, name: str, where: Column, injected: int = 0, said: str = "") -> None:
        """Count one call.

        Args:
            row: Its row.
            name: The name by which it can be made again.
            where: Its column.
            injected: How many faults it met.
            said: Its report, for an offender.
        """
        self.rows.setdefault(row, Counter())[where] += 1
        self.injected[row] += injected
        if where in OFFENCES:
            self.offenders.append((name, f"{where}: {said}"))

    def merge(self, other: Tally) -> None:
        """Take over all of *other*."""
        for row, counts in other.rows.items():
            self.rows.setdefault(row, Counter()).update(counts)
        self.injected.update(other.injected)
        self.offenders += other.offenders
        self.notes.update(other.notes)
        for kind, counts in other.shares.items():
            self.shares.setdefault(kind, Counter()).update(counts)

    def total(self, where: Column) -> int:
        """Return a column's sum."""
        return sum(counts[where] for counts in self.rows.values())

    @property
    def calls(self) -> int:
        """All calls that were counted."""
        return sum(sum(counts.values()) for counts in self.rows.values())
