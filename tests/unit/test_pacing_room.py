"""How many requests a quota has room for, and requests that count several times each."""

from __future__ import annotations

import pytest

from rmz_async import QuotaReport
from rmz_async._pacing.quota import Quota

LIMIT = 6


def sent(*moments: float) -> Quota:
    """A quota with requests sent at these seconds."""
    quota = Quota()
    quota.record(*moments)
    return quota


def with_rmz_limit(limit: int) -> Quota:
    """A quota of which RMZ has named the limit."""
    quota = Quota()
    quota.learn(LIMIT, 100.0, QuotaReport(limit=limit))
    return quota


@pytest.mark.parametrize(
    ("moments", "room"),
    [((), 6), ((100.0,), 5), ((100.0,) * 5, 1), ((100.0,) * 6, 0), ((100.0,) * 8, 0)],
)
def test_the_room_is_the_limit_less_the_requests_sent_and_never_below_none(
    moments: tuple[float, ...], room: int
) -> None:
    """Other processes may have sent more than the limit, which owes RMZ nothing afterwards."""
    assert sent(*moments).room(LIMIT, 110.0) == room


def test_a_request_takes_no_room_once_it_is_a_span_old() -> None:
    """Asked at that very moment, and the moment before."""
    quota = sent(100.0, 130.0)

    assert [quota.room(LIMIT, now) for now in (160.75, 161.0)] == [4, 5]


@pytest.mark.parametrize(("named", "room"), [(2, 2), (20, 6)])
def test_the_lower_of_two_limits_leaves_room(named: int, room: int) -> None:
    """RMZ's own number, or that of a client which leaves the rest to others."""
    assert with_rmz_limit(named).room(LIMIT, 100.0) == room


def test_a_reserved_request_counts_as_often_as_its_weight_says() -> None:
    """Each of three processes counts its own requests threefold, so that all keep to the limit."""
    quota = Quota()

    assert quota.reserve(LIMIT, 100.0, ahead=0, weight=3) == 0.0
    assert quota.room(LIMIT, 100.0) == 3
    assert quota.reserve(LIMIT, 110.0, ahead=0, weight=3) == 0.0
    assert quota.room(LIMIT, 110.0) == 0


def test_a_request_with_a_weight_waits_until_there_is_room_for_all_of_it() -> None:
    """Two places are free now and the third when the first request is a span old."""
    quota = sent(100.0, 110.0, 120.0, 130.0)

    assert quota.reserve(LIMIT, 130.0, ahead=0, weight=2) == 0.0
    assert quota.reserve(LIMIT, 130.0, ahead=0, weight=3) == 51.0


def test_those_ahead_have_the_same_weight() -> None:
    """The third in line waits for the room of three, and the fourth for another span."""
    quota = sent(100.0, 110.0)

    waits = [quota.reserve(LIMIT, 130.0, ahead, weight=2) for ahead in range(1, 4)]

    assert waits == [0.0, 41.0, 61.0]


def test_a_request_that_must_wait_is_not_counted() -> None:
    """Even if the wait is shorter than a second."""
    quota = sent(*[100.0] * LIMIT)

    assert quota.reserve(LIMIT, 160.5, ahead=0, weight=1) == 0.5
    assert quota.room(LIMIT, 161.0) == LIMIT


def test_a_request_behind_others_is_not_counted() -> None:
    """Its wait is known, and the others are asked for first."""
    quota = Quota()

    assert quota.reserve(LIMIT, 100.0, ahead=2, weight=1) == 0.0
    assert quota.room(LIMIT, 100.0) == LIMIT


@pytest.mark.parametrize("named", [2, 20])
def test_a_weight_above_the_limit_takes_the_whole_limit(named: int) -> None:
    """Else the request would wait for room that never comes."""
    quota = with_rmz_limit(named)

    assert quota.reserve(LIMIT, 100.0, ahead=0, weight=7) == 0.0
    assert quota.room(LIMIT, 100.0) == 0
    assert quota.reserve(LIMIT, 101.0, ahead=0, weight=7) == 60.0
    assert quota.room(LIMIT, 161.0) == min(named, LIMIT)


def test_one_of_several_requests_at_a_moment_is_given_back() -> None:
    """The others of that moment were sent."""
    quota = sent(100.0, 100.0, 100.0)
    quota.forget(100.0)

    assert quota.room(LIMIT, 100.0) == 4


def test_a_request_with_a_weight_gives_all_of_it_back() -> None:
    """And no more than was counted of it, although the limit had capped its weight."""
    quota = sent(99.0, 101.0)
    quota.record(*[100.0] * 3)
    quota.forget(100.0, 5)

    assert quota.room(LIMIT, 101.0) == 4
