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

    def is_shown(self, subscriptions: Sequence[Subscription]) -> bool:
        """Whether an answer has the state, or a later one: no subscription leaves `expired`."""
        return any(
            each.id == self.subscription_id
            and each.status in (self.status, SubscriptionStatus.EXPIRED)
            for each in subscriptions
        )


class Expectations:
    """The last state that was reported of each subscription of a user.

    RMZ may answer from a replica that lags. A customer who has just paid must not be refused
    because of that.

    Args:
        now: Returns seconds, steady.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._reported: dict[str, tuple[Expectation, ...]] = {}
        self._returned: dict[str, tuple[Expectation, ...]] = {}

    def expect(self, user: str, expectation: Expectation) -> None:
        """Remember a state, unless RMZ's API itself has just returned a subscription in it."""
        number, status = expectation.subscription_id, expectation.status
        for each in self._expected(user):
            is_returned = each.subscription is not None and expectation.subscription is None
            same = each.subscription_id == number and each.status == status
            if is_returned and same and self._now() < each.until:
                expectation = each
        self._forget(user, number)
        if expectation.subscription is None:
            self._put(self._reported, MOST_REPORTED, user, expectation)
        else:
            self._put(self._returned, MOST_RETURNED, user, expectation)

    def missing(
        self, user: str, subscriptions: Sequence[Subscription], *, is_answer: bool = False
    ) -> tuple[Sequence[Subscription], Sequence[Expectation]]:
        """Return an answer with what RMZ itself returned before, and the states that it lacks.

        Args:
            user: The user.
            subscriptions: RMZ's answer, or what another process has made of one.
            is_answer: Whether RMZ has just answered so; what RMZ's API returned before then takes
                the place of no later answer.

        Returns:
            All subscriptions, and the expectations that the answer contradicts.
        """
        missing: list[Expectation] = []
        for expected in self._expected(user):
            if expected.is_shown(subscriptions) or self._now() >= expected.until:
                # The state of an event is expected further, as the next replica may lag more.
                if is_answer and expected.subscription is not None:
                    self._forget(user, expected.subscription_id)
            elif expected.subscription is None:
                missing.append(expected)
            else:
                others = [each for each in subscriptions if each.id != expected.subscription_id]
                subscriptions = (*others, expected.subscription)
        return subscriptions, missing

    def shareable(self, user: str, fact: Fact) -> Fact | None:
        """Return what other processes may know of an answer of RMZ; None if it lags."""
        subscriptions, missing = self.missing(user, fact.subscriptions)
        return None if missing else attrs.evolve(fact, subscriptions=subscriptions)

    def _expected(self, user: str) -> tuple[Expectation, ...]:
        return (*self._reported.get(user, ()), *self._returned.get(user, ()))

    def _put(
        self,
        kept: dict[str, tuple[Expectation, ...]],
        most: int,
        user: str,
        expectation: Expectation,
    ) -> None:
        # The newest last, so that the first one is the one to go.
        kept[user] = (*kept.pop(user, ()), expectation)
        now = self._now()
        # Two are dropped for each new one, so that old ones go even if few come.
        for first, oldest in list(islice(kept.items(), 2)):
            if len(kept) > most or all(now >= each.until for each in oldest):
                kept.pop(first, None)

    def _forget(self, user: str, number: int) -> None:
        for kept in (self._reported, self._returned):
            left = tuple(each for each in kept.get(user, ()) if each.subscription_id != number)
            if left:
                kept[user] = left
            else:
                kept.pop(user, None)
