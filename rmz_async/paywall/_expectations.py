"""States of subscriptions that RMZ has reported, and that its next answers may not show yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

import attrs

from rmz_async.models import Subscription, SubscriptionStatus
from rmz_async.paywall.sharing import Fact

__all__ = ("Expectation", "Expectations")

# The most users at the same time; the user who was added first is dropped first.
MOST_REPORTED = 10_000

# The same for those that have their subscription, which take several times the memory. RMZ's API
# returns far fewer in a minute.
MOST_RETURNED = 1_000


@attrs.frozen(kw_only=True)
class Expectation:
    """A state that an answer should show.

    Attributes:
        subscription_id: The subscription.
        status: Its status.
        until: When RMZ's replicas have caught up; seconds, steady.
        subscription: The subscription as RMZ's API returned it; None if only a webhook reported it.
    """

    subscription_id: int
    status: SubscriptionStatus | str
    until: float
    subscription: Subscription | None = None

    @property
    def grants_access(self) -> bool:
        """Whether the state lets the customer in."""
        return isinstance(self.status, SubscriptionStatus) and self.status.grants_access


class Expectations:
    """The last state that was reported of each user.

    RMZ may answer from a replica that lags. A customer who has just paid must not be refused
    because of that.

    Args:
        now: Returns seconds, steady.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._reported: dict[str, Expectation] = {}
        self._returned: dict[str, Expectation] = {}

    def expect(self, user: str, expectation: Expectation) -> None:
        """Remember a state, unless RMZ's API itself has just returned a subscription in it."""
        known = self._forget(user)
        if known is not None and expectation.subscription is None and self._now() < known.until:
            same = (known.subscription_id, known.status)
            if same == (expectation.subscription_id, expectation.status):
                expectation = known
        if expectation.subscription is None:
            self._put(self._reported, MOST_REPORTED, user, expectation)
        else:
            self._put(self._returned, MOST_RETURNED, user, expectation)

    def missing(
        self, user: str, subscriptions: Sequence[Subscription], *, is_answer: bool = False
    ) -> tuple[Sequence[Subscription], Expectation | None]:
        """Return an answer with what RMZ itself returned before, and the state that it lacks.

        Args:
            user: The user.
            subscriptions: RMZ's answer, or what another process has made of one.
            is_answer: Whether RMZ has just answered so; a state that it shows is expected no more.

        Returns:
            All subscriptions, and the expectation that the answer contradicts, if there is one.
        """
        expected = self._returned.get(user) or self._reported.get(user)
        if expected is None:
            return subscriptions, None
        same = [each for each in subscriptions if each.id == expected.subscription_id]
        shown = any(each.status == expected.status for each in same)
        if shown or self._now() >= expected.until:
            if is_answer:
                self._forget(user)
            return subscriptions, None
        if expected.subscription is None:
            return subscriptions, expected
        others = [each for each in subscriptions if each.id != expected.subscription_id]
        return (*others, expected.subscription), None

    def shareable(self, user: str, fact: Fact) -> Fact | None:
        """Return what other processes may know of an answer of RMZ; None if it lags."""
        subscriptions, missing = self.missing(user, fact.subscriptions)
        return None if missing is not None else attrs.evolve(fact, subscriptions=subscriptions)

    def _put(
        self, kept: dict[str, Expectation], most: int, user: str, expectation: Expectation
    ) -> None:
        kept[user] = expectation
        now = self._now()
        # Two are dropped for each new one, so that old ones go even if few come.
        for first, oldest in list(islice(kept.items(), 2)):
            if len(kept) > most or now >= oldest.until:
                kept.pop(first, None)

    def _forget(self, user: str) -> Expectation | None:
        reported, returned = self._reported.pop(user, None), self._returned.pop(user, None)
        return reported if returned is None else returned
