from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import attrs
import pytest

from rmz_async import ConfigurationError, InMemoryQuotaStore, Pacing
from rmz_async._calls.token import Secret
from rmz_async._pacing.slots import Slots, quota_key
from tests.seams import Clock

LIMITS = ["per_minute", "lookup_per_minute"]


def test_the_defaults_are_rmzs_own_limits() -> None:
    """RMZ's own limits, a minute of patience, and a count of one's own."""
    assert Pacing() == Pacing(per_minute=60, lookup_per_minute=120, max_wait=60.0, store=None)


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [1, 30, 600])
def test_one_request_a_minute_or_more_is_accepted(name: str, value: int) -> None:
    """A request a minute or more."""
    options: dict[str, Any] = {name: value}

    assert getattr(Pacing(**options), name) == value


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("value", [0, -1, True, 1.0, "3", None])
def test_a_bad_limit_is_refused(name: str, value: Any) -> None:
    """No request at all, and what is no integer, is refused by name."""
    with pytest.raises(ConfigurationError, match=f"^{name}: must be an integer of 1 or more$"):
        Pacing(**{name: value})


@pytest.mark.parametrize("value", [0, 0.0, 0.5, 86_400])
def test_waits(value: float) -> None:
    """Anything finite, and no wait at all."""
    assert Pacing(max_wait=value).max_wait == value


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan, True, "5", None, Decimal(5)])
def test_a_bad_wait_is_refused(value: Any) -> None:
    """Endless waits and what is no number are refused by name."""
    with pytest.raises(ConfigurationError, match=r"^max_wait: must be .* seconds, 0 or more$"):
        Pacing(max_wait=value)


def test_any_object_with_the_methods_is_a_store() -> None:
    """Any object with the methods will do."""
    store = InMemoryQuotaStore()

    assert Pacing(store=store).store is store


@pytest.mark.parametrize("value", ["redis://", 5, InMemoryQuotaStore])
def test_an_object_without_the_methods_is_no_store(value: Any) -> None:
    """An object without such methods, or a class instead of an object, is refused by name."""
    with pytest.raises(ConfigurationError, match=r"^store: must have the methods of QuotaStore$"):
        Pacing(store=value)


def test_options_have_names() -> None:
    """A bare number would not say which limit it is."""
    unnamed: Any = Pacing

    with pytest.raises(TypeError):
        unnamed(30)


def test_pacing_does_not_change() -> None:
    """Clients share it, and so it is frozen."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Pacing().per_minute = 5  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the very mistake


def test_a_key_does_not_show_the_token() -> None:
    """A key is a digest of the token and the quota's name."""
    key = quota_key(Secret("1|S3CRETcanary"), "lookup")

    assert key == "8c68a377c51692e5:lookup"
    assert "S3CRET" not in key


def test_each_token_and_quota_has_a_key() -> None:
    """Two tokens, and two quotas of one, are counted apart; the same is counted together."""
    keys = [
        quota_key(Secret(token), quota) for token in ("1|a", "1|b") for quota in ("all", "lookup")
    ]

    assert len(set(keys)) == 4
    assert quota_key(Secret("1|a"), "all") == keys[0]


def test_whose_store_may_hang_or_fail() -> None:
    """Any but the library's own, and so one that is built on it."""

    class Theirs(InMemoryQuotaStore):
        pass

    for store, theirs in ((None, False), (InMemoryQuotaStore(), False), (Theirs(), True)):
        assert Slots(Pacing(store=store), Clock()).trusts_store is not theirs
