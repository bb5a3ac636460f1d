"""Judges the answers of paywalls by the sandbox's own tables, and knows nothing of the paywall."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import attrs

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.store.state import Status, Subscription

__all__ = ("Allowance", "Referee", "Truth")

GRANTING = (Status.TRIALING, Status.ACTIVE, Status.PAST_DUE)

# A refusal may be so old, in seconds.
REFUSAL = 5.0

# The longest pause of a paywall between two attempts during an outage.
PAUSE = 15.0


@attrs.define
class Truth:
    """Whether RMZ's tables let a user in.

    Attributes:
        granted: Whether they do now.
        since: Since when.
        ever: Whether they ever did.
        announced: If a period ended: since when it was known to end.
        known: When a paywall last let the user in by an answer that RMZ has given since then; or
            None.
        viewed: When the user last viewed a page before RMZ went down, since the tables say so; or
            None.
    """

    granted: bool
    since: datetime
    ever: bool
    announced: datetime | None = None
    known: datetime | None = None
    viewed: datetime | None = None


@attrs.frozen(kw_only=True)
class Allowance:
    """All that a paywall may do wrong because it cannot know better, in seconds.

    Attributes:
        kept: How long a user keeps access after the subscription has gone, if RMZ sends webhooks;
            None if it sends none: then as long as the paywall's own status says at the moment.
        known: For how long a payer is known who has not been seen.
        outage: From when to when RMZ is down; None for never.
    """

    kept: float | None
    known: float
    outage: tuple[datetime, datetime] | None = None

    def is_unknowable(self, truth: Truth, now: datetime, kept: float) -> bool:
        """Return whether no paywall can know of a loss, because RMZ went down before it could ask.

        Args:
            truth: The state in the tables of the user who has lost access.
            now: The time.
            kept: How long a user keeps access in an hour without an outage.
        """
        if self.outage is None:
            return False
        begin, end = self.outage
        margin = timedelta(seconds=kept)
        # After an outage, a paywall asks again within `PAUSE` seconds.
        if not begin <= now < end + margin + timedelta(seconds=PAUSE):
            return False
        due = truth.since + margin
        if self.kept is not None:
            return begin <= due
        # Without webhooks, a paywall asks about those who come.
        return truth.viewed is None or truth.viewed < due


class Referee:
    """Compares each answer with the tables of RMZ.

    Args:
        sandbox: The RMZ, whose clock tells when a row was changed.
        allowance: How old an answer may be.
    """

    def __init__(self, sandbox: Sandbox, allowance: Allowance) -> None:
        self._rows = sandbox.state.subscriptions
        self._now = sandbox.clock.now
        self._allowance = allowance
        self._owned: dict[str, set[int]] = {}
        self._truths: dict[str, Truth] = {}
        # A row says so before it changes, and is looked at when somebody asks.
        self._changed: dict[int, datetime] = dict.fromkeys(self._rows, self._now())
        self._rows.listen(self._note)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.longest_kept = 0.0
        self.longest_early = 0.0
        self._catch_up()

    def truth(self, user: str) -> Truth:
        """Return what the tables say of a user."""
        self._catch_up()
        return self._truths.setdefault(user, Truth(False, self._now(), False))

    def judge(
        self, user: str, *, granted: bool, certain: bool, asked: datetime, hard: float, by: str
    ) -> None:
        """Judge an answer that was just given.

        Args:
            user: The user.
            granted: Whether the user was let in.
            certain: Whether a refusal was spoken; else the answer was that nobody can say.
            asked: When RMZ was asked.
            hard: The age that no grant exceeds, as the paywall's status says.
            by: The server, and whatever else helps to find the cause.
        """
        truth, now = self.truth(user), self._now()
        age = (now - truth.since).total_seconds()
        self.counts["answers"] += 1
        if granted and truth.granted:
            # A grant from before a pause says nothing of the time after it.
            truth.known = now if asked >= truth.since else truth.known
            self.counts["let in"] += 1
        elif granted:
            self._kept(user, truth, now, hard, by)
        elif certain and truth.granted:
            self.longest_early = max(self.longest_early, min(age, REFUSAL))
            name = "payers refused" if age > REFUSAL else "refused within 5 s of paying"
            self._count(name, f"{user} by {by} at {now}, paying for {age:.1f} s", age > REFUSAL)
        elif certain:
            self.counts["refused"] += 1
        elif truth.granted:
            known = truth.known
            is_known = known is not None and (now - known).total_seconds() < self._allowance.known
            name = "503 for a known payer" if is_known else "503 for a payer nobody knows"
            self._count(name, f"{user} by {by} at {now}, last let in at {known}", is_known)
        else:
            self.counts["503 for others"] += 1
        if self._allowance.outage is None or now < self._allowance.outage[0]:
            truth.viewed = now

    def wire(self, status: int) -> None:
        """Count the status of an answer of RMZ."""
        self.counts[f"RMZ answered {status}"] += 1
        if status == 429:
            self._count("answers of 429", f"at {self._now()}", True)

    def _kept(self, user: str, truth: Truth, now: datetime, hard: float, by: str) -> None:
        kept = (now - truth.since).total_seconds()
        allowed = hard if self._allowance.kept is None else self._allowance.kept
        detail = f"{user} by {by} at {now}, {kept:.1f} s after the end, {allowed:.0f} allowed"
        margin = timedelta(seconds=allowed)
        if not truth.ever:
            self._count("unknown users admitted", detail, True)
        elif truth.announced is not None and truth.announced + margin < truth.since:
            self._count("admitted past the end of a period", detail, True)
        elif self._allowance.is_unknowable(truth, now, allowed):
            self.counts["let in, as RMZ went down before the subscription did"] += 1
        else:
            self.longest_kept = max(self.longest_kept, kept)
            self._count("answers after a subscription was taken away", detail, False)
            if kept > allowed:
                self._count("access kept for too long", detail, True)

    def _count(self, name: str, detail: str, is_wrong: bool) -> None:
        self.counts[name] += 1
        if is_wrong:
            self.wrong.append(f"{name}: {detail}")

    def _catch_up(self) -> None:
        changed, self._changed = self._changed, {}
        for number, at in changed.items():
            row = self._rows.get(number)
            if row is not None and row.external_customer_id is not None:
                self._look(row.external_customer_id, row, at)

    def _note(self, number: int) -> None:
        self._changed[number] = self._now()

    def _look(self, user: str, row: Subscription, at: datetime) -> None:
        owned = self._owned.setdefault(user, set())
        owned.add(row.id)
        granted = any(self._rows[number].status in GRANTING for number in owned)
        before = self._truths.get(user)
        if before is not None and before.granted == granted:
            return
        ever = granted or (before is not None and before.ever)
        announced = None
        is_over = row.status in (Status.EXPIRED, Status.CANCELED) and at >= row.current_period_end
        if is_over and before is not None and row.failed_at is None:
            # Those that were never to be renewed began so.
            announced = row.canceled_at or row.started_at
        self._truths[user] = Truth(granted, at, ever, announced)
