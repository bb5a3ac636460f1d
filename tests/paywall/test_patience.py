"""A check waits for RMZ as long as patience says, however late the slot of its request came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import attrs
import httpx
import pytest

from rmz_async import Pacing, Paywall
from rmz_async.paywall import Lifetimes, Reason
from tests.seams import Clock, async_client

pytestmark = pytest.mark.anyio

PATIENCE = 3.0


@attrs.define
class SilentRMZ:
    """An RMZ that answers nothing, so that each attempt takes all its time.

    Attributes:
        now: Seconds, monotonic.
        limits: How long each attempt has waited; seconds.
        found: How many requests are answered before that.
    """

    now: float = 1000.0
    limits: list[float] = attrs.field(factory=list[float])
    found: int = 0

    def clock(self) -> Clock:
        """Return a clock on which only RMZ and waits take time."""
        return Clock(clock=lambda: self.now, today=self.today, sleep=self.sleep, draw=lambda: 0.0)

    def today(self) -> datetime:
        """Return what the calendar says."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now)

    async def sleep(self, seconds: float) -> None:
        """Let time pass immediately."""
        self.now += seconds

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as long as that is wanted, and then never again."""
        if self.found:
            self.found -= 1
            data = {"count": 0, "has_active": False, "subscriptions": []}
            answer = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1767225600}
            return httpx.Response(200, json=answer, request=request)
        self.limits.append(request.extensions["timeout"]["read"])
        self.now += self.limits[-1]
        raise httpx.ReadTimeout("silent", request=request)


@pytest.fixture
def silent() -> SilentRMZ:
    return SilentRMZ()


@pytest.fixture
async def http(silent: SilentRMZ, anyio_backend: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(silent.answer)) as opened:
        yield opened


@pytest.mark.parametrize("pacing", [Pacing(), None])
async def test_a_check_waits_for_rmz_as_long_as_patience_says(
    silent: SilentRMZ, http: httpx.AsyncClient, pacing: Pacing | None
) -> None:
    """The wait for a slot has a patience of its own, but here a slot is free."""
    rmz = async_client(silent.clock(), "1|a-token", http=http, pacing=pacing)
    began = silent.now

    access = await Paywall(rmz, lifetimes=Lifetimes(patience=PATIENCE)).check("noura")

    assert access.reason is Reason.UNAVAILABLE
    assert silent.now - began == PATIENCE
    assert silent.limits == [PATIENCE]


async def test_a_request_whose_slot_came_late_has_as_much_time_as_any(
    silent: SilentRMZ, http: httpx.AsyncClient
) -> None:
    """Else a full minute would look like an outage."""
    pacing = Pacing(lookup_per_minute=5)
    rmz = async_client(silent.clock(), "1|a-token", http=http, pacing=pacing)
    paywall = Paywall(rmz, lifetimes=Lifetimes(patience=PATIENCE))
    silent.found = 4  # the strangers' part of the minute
    for number in range(silent.found):
        await paywall.check(f"stranger-{number}")
    silent.now += 59.0
    began = silent.now

    await paywall.check("noura")

    assert silent.limits == [PATIENCE]
    assert PATIENCE < silent.now - began <= 2 * PATIENCE
