"""How old an answer may be, in seconds that a caller sets or leaves out."""

from __future__ import annotations

import math
from typing import Any, cast

import httpx
import pytest

from rmz_async import Client, ConfigurationError, Paywall
from rmz_async.paywall import Lifetimes


def test_the_seconds_that_hold_if_nothing_is_set() -> None:
    """A minute, a quarter of an hour, a quarter of a day; three seconds are waited for RMZ."""
    minute, hour = 60, 3600

    assert Lifetimes() == Lifetimes(
        soft=minute, hard=hour / 4, max_stale=24 * hour / 4, refusal=5, patience=3
    )


def test_lifetimes_may_be_equal() -> None:
    """Such a paywall hands out nothing that is stale."""
    lifetimes = Lifetimes(soft=0.5, hard=0.5, max_stale=0.5)

    assert lifetimes.stretched(3) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("factor", "stretched"), [(0.5, (60, 900)), (1, (60, 900)), (1.5, (90, 1350))]
)
def test_a_stretch_makes_nothing_shorter(factor: float, stretched: tuple[float, float]) -> None:
    """The stretch is the part of the minute that those who wait will take, and 1."""
    assert Lifetimes().stretched(factor) == stretched


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan, True, "60", None])
def test_a_lifetime_is_a_finite_number_of_seconds(value: Any) -> None:
    """The message ends with the rule."""
    with pytest.raises(ConfigurationError, match=r"^max_stale: must be a finite .* above 0$"):
        Lifetimes(max_stale=value)


def test_a_rule_between_two_lifetimes_is_named_to_its_end() -> None:
    """A longer refusal is the mistake that costs most, so the message says why."""
    with pytest.raises(ConfigurationError, match=r"^soft, hard, max_stale: .* than hard$"):
        Lifetimes(hard=10)
    with pytest.raises(ConfigurationError, match=r"^refusal: must be 5 seconds .* for longer$"):
        Lifetimes(refusal=5.1)
    with pytest.raises(ConfigurationError, match=r"^lifetimes: must be a Lifetimes$"):
        Paywall(Client("1|secret-token"), lifetimes=cast("Any", 60))


@pytest.mark.anyio
@pytest.mark.parametrize(("lifetime", "requests"), [(60, 1), (1e-9, 2)])
async def test_a_paywall_has_the_lifetimes_that_it_is_given(lifetime: float, requests: int) -> None:
    """RMZ is asked again about an answer that has lived for longer."""
    asked: list[httpx.Request] = []
    answer = {
        "message": None,
        "data": {
            "count": 1,
            "has_active": True,
            "subscriptions": [{"id": 501, "status": "active", "external_customer_id": "noura"}],
        },
        "api": "rmz.shawarma",
        "timestamp": 1767225600,
    }

    def find(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=answer)

    lifetimes = Lifetimes(soft=lifetime, hard=lifetime, max_stale=lifetime)
    async with httpx.AsyncClient(transport=httpx.MockTransport(find)) as http:
        paywall = Paywall(Client("1|a-token", http=http), lifetimes=lifetimes)
        assert await paywall.check("noura")
        assert await paywall.check("noura")

    assert len(asked) == requests


def test_a_lifetime_is_named() -> None:
    """A row of numbers could be in any order."""
    with pytest.raises(TypeError):
        cast("Any", Lifetimes)(60)
