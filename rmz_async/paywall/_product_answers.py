"""The answers of a paywall about some of the products."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from rmz_async.models import Subscription
from rmz_async.paywall._answers import Answers
from rmz_async.paywall._lookups import Urgency
from rmz_async.paywall._users import validate
from rmz_async.paywall._wanted import Wanted
from rmz_async.paywall.access import Access
from rmz_async.paywall.decisions import decide_fact, narrow
from rmz_async.paywall.sharing import Fact

__all__ = ("ProductAnswers",)


class ProductAnswers(Answers):
    """Answers about products, beside the answers about all that the policy counts.

    A user may be let in by one product and refused another one. The refusal is as delicate as that
    of a stranger, although the answer that memory has of the user is a grant.
    """

    def ready_for(self, user: str, wanted: Wanted) -> Access | None:
        """Return the answer if memory has one that may be handed out without a further look."""
        known = self.memory.fresh(user)
        if known is None:
            return None
        answer = self._spoken(known, wanted)
        # Another process may have confirmed a purchase: a refusal is looked at each time.
        is_final = answer is not None and (answer.granted or not self._facts.are_shared)
        return answer if is_final else None

    def confirmed(self, user: str, subscription: Subscription, checked_at: datetime) -> Access:
        """Take over a subscription, and keep what is known of the user's others; see `Answers`."""
        entry = self.memory.payer(user)
        before = entry.access if entry is not None and self._stale.allows(user, entry) else None
        access = super().confirmed(user, subscription, checked_at)
        if access.granted and before is not None:
            others = [each for each in before.subscriptions if each.id != subscription.id]
            if others:
                self._remember_all(user, (subscription, *others), before)
        return access

    def _remember_all(
        self, user: str, subscriptions: Sequence[Subscription], before: Access
    ) -> None:
        # The fact keeps the age of *before*: a purchase must not make an older grant live longer.
        at = before.checked_at
        fact = Fact(subscriptions, at, is_partial=not before.complete)
        lifetime = (self._today() - at).total_seconds() + self._lifetimes.soft
        access = decide_fact(fact, self.policy, self._today())
        self._judging.remember(user, access, min(lifetime, self._lifetimes.hard))

    async def check_for(self, user: str, wanted: Wanted) -> Access:
        """Return the answer about a user for whom `ready_for` has none."""
        user = validate(user)
        known = self.ready_for(user, wanted)
        if known is not None:
            return known
        return await self._recording.observed("check", self._answer_for(user, wanted))

    async def _answer_for(self, user: str, wanted: Wanted) -> Access:
        if self.memory.fresh(user) is None:
            answer = self._spoken(await self._answer(user), wanted)
            if answer is not None:
                return answer
        access = await self._look(user, wanted)
        # Without an answer, memory is read again: a purchase may have been confirmed meanwhile.
        answer = self.ready_for(user, wanted) if access is None else self._spoken(access, wanted)
        return self._cannot_say() if answer is None else answer

    async def _look(self, user: str, wanted: Wanted) -> Access | None:
        if self._reachability.pause:
            return await self._known_elsewhere(user)
        usable = partial(self._is_usable_for, user, wanted)
        request = partial(self._request, user, Urgency.RETURNING, usable=usable)
        # A check about all products accepts an older fact of another process, and shares no request
        # with this one.
        return await self._flights.join((user, wanted), request)

    def _is_usable_for(self, user: str, wanted: Wanted, fact: Fact) -> bool:
        if not self._judging.is_usable(user, fact):
            return False
        access = decide_fact(fact, self.policy, self._today())
        return self._spoken(access, wanted) is not None

    def _spoken(self, access: Access, wanted: Wanted) -> Access | None:
        """Return the answer about the products, or None if it may not be returned."""
        answer = narrow(access, wanted, self.policy, self._today())
        if answer.granted:
            return answer
        # A clock that was put back makes an answer one from the future.
        age = abs((self._today() - answer.checked_at).total_seconds())
        if not answer.complete or age >= self._lifetimes.refusal:
            return None
        if answer.certain:
            self._slugs.add(access.subscriptions)
            self._slugs.look_for(wanted)
        return answer
