"""Users of whom an event has reported a change since RMZ was asked about them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.paywall.scripted import START
from tests.seams import Doubts, Setting, replace

SECOND = timedelta(seconds=1)


def test_whoever_was_doubted_first_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who is doubted again goes last."""
    replace(monkeypatch, Setting.MOST_DOUBTS, 2)
    doubts = Doubts()

    for user in ("noura", "sami", "noura", "huda"):
        doubts.add(user, START)

    assert [user for user in ("noura", "sami", "huda") if user in doubts] == ["noura", "huda"]


def test_a_hundred_thousand_users_are_doubted_at_the_same_time() -> None:
    """A shop that cancels all of its subscriptions in one minute fills no more memory."""
    doubts = Doubts()

    for number in range(100_001):
        doubts.add(f"user-{number}", START)

    assert "user-0" not in doubts
    assert "user-1" in doubts


def test_an_answer_that_was_asked_for_before_the_event_settles_nothing() -> None:
    """The answer may come after the event."""
    doubts = Doubts()
    doubts.add("noura", START)

    assert not doubts.settle("noura", START - SECOND)
    assert doubts.reported_at("noura") == START
    assert doubts.settle("noura", START)
    assert doubts.reported_at("noura") is None
    assert "noura" not in doubts
    assert doubts.settle("sami", START)


def test_an_answer_is_overtaken_only_by_an_event_that_is_settled_after_it_was_asked_for() -> None:
    """An event that is not settled only doubts the answer."""
    doubts = Doubts()
    doubts.add("noura", START)
    assert not doubts.overtook("noura", START - SECOND, None)
    doubts.settle("noura", START)

    settled = doubts.settled_at("noura")
    assert doubts.overtook("noura", START - SECOND, None)
    assert not doubts.overtook("noura", START, None)
    assert not doubts.overtook("noura", START - SECOND, settled)
    assert not doubts.overtook("sami", START - SECOND, None)


def test_the_latest_thousand_settled_events_are_remembered() -> None:
    """No answer is on its way for so long that it needs more."""
    doubts = Doubts()
    for number in range(1_001):
        doubts.add(f"user-{number}", START)
        doubts.settle(f"user-{number}", START)

    assert doubts.settled_at("user-0") is None
    assert doubts.settled_at("user-1") == START
