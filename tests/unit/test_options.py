from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import attrs
import pytest

from rmz_async import ConfigurationError, RetryPolicy
from rmz_async.options import Options

SECONDS_RULE = "must be a finite number of seconds above 0"
DURATIONS = ["backoff", "max_backoff", "attempt_timeout"]


def test_the_defaults_are_those_documented() -> None:
    """Three attempts of 30 seconds in a minute, half a second to 8 seconds apart."""
    assert RetryPolicy() == RetryPolicy(
        max_attempts=3, backoff=0.5, max_backoff=8.0, attempt_timeout=30.0
    )
    assert Options(base_url="x").timeout == 60.0
    assert Options(base_url="x").retry == RetryPolicy()


@pytest.mark.parametrize("value", [3, None, {"max_attempts": 3}, RetryPolicy])
def test_a_policy_must_be_a_policy(value: Any) -> None:
    """A number of attempts, as other libraries take it, is refused before the first call."""
    with pytest.raises(ConfigurationError, match="retry: must be a RetryPolicy"):
        Options(base_url="x", retry=value)


@pytest.mark.parametrize("value", [1, 2, 100])
def test_one_attempt_or_more_are_accepted(value: int) -> None:
    """A policy allows at least one attempt."""
    assert RetryPolicy(max_attempts=value).max_attempts == value


@pytest.mark.parametrize("value", [0, -1, True, 1.0, "3", None])
def test_a_bad_number_of_attempts_is_refused(value: Any) -> None:
    """No attempt at all, and a value that is no integer, are refused by name."""
    with pytest.raises(ConfigurationError, match="max_attempts: must be an integer of 1 or more"):
        RetryPolicy(max_attempts=value)


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("value", [0.001, 1, 86_400.0])
def test_finite_durations_above_zero_are_accepted(name: str, value: float) -> None:
    """Anything finite above zero."""
    options: dict[str, Any] = {name: value}

    assert getattr(RetryPolicy(**options), name) == value


BAD_DURATIONS = [0, 0.0, -1, math.inf, math.nan, True, "5", None, Decimal(5)]


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("value", BAD_DURATIONS)
def test_a_bad_duration_is_refused(name: str, value: Any) -> None:
    """No time, endless time and what is no number are refused by name."""
    with pytest.raises(ConfigurationError, match=f"{name}: {SECONDS_RULE}"):
        RetryPolicy(**{name: value})


@pytest.mark.parametrize("value", BAD_DURATIONS)
def test_an_endless_timeout_is_refused(value: Any) -> None:
    """A call without an end would hang."""
    with pytest.raises(ConfigurationError, match=f"timeout: {SECONDS_RULE}"):
        Options(base_url="x", timeout=value)


def test_a_policy_does_not_change() -> None:
    """Clients share policies, and so they are frozen."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        RetryPolicy().max_attempts = 5  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the very mistake


def test_options_do_not_change() -> None:
    """Clients share options, and so they are frozen."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Options(base_url="x").timeout = 5  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the very mistake


@pytest.mark.parametrize("value", [0, 1, "no", None])
def test_retry_sessions_must_be_a_boolean(value: Any) -> None:
    """Session calls are retried, or they are not."""
    with pytest.raises(ConfigurationError, match=r"^retry_sessions: must be True or False$"):
        RetryPolicy(retry_sessions=value)


@pytest.mark.parametrize("value", [60, True, "fast", object()])
def test_a_bare_number_is_no_pacing(value: Any) -> None:
    """A bare number of requests does not say which quota it is for."""
    with pytest.raises(ConfigurationError, match=r"^pacing: must be a Pacing or None$"):
        Options(base_url="x", pacing=value)
