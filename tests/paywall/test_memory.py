"""The two rooms of a paywall's memory: those who pay, and all others."""

from __future__ import annotations

import pytest

from rmz_async.paywall import Access, Reason
from tests.paywall.scripted import START
from tests.seams import Memory, Remembered


def entry(granted: bool, span: float = 60.0) -> Remembered:
    """An answer that was learnt at 0 seconds."""
    reason = Reason.ACTIVE if granted else Reason.EXPIRED
    return Remembered(0.0, span, Access(granted=granted, reason=reason, checked_at=START))


@pytest.fixture
def memory() -> Memory:
    """A memory of two payers and two others; the time is 10 seconds."""
    return Memory(lambda: 10.0, 2, 2)


def test_a_new_answer_replaces_the_one_in_the_other_room(memory: Memory) -> None:
    """A customer who has paid is not refused when newer payers have taken the room."""
    memory.keep("noura", entry(False))
    memory.keep("noura", entry(True))
    for newer in ("sara", "sami"):
        memory.keep(newer, entry(True))
    assert memory.fresh("noura") is None

    memory.keep("sara", entry(False))
    assert memory.payer("sara") is None
    assert memory.fresh("sara") == entry(False).access


def test_a_payer_who_was_learnt_again_goes_last(memory: Memory) -> None:
    """The one that was learnt first goes first."""
    for user in ("noura", "sara", "noura", "sami"):
        memory.keep(user, entry(True))

    assert [user for user, _ in memory.payers()] == ["noura", "sami"]


def test_an_expired_answer_is_not_handed_out_and_a_payer_stays_known(memory: Memory) -> None:
    """A payer is known through an outage."""
    memory.keep("noura", entry(True))
    memory.keep("sami", entry(False))

    for user in ("noura", "sami", "nobody"):
        memory.expire(user)
        assert memory.fresh(user) is None
    assert memory.payer("noura") is not None
    assert len(memory) == 1


@pytest.mark.parametrize("granted", [True, False])
def test_a_forgotten_user_is_a_stranger(memory: Memory, granted: bool) -> None:
    """In both rooms."""
    memory.keep("noura", entry(granted))

    memory.forget("noura")

    assert memory.fresh("noura") is None
    assert memory.payer("noura") is None


def test_an_answer_is_handed_out_up_to_its_end_and_counted(memory: Memory) -> None:
    """At its end it is looked at again."""
    memory.keep("noura", entry(True, span=10.1))
    memory.keep("sara", entry(True, span=10.0))

    assert memory.fresh("noura") is not None
    assert memory.fresh("sara") is None
    assert memory.handed_out == 1


def test_an_answer_has_no_dictionary() -> None:
    """A paywall remembers one for each payer, and a dictionary would double its memory."""
    assert not hasattr(entry(granted=True).access, "__dict__")
