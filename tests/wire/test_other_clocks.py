"""The calendar, RMZ's clocks and this machine's own do not always agree."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import respx

from rmz_async import (
    ConflictError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RateLimitError,
)
from tests.seams import clock_of
from tests.wire.changes import FRESH, LOST, REFUSED, MakeShop, failing

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("suspended", "times"), [(238.0, 3), (239.5, 1), (3600.0, 1)])
async def test_a_suspended_machine_does_not_send_an_order_again(
    make_shop: MakeShop, make_client: Any, time: Any, suspended: float, times: int
) -> None:
    """RMZ may have forgotten the first one meanwhile, so it is not sent again."""
    shop = make_shop("order")

    def sleep(_: httpx.Request) -> httpx.Response:
        time.suspended = suspended
        raise LOST

    shop.sent.side_effect = sleep
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert shop.sent.call_count == times


async def test_the_time_is_checked_just_before_sending(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """The time is looked at again just before anything is sent."""
    shop = make_shop("order")
    shop.sent.side_effect = [LOST]
    async with make_client() as rmz:
        sleep = clock_of(rmz).sleep

        async def suspend(seconds: float) -> None:
            await sleep(seconds)
            time.suspended = 3600.0

        object.__setattr__(clock_of(rmz), "sleep", suspend)
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert shop.sent.call_count == 1


async def test_a_change_made_during_a_suspension_may_be_its_own(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """A change made meanwhile, by RMZ's clock, may be its work, or was there before.

    The calendar may have been put right instead.
    """
    shop = make_shop("pause")

    def sleep(_: httpx.Request) -> httpx.Response:
        time.suspended = 600.0
        raise LOST

    shop.sent.side_effect = sleep
    shop.read.side_effect = lambda _: shop.applied(ago=599)
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)
    assert shop.sent.call_count == 1


async def test_a_suspended_machine_does_not_send_a_change_again(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """Ten minutes later the customer may have undone the change: it is not sent again."""
    shop = make_shop("pause")

    def sleep(_: httpx.Request) -> httpx.Response:
        time.suspended = 600.0
        raise LOST

    shop.sent.side_effect = sleep
    shop.read.side_effect = shop.unchanged
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)
    assert shop.sent.call_count == 1


async def test_resolving_after_the_machine_was_suspended(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """An order is not sent again, and an object unchanged for an hour shows no change."""
    order, pause = make_shop("order"), make_shop("pause")
    order.sent.side_effect = pause.sent.side_effect = pause.read.side_effect = LOST
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError) as ordered:
            await order.sample.make(rmz)
        with pytest.raises(OutcomeUnknownError) as paused:
            await pause.sample.make(rmz)
        tries = order.sent.call_count
        time.suspended = 3600.0
        with pytest.raises(OutcomeUnknownError):
            await rmz.resolve(ordered.value)
        pause.read.side_effect = lambda _: pause.unchanged(ago=7200)
        with pytest.raises(ConnectionFailedError, match="it was not applied"):
            await rmz.resolve(paused.value)
    assert order.sent.call_count == tries


async def test_a_calendar_put_back_makes_no_call_younger(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """The calendar makes no call younger than it is."""
    shop = make_shop("order")

    def slow(_: httpx.Request) -> httpx.Response:
        time.suspended = -3600.0
        time.now += 239.6
        raise LOST

    shop.sent.side_effect = slow
    async with make_client(timeout=400) as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert shop.sent.call_count == 1


async def test_servers_whose_clocks_differ_leave_the_outcome_unknown(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """The first has written the change, and the other, which is ahead, says when it was read."""
    shop = make_shop("pause")
    shop.sent.side_effect = [LOST]
    began = time.now
    shop.read.side_effect = lambda _: shop.applied(ago=6 + time.now - began)
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)
    assert shop.sent.call_count == 1


async def test_a_try_that_did_not_arrive_does_not_count(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """A change before the first request that may have arrived is another's work."""
    shop = make_shop("extend what was read")

    def refuse(_: httpx.Request) -> httpx.Response:
        time.now += 10
        raise REFUSED

    def lose(_: httpx.Request) -> httpx.Response:
        raise LOST

    answers = iter([refuse, lose])
    shop.sent.side_effect = lambda request: next(answers)(request)
    shop.read.side_effect = lambda _: shop.applied(ago=5)
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await shop.sample.make(rmz)
    began = time.today().timestamp() - sum(time.slept)
    assert caught.value.sent_at is not None
    assert caught.value.sent_at.timestamp() == pytest.approx(began, abs=1)


async def test_a_date_to_retry_after_is_compared_with_the_calendar_of_the_client(
    rmz_api: respx.MockRouter, make_client: Any, time: Any
) -> None:
    """The calendar of a sandbox's client is the sandbox's, and the machine's is another."""
    refused = failing(429)
    refused.headers["Retry-After"] = format_datetime(
        time.today() + timedelta(seconds=10), usegmt=True
    )
    rmz_api.post("/subscriptions/501/extend").mock(return_value=refused)
    async with make_client() as rmz:
        with pytest.raises(RateLimitError) as caught:
            await rmz.subscriptions.extend(501, days=7)
    assert caught.value.retry_after == 10


async def test_a_throttled_try_does_not_count(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """A change that waited for the throttle is sent again like one that did not."""
    shop = make_shop("pause")
    throttled = failing(429)
    throttled.headers.update({"Retry-After": "40", "X-RateLimit-Remaining": "0"})
    shop.sent.side_effect = [throttled, LOST, shop.done()]
    shop.read.side_effect = shop.unchanged
    async with make_client(timeout=300) as rmz:
        assert (await rmz.subscriptions.pause(501)).status == "paused"
    assert shop.sent.call_count == 3


@pytest.mark.parametrize(
    ("took", "ago", "expected"),
    [(9.5, 12.0, None), (9.5, 13.1, OutcomeUnknownError), (9.5, 613.1, ConflictError)],
)
async def test_the_time_since_the_first_attempt_counts(
    make_shop: MakeShop, make_client: Any, time: Any, took: float, ago: float, expected: Any
) -> None:
    """A change of ten seconds ago is the call's own if the call was sent ten seconds ago.

    A change of some seconds before is unclear, as two servers' clocks may differ by so much.
    """
    shop = make_shop("pause")

    def slow(_: httpx.Request) -> httpx.Response:
        time.now += took
        raise LOST

    def refuse(_: httpx.Request) -> httpx.Response:
        return failing(409)

    answers = iter([slow, refuse])
    shop.sent.side_effect = lambda request: next(answers)(request)
    shop.read.side_effect = lambda _: shop.applied(ago=ago + (0 if shop.sent.call_count < 2 else 9))
    async with make_client(retry=FRESH) as rmz:
        if expected is None:
            assert (await rmz.subscriptions.pause(501)).status == "paused"
        else:
            with pytest.raises(expected):
                await rmz.subscriptions.pause(501)
