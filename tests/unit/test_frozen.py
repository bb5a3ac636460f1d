"""The methods that all frozen values share are those that attrs would write."""

from __future__ import annotations

from typing import Any
from unittest.mock import ANY

import attrs
import pytest

from rmz_async._frozen import frozen


def fields() -> dict[str, Any]:
    """The fields of one class, each kind of them once."""
    return {
        "name": attrs.field(),
        "secret": attrs.field(repr=False),
        "note": attrs.field(eq=False, default=None),
        "data": attrs.field(hash=False, default=()),
    }


OURS: Any = frozen(type("Value", (), fields()))
THEIRS: Any = attrs.frozen(type("Value", (), fields()))


@pytest.mark.parametrize(
    "other", [("a", 1), ("b", 1), ("a", 2), ("a", 1, "note"), ("a", 1, None, [])], ids=repr
)
def test_values_are_equal_if_the_fields_that_count_are(other: tuple[object, ...]) -> None:
    assert (OURS("a", 1) == OURS(*other)) is (THEIRS("a", 1) == THEIRS(*other))
    assert (OURS("a", 1) != OURS(*other)) is (THEIRS("a", 1) != THEIRS(*other))


def test_equality_with_another_kind_is_left_to_it() -> None:
    assert OURS("a", 1) == ANY


def test_equal_values_have_one_hash() -> None:
    assert len({OURS("a", 1), OURS("a", 1, "note"), OURS("a", 1, None, ())}) == 1


def test_a_field_without_a_hash_may_hold_a_list() -> None:
    assert hash(OURS("a", 1, data=[1])) == hash(OURS("a", 1, data=[2]))


def test_a_value_that_differs_has_another_hash() -> None:
    assert hash(OURS("a", 1)) != hash(OURS("a", 2))


def test_a_value_shows_its_fields_but_not_a_secret() -> None:
    assert repr(OURS("a", "hidden")) == repr(THEIRS("a", "hidden"))
    assert "hidden" not in repr(OURS("a", "hidden"))


def test_a_method_that_the_class_has_or_inherits_is_kept() -> None:
    @frozen
    class Shown:
        name: str

        def __repr__(self) -> str:
            return f"<{self.name}>"

    @frozen
    class ShownToo(Shown):
        note: str

    assert repr(Shown("a")) == repr(ShownToo("a", "b")) == "<a>"
    assert Shown("a") == Shown("a") != ShownToo("a", "b")
    assert ShownToo("a", "b") != ShownToo("a", "c")
