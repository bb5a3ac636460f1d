"""A quota by itself: a limit of three a minute, with time as a number."""

from __future__ import annotations

import pickle

import pytest

from rmz_async import QuotaReport
from rmz_async._pacing.quota import Quota

LIMIT = 3


def sent(*moments: float) -> Quota:
    """A quota with requests sent at these seconds."""
    quota = Quota()
    for moment in moments:
        quota.record(moment)
    return quota


def learned(
    quota: Quota,
    now: float,
    *,
    limit: int | None = None,
    remaining: int | None = None,
    closed_for: float | None = None,
) -> bool:
    """Let an answer come at *now*."""
    return quota.learn(
        LIMIT, now, QuotaReport(limit=limit, remaining=remaining, closed_for=closed_for)
    )


def waits(quota: Quota, now: float, number: int, limit: int = LIMIT) -> list[float]:
    """Return how long the next ones would wait."""
    return [quota.wait(limit, now, ahead) for ahead in range(number)]


def test_a_request_counts_for_a_minute_and_a_second() -> None:
    """RMZ's minute, and a second by which the ways to it may differ."""
    assert sent(100.0, 100.0, 100.0).wait(LIMIT, 100.0) == 61.0


def test_a_burst_may_go() -> None:
    """Nothing is spread out: with room left the wait is nothing."""
    assert waits(sent(100.0, 100.0), 100.0, 1) == [0.0]


def test_a_full_span_is_waited_for() -> None:
    """The fourth waits until the first is a span old."""
    assert sent(100.0, 110.0, 120.0).wait(LIMIT, 125.0) == 36.0


@pytest.mark.parametrize(("now", "wait"), [(160.75, 0.25), (161.0, 0.0), (161.5, 0.0)])
def test_a_span_ends(now: float, wait: float) -> None:
    """A slot that is exactly a span old counts no more."""
    assert sent(100.0, 110.0, 120.0).wait(LIMIT, now) == wait


def test_those_behind_wait_longer() -> None:
    """Each caller's wait is known immediately: for the next slot, and a whole limit later."""
    quota = sent(100.0, 110.0, 120.0)

    assert waits(quota, 120.0, 7) == [41.0, 51.0, 61.0, 102.0, 112.0, 122.0, 163.0]


def test_those_behind_share_the_room() -> None:
    """Two places are free now, the third when the first request is old."""
    assert waits(sent(100.0), 120.0, 4) == [0.0, 0.0, 41.0, 61.0]


def test_a_slot_given_back_is_free() -> None:
    """A request that was not sent takes no room."""
    quota = sent(100.0, 110.0, 120.0)
    quota.forget(110.0)

    assert waits(quota, 120.0, 2) == [0.0, 41.0]


@pytest.mark.parametrize("at", [99.0, 115.0, 121.0])
def test_giving_back_what_is_not_there(at: float) -> None:
    """A slot that is a span old, or was never noted, cannot be given back."""
    quota = sent(110.0, 120.0)
    learned(quota, 120.0, remaining=0)
    quota.forget(at)

    assert waits(quota, 120.0, 1) == [61.0]


@pytest.mark.parametrize("at", [99.0, 115.0, 121.0])
def test_giving_back_what_is_not_there_frees_nothing(at: float) -> None:
    """Every slot that was noted still counts."""
    quota = sent(100.0, 110.0, 120.0)
    quota.forget(at)

    assert waits(quota, 120.0, 3) == [41.0, 51.0, 61.0]


def test_slots_noted_out_of_order_are_sorted() -> None:
    """The thread that read the clock first may come second."""
    quota = sent(110.0, 120.0, 100.0)

    assert waits(quota, 120.0, 3) == [41.0, 51.0, 61.0]
    quota.forget(100.0)
    assert waits(quota, 120.0, 2) == [0.0, 51.0]


def test_a_lower_limit_is_adopted() -> None:
    """RMZ's own number holds."""
    quota = sent(100.0, 110.0, 120.0)

    assert learned(quota, 120.0, limit=1)
    assert quota.wait(LIMIT, 120.0) == 61.0


