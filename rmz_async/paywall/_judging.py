"""Decides by the facts about a user, and keeps the answers in memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime

import attrs

from rmz_async.models import Subscription
from rmz_async.paywall._doubts import Doubts
from rmz_async.paywall._expectations import Expectations
from rmz_async.paywall._facts import Facts
from rmz_async.paywall._memory import Memory, Remembered, lasting
from rmz_async.paywall._slugs import ShownSlugs
from rmz_async.paywall._stale import Stale
from rmz_async.paywall.access import Access, Source
from rmz_async.paywall.decisions import decide_fact
from rmz_async.paywall.lifetimes import Lifetimes
from rmz_async.paywall.policy import Policy
from rmz_async.paywall.sharing import Fact

__all__ = ("Judging",)

# Seconds for which a grant is used that contradicts a webhook.
CONTRADICTED_LIFETIME = 2.0


@attrs.frozen(kw_only=True)
class Judging:
    """Makes facts into answers.

    Attributes:
        policy: The rules.
        lifetimes: How old an answer may be.
        keep_subscriptions: Whether answers from memory have their subscription.
        memory: Keeps the answers.
        facts: Knows whether other processes can be asked.
        doubts: The users of whom an event has reported a change.
        expectations: The states that the next answers should show.
        stale: Knows how long a grant is used.
        slugs: Remembers the slugs of all answers.
        today: Returns the time; UTC.
        now: Returns seconds, steady.
    """

    policy: Policy
    lifetimes: Lifetimes
    keep_subscriptions: bool
    memory: Memory
    facts: Facts
    doubts: Doubts
    expectations: Expectations
    stale: Stale
    slugs: ShownSlugs
    today: Callable[[], datetime]
    now: Callable[[], float]

    def conclude(self, user: str, fact: Fact, source: Source, *, is_answer: bool) -> Access | None:
        """Return the answer that a fact gives, and remember it; None if it is not certain.

        Args:
            user: The user.
            fact: What was learnt.
            source: How it was learnt.
            is_answer: Whether RMZ has just answered so.
        """
        known, missing = self.expectations.missing(user, fact.subscriptions, is_answer=is_answer)
        # If a grant is missing, most likely a replica lags: no refusal of any product is certain.
        lags = any(each.grants_access for each in missing)
        seen = Fact(known, fact.checked_at, is_partial=fact.is_partial or lags)
        access = decide_fact(seen, self.policy, self.today(), source)
        if access.granted:
            lifetime = CONTRADICTED_LIFETIME if missing else self.stale.soft
        elif lags or not (access.certain or self.memory.payer(user) is None):
            return None
        else:
            lifetime = self.lifetimes.refusal
        self.remember(user, access, lifetime)
        if missing and user not in self.doubts:
            # The answer is to be looked at again before it is old.
            self.doubts.add(user, fact.checked_at)
        return access

    def is_usable(self, user: str, fact: Fact) -> bool:
        """Return whether a fact of another process is as good as an answer of RMZ."""
        if fact.is_doubted or self.doubts.concern(user, fact.checked_at):
            return False
        access = decide_fact(fact, self.policy, self.today())
        # A fact from the future says only that one of two clocks is wrong.
        age = abs((self.today() - fact.checked_at).total_seconds())
        return age < (self.stale.soft if access.granted else self.lifetimes.refusal)

    def by(self, subscription: Subscription, checked_at: datetime) -> Access:
        """Return the answer that a subscription gives without others."""
        fact = Fact((subscription,), checked_at, is_partial=True)
        return decide_fact(fact, self.policy, self.today())

    def remember(self, user: str, access: Access, lifetime: float) -> None:
        """Keep an answer in memory.

        Args:
            user: The user.
            access: The answer.
            lifetime: Seconds from the moment at which RMZ was asked.
        """
        self.slugs.add(access.subscriptions)
        if not self.doubts.settle(user, access.checked_at):
            # RMZ was asked before the event, and has answered after it.
            lifetime = -math.inf
        if not access.granted and self.facts.are_shared:
            # Another process may have confirmed a purchase: what all know is looked at each time.
            self.memory.forget(user)
            return
        age, soft = (self.today() - access.checked_at).total_seconds(), self.lifetimes.soft
        if age <= -soft:
            # An answer so far from the future is due to be looked at again: some clock is wrong.
            age = soft
        learnt = self.now() - max(age, 0.0)
        source = Source.CACHE if access.source is Source.API else access.source
        # An answer of the snapshot has no policy, and so no `grants`.
        kept = attrs.evolve(access, source=source, policy=self.policy)
        if not self.keep_subscriptions:
            kept = attrs.evolve(kept, subscription=None, others=(), complete=False)
        self.memory.keep(user, Remembered(learnt, min(lifetime, lasting(access)), kept))
