from __future__ import annotations

import pytest

from rmz_async import Duration, JSONObject, Subscription, SubscriptionStatus
from rmz_async._decoding.converter import decode

ACCESS = {
    "trialing": True,
    "active": True,
    "past_due": True,
    "paused": False,
    "canceled": False,
    "expired": False,
}


def test_there_are_six_states() -> None:
    """There are six."""
    assert [member.value for member in SubscriptionStatus] == list(ACCESS)


@pytest.mark.parametrize(("status", "granted"), ACCESS.items())
def test_trialing_active_and_past_due_grant_access(status: str, granted: bool) -> None:
    """Access is granted while trialing, active, and past due: payment is only being retried."""
    assert SubscriptionStatus(status).grants_access is granted
    assert decode({"id": 1, "status": status}, Subscription).grants_access is granted


@pytest.mark.parametrize(("status", "granted"), ACCESS.items())
def test_a_callers_plain_status_answers_like_rmzs(status: str, granted: bool) -> None:
    """A subscription that a caller's test builds with a plain string answers like RMZ's."""
    assert Subscription(id=1, status=status).grants_access is granted


@pytest.mark.parametrize("status", ["frozen", "", "ACTIVE", "active "])
def test_an_unknown_status_grants_nothing(status: str) -> None:
    """The meaning of a new status is not known here."""
    assert not decode({"id": 1, "status": status}, Subscription).grants_access


@pytest.mark.parametrize("is_active", [True, False, None])
def test_rmzs_own_word_is_not_asked(is_active: bool | None) -> None:
    """``is_active`` leaves out customers whose payment is being retried."""
    found = decode({"id": 1, "status": "past_due", "is_active": is_active}, Subscription)

    assert found.grants_access


@pytest.mark.parametrize(
    ("duration", "months"),
    [
        ("monthly", 1),
        ("quarterly", 3),
        ("semiAnnual", 6),
        ("annually", 12),
        ("biennial", 24),
        ("quinquennial", 60),
        ("decennial", 120),
    ],
)
def test_each_duration_has_its_months(duration: str, months: int) -> None:
    """Each duration has its months."""
    assert Duration(duration).months == months


def test_there_are_seven_durations() -> None:
    """There are seven."""
    assert len(Duration) == 7


def test_an_object_is_a_mapping() -> None:
    """An object is read like a dictionary."""
    found = JSONObject({"a": 1, "b": [2]})

    assert found["a"] == 1
    assert list(found) == ["a", "b"]
    assert len(found) == 2
    assert found.get("c") is None
    assert found == {"a": 1, "b": [2]}
    assert found != {"a": 1}
    with pytest.raises(KeyError):
        found["c"]


def test_an_empty_object_is_false() -> None:
    """Nothing is an object without keys."""
    assert JSONObject() == {}
    assert not JSONObject()


def test_an_object_is_its_own() -> None:
    """Changing what it was made of does not change it."""
    source = {"a": 1}
    found = JSONObject(source)
    source["a"] = 2

    assert found["a"] == 1


def test_an_object_is_hashable() -> None:
    """Equal objects have equal hashes, in whatever order and with whatever values."""
    assert hash(JSONObject({"a": [], "b": 1})) == hash(JSONObject({"b": 1, "a": []}))


def test_objects_with_other_keys_have_other_hashes() -> None:
    """A hash that were always the same would make sets slow."""
    assert hash(JSONObject({"a": 1})) != hash(JSONObject({"b": 1}))


def test_an_objects_repr_is_that_of_a_dictionary() -> None:
    """The repr looks like the dictionary that the object is."""
    assert repr(JSONObject({"a": 1})) == "{'a': 1}"


def test_an_object_cannot_be_changed() -> None:
    """An object is read-only, down to its attributes."""
    found = JSONObject({"a": 1})

    with pytest.raises(TypeError):
        found["a"] = 2  # type: ignore[index] # pyright: ignore[reportIndexIssue] # the very mistake
    with pytest.raises(TypeError):
        del found["a"]  # type: ignore[attr-defined] # pyright: ignore[reportIndexIssue] # the very mistake
    with pytest.raises(AttributeError):
        found.new = 1  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] # the very mistake