def test_a_higher_limit_is_not() -> None:
    """A client that asks for less than RMZ allows leaves the rest to others."""
    quota = sent(100.0, 110.0, 120.0)

    assert not learned(quota, 120.0, limit=5)
    assert quota.wait(LIMIT, 120.0) == 41.0


@pytest.mark.parametrize("limit", [-1, 0])
def test_an_absurd_limit_is_not(limit: int) -> None:
    """A limit of no requests at all makes no sense."""
    quota = sent(100.0, 110.0, 120.0)

    assert not learned(quota, 120.0, limit=limit)
    assert quota.wait(LIMIT, 120.0) == 41.0


def test_the_number_left_by_rmz_is_believed() -> None:
    """Others use the token: of RMZ's number two are left, whatever was sent from here."""
    quota = sent(100.0)

    assert quota.learn(10, 100.0, QuotaReport(remaining=2))
    assert waits(quota, 100.0, 4, limit=10) == [0.0, 0.0, 61.0, 61.0]
    quota.record(100.0)
    assert waits(quota, 100.0, 2, limit=10) == [0.0, 61.0]


def test_an_expected_answer_changes_no_wait() -> None:
    """Our own requests explain RMZ's number, and no wait changes."""
    quota = sent(100.0)

    assert not learned(quota, 130.0, limit=None, remaining=2)
    assert waits(quota, 130.0, 3) == [0.0, 0.0, 31.0]


def test_slots_a_span_old_explain_nothing() -> None:
    """RMZ's number is compared with what was sent in the last span: here others use the token."""
    quota = sent(100.0, 130.0)

    assert learned(quota, 165.0, remaining=1)
    assert waits(quota, 165.0, 2) == [0.0, 61.0]


def test_a_slot_that_is_exactly_a_span_old_explains_nothing() -> None:
    """RMZ's figure is lower than this client's own requests explain: somebody else sends too."""
    quota = sent(100.0)
    learned(quota, 161.0, remaining=2)

    assert waits(quota, 161.0, 3) == [0.0, 0.0, 61.0]


def test_requests_that_count_no_more_take_no_memory() -> None:
    """A service that runs for months keeps the times of a minute only."""
    quota = Quota()
    sizes = set()
    for number in range(200):
        quota.wait(LIMIT, 61.0 * number)
        quota.record(61.0 * number)
        sizes.add(len(pickle.dumps(quota)))
    assert len(sizes) == 1


def test_a_named_limit_counts_immediately() -> None:
    """The remaining number is compared with the limit of the same answer."""
    quota = sent(100.0)
    learned(quota, 100.0, limit=10, remaining=2)

    assert waits(quota, 100.0, 3) == [0.0, 0.0, 61.0]


def test_the_number_left_only_falls() -> None:
    """An answer from before our last requests arrived does not bring them back."""
    quota = Quota()
    quota.learn(10, 100.0, QuotaReport(remaining=5))
    for _ in range(3):
        quota.record(100.0)

    assert not quota.learn(10, 101.0, QuotaReport(remaining=5))
    assert waits(quota, 101.0, 3, limit=10) == [0.0, 0.0, 60.0]


def test_each_answer_may_lower_the_number_left() -> None:
    """Each answer may lower the number further; the window ends when it did before."""
    quota = Quota()
    quota.learn(10, 100.0, QuotaReport(remaining=5))

    assert quota.learn(10, 130.0, QuotaReport(remaining=1))
    assert waits(quota, 130.0, 2, limit=10) == [0.0, 31.0]


def test_a_number_that_rises_is_a_new_window() -> None:
    """More is left than before, so the window that was known is over."""
    quota = Quota()
    quota.learn(10, 100.0, QuotaReport(remaining=5))

    assert quota.learn(10, 130.0, QuotaReport(remaining=6))
    assert waits(quota, 130.0, 7, limit=10)[5:] == [0.0, 61.0]


