"""A read may come from a replica that lags, and RMZ's servers may have other clocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from rmz_async import ConflictError, ConnectionFailedError, OutcomeUnknownError, RetryPolicy
from tests.wire.changes import FRESH, LOST, SAMPLES, STATE_CHANGES, failing

pytestmark = pytest.mark.anyio

ACTIVE = {"status": "active", "cancel_at_period_end": False}
START: Mapping[str, Mapping[str, object]] = {
    "cancel": ACTIVE,
    "cancel at once": ACTIVE,
    "pause": ACTIVE,
    "unpause": {"status": "paused", "cancel_at_period_end": False},
}
LAGS = [0.0, 0.5, 1.0, 2.0, 30.0]
# The clock of the answers, and that of `updated_at`, against RMZ's own.
SKEWS = [(0, 0), (300, 0), (-300, 0), (0, 300), (0, -300), (300, -300), (-300, 300)]
every_change = pytest.mark.parametrize("name", STATE_CHANGES)
every_lag = pytest.mark.parametrize("lag", LAGS)
one_way = pytest.mark.parametrize(("anyio_backend", "http"), [("asyncio", None)])
"""For what is decided in one pure place, and comes in many cases."""

every_skew = pytest.mark.parametrize("skew", SKEWS)


class Replicated:
    """A subscription at an RMZ that writes to one server and reads from another.

    Attributes:
        lag: Seconds after which a read shows a write.
        skew: Seconds that the clock of the answers, and that of `updated_at`, are ahead.
        lost: The fate of each request for the change: "applied" or "dropped" without an
            answer; the others are answered.
        undone: Whether the customer undoes the change just before it is first looked at.
        applied: How often the change was applied.
    """

    def __init__(self, router: respx.MockRouter, time: Any, name: str) -> None:
        self.lag, self.skew = 0.0, (0, 0)
        self.lost: Iterator[str] = iter(["applied"])
        self.undone = False
        self.applied = 0
        self.sample = SAMPLES[name]
        self._time = time
        self._start = START[name]
        self._states: list[tuple[float, Mapping[str, object]]] = []
        self.write(self._start, ago=86_400.0)
        router.request(self.sample.method, self.sample.path).mock(side_effect=self._change)
        router.get(self.sample.read or "").mock(side_effect=self._read)

    def write(self, state: Mapping[str, object], *, ago: float = 0.0) -> None:
        """Put the subscription into a state."""
        changed = self._time.today() - timedelta(seconds=ago)
        updated_at = changed + timedelta(seconds=self.skew[1])
        fields = {**state, "id": 501, "updated_at": updated_at.isoformat()}
        self._states.append((self._time.now - ago, fields))

    @property
    def state(self) -> Mapping[str, object]:
        """Return what the server that is written to holds."""
        return self._states[-1][1]

    def _change(self, _: httpx.Request) -> httpx.Response:
        lost = next(self.lost, None)
        if lost == "dropped":
            raise LOST
        wanted = self.sample.wanted
        if any(self.state.get(key) != value for key, value in self._start.items()):
            answer = failing(422, "not in this state")
        else:
            self.applied += 1
            self.write({**self._start, **wanted})
            answer = self._answer(self.state)
        if lost == "applied":
            raise LOST
        return answer

    def _read(self, _: httpx.Request) -> httpx.Response:
        if self.undone:
            self.undone = False
            self.write(self._start)
        shown = [state for at, state in self._states if at <= self._time.now - self.lag]
        return self._answer(shown[-1])

    def _answer(self, data: Mapping[str, object]) -> httpx.Response:
        now: datetime = self._time.today() + timedelta(seconds=self.skew[0])
        return httpx.Response(200, json={"data": data, "timestamp": int(now.timestamp())})


@pytest.fixture
def make_replicated(rmz_api: respx.MockRouter, time: Any) -> Any:
    """Build the subscription for one of the changes."""
    return lambda name: Replicated(rmz_api, time, name)


@every_lag
@every_change
async def test_a_change_whose_answer_is_lost_is_found_behind_the_lag(
    make_replicated: Any, make_client: Any, name: str, lag: float
) -> None:
    """The object is read until it shows the change, and nothing is sent again."""
    shop = make_replicated(name)
    shop.lag = lag
    async with make_client() as rmz:
        await shop.sample.make(rmz)
    assert shop.applied == 1


@every_lag
@every_change
async def test_a_change_that_did_not_arrive_is_sent_again_after_the_lag(
    make_replicated: Any, make_client: Any, time: Any, name: str, lag: float
) -> None:
    """Not before a replica must have shown the first one."""
    shop = make_replicated(name)
    shop.lag, shop.lost = lag, iter(["dropped"])
    async with make_client() as rmz:
        await shop.sample.make(rmz)
    assert shop.applied == 1
    assert sum(time.slept) > RetryPolicy().replica_lag


@one_way
@every_skew
@every_lag
@pytest.mark.parametrize("fate", ["applied", "dropped"])
@every_change
async def test_no_lag_and_no_clock_leads_to_a_wrong_word(
    make_replicated: Any,
    make_client: Any,
    time: Any,
    name: str,
    fate: str,
    lag: float,
    skew: tuple[int, int],
) -> None:
    """A call that returns was applied once, and one that failed was not; later, too."""
    shop = make_replicated(name)
    shop.lag, shop.skew, shop.lost = lag, skew, iter([fate])
    async with make_client() as rmz:
        try:
            await shop.sample.make(rmz)
        except OutcomeUnknownError as error:
            time.now += 100.0
            try:
                await rmz.resolve(error)
            except OutcomeUnknownError:
                assert shop.applied == (fate == "applied")
                return
            except ConnectionFailedError:
                assert shop.applied == 0
                return
        assert shop.applied == 1


@one_way
@every_skew
@every_lag
@every_change
async def test_a_customer_who_undid_the_change_is_left_alone(
    make_replicated: Any,
    make_client: Any,
    name: str,
    lag: float,
    skew: tuple[int, int],
) -> None:
    """The change is never applied a second time, against their wish."""
    shop = make_replicated(name)
    shop.lag, shop.skew = lag, skew
    shop.undone = True
    async with make_client() as rmz:
        try:
            await shop.sample.make(rmz)
        except OutcomeUnknownError as error:
            with pytest.raises(OutcomeUnknownError):
                await rmz.resolve(error)
    assert shop.applied == 1
    assert shop.state["status"] == START[name]["status"]


@every_change
async def test_a_refusal_that_contradicts_what_was_read_is_unknown(
    make_replicated: Any, make_client: Any, name: str
) -> None:
    """The refusal proves that the read is stale, even if RMZ is said to read its own writes."""
    shop = make_replicated(name)
    shop.lag = 3600.0
    async with make_client(retry=FRESH) as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await shop.sample.make(rmz)
    assert isinstance(caught.value.__cause__, ConflictError)
    assert shop.applied == 1


async def test_an_extension_is_found_behind_the_lag(
    make_shop: Any, make_client: Any, time: Any
) -> None:
    """A call that is never sent again is read again, for some seconds."""
    shop = make_shop("extend what was read")
    shop.sent.side_effect = [LOST]
    began = time.now
    shop.read.side_effect = lambda _: (
        shop.applied(ago=time.now - began) if time.now > began + 2 else shop.unchanged()
    )
    async with make_client() as rmz:
        await shop.sample.make(rmz)
    assert shop.sent.call_count == 1
    assert time.now - began < 10


async def test_a_short_call_does_not_wait_for_the_lag(
    make_replicated: Any, make_client: Any, time: Any
) -> None:
    """A caller who has no time for a retry learns soon that the outcome is unknown."""
    shop = make_replicated("pause")
    shop.lost = iter(["dropped"])
    async with make_client(timeout=10) as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert sum(time.slept) < 10
    assert shop.applied == 0
