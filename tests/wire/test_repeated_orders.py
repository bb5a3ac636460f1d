"""An order that is sent again: the same bytes, and only while RMZ remembers the first."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rmz_async import APIError, OutcomeUnknownError
from tests.wire.changes import LOST, MakeShop, failing, order_of

pytestmark = pytest.mark.anyio


async def test_an_order_is_sent_again_byte_for_byte(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """RMZ takes only the same bytes for the same order, whatever becomes of the caller's dict."""
    shop = make_shop("order")
    options = {"size": "L", "note": "أحمد"}

    def lose(_: httpx.Request) -> httpx.Response:
        options["size"] = "XL"
        raise LOST

    answers = iter([lose, lose, shop.done])
    shop.sent.side_effect = lambda request: next(answers)(request)
    async with make_client() as rmz:
        await order_of(options)(rmz)
    first, second, third = (call.request.content for call in shop.sent.calls)
    assert first == second == third
    assert "أحمد".encode() in first
    assert time.slept == [0.5, 1.0]


@pytest.mark.parametrize(("took", "times"), [(239.4, 2), (239.5, 1), (239.6, 1), (300.0, 1)])
async def test_an_order_is_not_sent_again_after_4_minutes(
    make_shop: MakeShop, make_client: Any, time: Any, took: float, times: int
) -> None:
    """RMZ would make a second order: its time counts from the first attempt, with the wait."""
    shop = make_shop("order")

    def lose(_: httpx.Request) -> httpx.Response:
        time.now += took
        raise LOST

    answers = iter([lose, shop.done])
    shop.sent.side_effect = lambda request: next(answers)(request)
    async with make_client(timeout=900) as rmz:
        if times == 2:
            await shop.sample.make(rmz)
        else:
            with pytest.raises(OutcomeUnknownError):
                await shop.sample.make(rmz)
    assert shop.sent.call_count == times


async def test_an_order_that_was_throttled_has_time(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """An order that was surely not made is sent at any time."""
    shop = make_shop("order")
    late = httpx.Response(
        429, json={"message": None}, headers={"Retry-After": "290", "X-RateLimit-Remaining": "0"}
    )
    answers = iter([late])
    shop.sent.side_effect = lambda _: next(answers, None) or shop.done()
    async with make_client(timeout=900, pacing=None) as rmz:
        await shop.sample.make(rmz)
    assert time.slept == [290.0]


async def test_an_order_that_was_made_twice_is_one(make_shop: MakeShop, make_client: Any) -> None:
    """RMZ says of the second one that it had the first."""
    shop = make_shop("order")
    duplicate = shop.ok({"checkout_id": 7, "duplicate": True})
    shop.sent.side_effect = [LOST, duplicate]
    async with make_client() as rmz:
        order = await shop.sample.make(rmz)
    assert (order.duplicate, order.checkout_id, order.checkout_url) == (True, 7, None)


@pytest.mark.parametrize("status", [400, 409, 422, 404, 429])
async def test_a_refusal_after_a_lost_answer_is_unknown(
    make_shop: MakeShop, make_client: Any, status: int
) -> None:
    """The first one may have been made, and have taken the last piece."""
    shop = make_shop("order")
    shop.sent.side_effect = [LOST, failing(status)]
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError, match="create the same order again") as caught:
            await shop.sample.make(rmz)
    assert isinstance(caught.value.__cause__, APIError)
    assert caught.value.__cause__.status == status