def test_a_window_of_our_requests_alone_needs_no_number() -> None:
    """Once RMZ counts no more than we do, its number is not needed."""
    quota = sent(100.0)
    learned(quota, 100.0, remaining=0)

    assert learned(quota, 140.0, remaining=2)
    assert waits(quota, 140.0, 3) == [0.0, 0.0, 21.0]


def test_a_number_grows_old() -> None:
    """After a span the window that it was about is over."""
    quota = Quota()
    learned(quota, 100.0, remaining=0)

    assert quota.wait(LIMIT, 160.5) == 0.5
    assert quota.wait(LIMIT, 161.0) == 0.0


def test_after_that_a_lower_number_is_a_new_one() -> None:
    """The number left of the next window is believed for as long as that one may last."""
    quota = Quota()
    learned(quota, 100.0, remaining=2)
    learned(quota, 161.0, remaining=1)

    assert waits(quota, 170.0, 2) == [0.0, 52.0]


def test_a_slot_given_back_is_left_again() -> None:
    """A request that was not sent takes nothing of RMZ's number either."""
    quota = Quota()
    quota.learn(10, 100.0, QuotaReport(remaining=2))
    quota.record(101.0)
    quota.record(102.0)
    quota.forget(101.0)

    assert waits(quota, 102.0, 2, limit=10) == [0.0, 59.0]


def test_giving_back_does_not_add_to_what_rmz_says() -> None:
    """An answer that had not counted the request says all that is left."""
    quota = Quota()
    quota.learn(10, 100.0, QuotaReport(remaining=5))
    quota.record(101.0)
    quota.learn(10, 102.0, QuotaReport(remaining=1))
    quota.forget(101.0)

    assert waits(quota, 102.0, 2, limit=10) == [0.0, 59.0]


def test_a_closed_quota_opens_after_retry_after() -> None:
    """No slot comes before Retry-After is over, nor in the second that RMZ may have rounded off."""
    quota = Quota()

    assert learned(quota, 100.0, closed_for=7.0)
    assert waits(quota, 100.0, 2) == [8.0, 8.0]
    assert quota.wait(LIMIT, 108.0) == 0.0


def test_the_longer_closure_holds() -> None:
    """A shorter Retry-After, perhaps of an older answer, opens nothing."""
    quota = Quota()
    learned(quota, 100.0, closed_for=20.0)

    assert not learned(quota, 101.0, closed_for=7.0)
    assert quota.wait(LIMIT, 101.0) == 20.0


def test_a_closure_is_bounded() -> None:
    """A wrong header stops a shop for five minutes and the margin, and not for a year."""
    quota = Quota()
    learned(quota, 100.0, closed_for=999_999_999.0)

    assert quota.wait(LIMIT, 100.0) == 301.0


def test_a_closure_ends_with_the_window() -> None:
    """Retry-After says when the window ends, and so what was left of it is no longer asked."""
    quota = Quota()
    learned(quota, 100.0, remaining=0)
    learned(quota, 101.0, remaining=0, closed_for=7.0)

    assert quota.wait(LIMIT, 101.0) == 8.0


def test_a_closure_does_not_undo_the_count() -> None:
    """Both are waited for: RMZ's gate and our own."""
    quota = sent(100.0, 100.0, 100.0)
    learned(quota, 101.0, closed_for=7.0)

    assert quota.wait(LIMIT, 101.0) == 60.0


def test_a_quota_is_idle_when_nothing_can_wait() -> None:
    """A quota is idle when nothing that it knows can make anyone wait."""
    assert Quota().is_idle(0.0)
    assert not sent(100.0).is_idle(160.0)
    assert not sent(100.0, 130.0).is_idle(161.0)
    assert sent(100.0).is_idle(161.0)
    closed, left = Quota(), Quota()
    learned(closed, 100.0, closed_for=7.0)
    learned(left, 100.0, remaining=0)
    assert [closed.is_idle(107.0), closed.is_idle(108.0)] == [False, True]
    assert [left.is_idle(160.0), left.is_idle(161.0)] == [False, True]
