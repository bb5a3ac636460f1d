"""A client has a budget of retries."""

from __future__ import annotations

import pytest

from rmz_async._calls.outcome import Failure
from rmz_async._calls.retry import Budget


def spent(budget: Budget, failure: Failure) -> int:
    """Count how many retries are allowed until there are none."""
    count = 0
    while budget.spend(failure):
        count += 1
    return count


@pytest.mark.parametrize(
    ("failure", "repeats"),
    [(Failure.NOT_SENT, 10), (Failure.REFUSED, 10), (Failure.AMBIGUOUS, 5)],
    ids=lambda value: value.name if isinstance(value, Failure) else str(value),
)
def test_a_budget_ends(failure: Failure, repeats: int) -> None:
    """Ten retries, or five after failures that keep a server busy; then none."""
    budget = Budget()

    assert spent(budget, failure) == repeats
    assert budget.left == 0


def test_the_throttle_costs_nothing() -> None:
    """The throttle's wait is obeyed, so even an empty budget allows such a retry."""
    budget = Budget()
    spent(budget, Failure.NOT_SENT)

    assert budget.spend(Failure.THROTTLED)
    assert budget.left == 0


def test_a_refused_retry_costs_nothing() -> None:
    """A retry that is refused costs nothing."""
    budget = Budget()
    budget.left = 1.5

    assert not budget.spend(Failure.AMBIGUOUS)
    assert budget.left == 1.5
    assert budget.spend(Failure.NOT_SENT)
    assert budget.left == 0.5


def test_the_last_of_it_can_be_spent() -> None:
    """A budget that is just enough is enough."""
    budget = Budget()
    budget.left = 2.0

    assert budget.spend(Failure.AMBIGUOUS)
    assert not budget.spend(Failure.NOT_SENT)


def test_ten_successes_earn_a_retry() -> None:
    """A call in ten may be retried in the long run."""
    budget = Budget()
    spent(budget, Failure.NOT_SENT)
    for _ in range(11):
        assert not budget.spend(Failure.NOT_SENT)
        budget.earn()

    assert spent(budget, Failure.NOT_SENT) == 1


def test_no_more_is_earned_than_there_was() -> None:
    """A long calm does not pay for a long storm."""
    budget = Budget()
    for _ in range(1000):
        budget.earn()

    assert spent(budget, Failure.NOT_SENT) == 10
