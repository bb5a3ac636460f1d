"""To find out later what could not be found out in time."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from rmz_async import (
    ConfigurationError,
    ConnectionFailedError,
    DuplicateOrder,
    NotFoundError,
    OutcomeUnknownError,
)
from tests.wire.changes import (
    FRESH,
    LOGIN_PAGE,
    LOST,
    SAMPLES,
    MakeShop,
    Shop,
    failing,
    fresh,
    order_of,
)
from tests.wire.conftest import TOKEN

pytestmark = pytest.mark.anyio

SETTLED = [name for name, sample in SAMPLES.items() if sample.read is not None]


async def unknown(shop: Shop, rmz: Any, failure: Any = LOST) -> OutcomeUnknownError:
    """Make the call, which ends in an error that can be resolved."""
    shop.sent.side_effect = lambda _: fresh(failure)
    shop.read.side_effect = LOST
    with pytest.raises(OutcomeUnknownError) as caught:
        await shop.sample.make(rmz)
    shop.sent.reset()
    shop.read.reset()
    return caught.value


@pytest.mark.parametrize("failure", [LOST, LOGIN_PAGE])
@pytest.mark.parametrize("name", SETTLED)
async def test_an_applied_call_returns_its_result(
    make_shop: MakeShop, make_client: Any, time: Any, name: str, failure: Any
) -> None:
    """The call's result comes back, at any time, and nothing is sent."""
    shop = make_shop(name)
    async with make_client() as rmz:
        error = await unknown(shop, rmz, failure)
        time.now += 3600
        shop.read.side_effect = lambda _: shop.applied(ago=3590)
        found = await rmz.resolve(error)
        assert (None if found is None else found.id) == (None if "step" in name else 501)
    assert (shop.sent.call_count, shop.read.call_count) == (0, 1)


@pytest.mark.parametrize("name", SETTLED)
async def test_a_change_that_is_not_there_a_minute_later_was_not_applied(
    make_shop: MakeShop, make_client: Any, time: Any, name: str
) -> None:
    """That is certain a minute after the last attempt, and not before."""
    shop = make_shop(name)
    async with make_client(retry=FRESH) as rmz:
        error = await unknown(shop, rmz)
        sent = time.now - sum(time.slept)
        shop.read.side_effect = lambda _: shop.unchanged(ago=3600)
        time.now = sent + 59.999
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.resolve(error)
        assert caught.value is error
        time.now = sent + 60.0
        with pytest.raises(ConnectionFailedError, match="a retry is safe") as settled:
            await rmz.resolve(error)
    assert settled.value.operation == error.operation
    assert settled.value.attempts == error.attempts == 1
    assert shop.sent.call_count == 0


async def test_the_traceback_of_a_resolved_error_does_not_grow(
    make_shop: MakeShop, make_client: Any
) -> None:
    """Its traceback is that of the last time, and does not grow."""
    shop = make_shop("pause")
    lengths: list[int] = []
    async with make_client() as rmz:
        error = await unknown(shop, rmz)
        shop.read.side_effect = LOST
        for _ in range(3):
            with pytest.raises(OutcomeUnknownError):
                await rmz.resolve(error)
            lengths.append(len(traceback.extract_tb(error.__traceback__)))
    assert len(set(lengths)) == 1


async def test_the_last_try_counts(make_shop: MakeShop, make_client: Any, time: Any) -> None:
    """The second attempt may be at work for a minute."""
    shop = make_shop("pause")
    tries: list[float] = []

    def lose(_: httpx.Request) -> httpx.Response:
        tries.append(time.now)
        time.now += 10
        raise LOST

    shop.sent.side_effect = lose
    shop.read.side_effect = shop.unchanged
    async with make_client(retry=FRESH) as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.subscriptions.pause(501)
        assert len(tries) == 2
        time.now = tries[1] + 59.9
        with pytest.raises(OutcomeUnknownError):
            await rmz.resolve(caught.value)
        time.now = tries[1] + 60.0
        with pytest.raises(ConnectionFailedError):
            await rmz.resolve(caught.value)


@pytest.mark.parametrize("name", SETTLED)
async def test_nobody_can_tell(make_shop: MakeShop, make_client: Any, time: Any, name: str) -> None:
    """Something else has changed it, or it cannot be read: the very error is raised again."""
    shop = make_shop(name)
    async with make_client() as rmz:
        error = await unknown(shop, rmz)
        time.now += 3600
        # An extension is not looked for in an object without its end.
        other = {**shop.sample.other, "current_period_end": None}
        updated_at = shop.now().isoformat()
        for answer in (shop.ok({**other, "updated_at": updated_at}), failing(404)):
            shop.read.side_effect = [answer]
            with pytest.raises(OutcomeUnknownError) as caught:
                await rmz.resolve(error)
            assert caught.value is error


async def test_an_extension_by_id_cannot_be_resolved(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """Without what it was before there is nothing to compare with: nothing is asked."""
    shop = make_shop("extend by id")
    async with make_client() as rmz:
        error = await unknown(shop, rmz)
        time.now += 3600
        with pytest.raises(OutcomeUnknownError):
            await rmz.resolve(error)
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.resolve(error)
    assert caught.value is error
    (note,) = error.__notes__
    assert "nothing to compare with, now or later" in note
    assert (shop.sent.call_count, shop.read.call_count) == (0, 0)


@pytest.mark.parametrize("name", ["checkout session", "portal session"])
async def test_a_session_is_asked_for_again(
    make_shop: MakeShop, make_client: Any, time: Any, name: str
) -> None:
    """The first one, if there is one, ends by itself."""
    shop = make_shop(name)
    async with make_client() as rmz:
        error = await unknown(shop, rmz)
        time.now += 3600
        answers = iter([lambda: fresh(LOST), shop.done])
        shop.sent.side_effect = lambda _: next(answers)()
        session = await rmz.resolve(error)
    assert session.expires_at is None or session.session_id == "cs_1"
    assert shop.sent.call_count == 2


@pytest.mark.parametrize("failure", [LOST, LOGIN_PAGE])
async def test_an_order_is_made_again_in_time(
    make_shop: MakeShop, make_client: Any, time: Any, failure: Any
) -> None:
    """Within 4 minutes the same bytes bring the same order; later nothing is sent."""
    shop = make_shop("order")
    options = {"size": "L"}
    async with make_client() as rmz:
        began = time.now
        shop.sent.side_effect = lambda _: fresh(failure)
        with pytest.raises(OutcomeUnknownError) as caught:
            await order_of(options)(rmz)
        first = shop.sent.calls[0].request.content
        options["size"] = "XL"
        shop.sent.reset()
        time.now = began + 239.9
        shop.sent.side_effect = [shop.ok({"checkout_id": 7, "duplicate": True})]
        assert isinstance(await rmz.resolve(caught.value), DuplicateOrder)
        assert shop.sent.calls[0].request.content == first
        shop.sent.reset()
        time.now = began + 240.0
        with pytest.raises(OutcomeUnknownError) as late:
            await rmz.resolve(caught.value)
    assert late.value is caught.value
    assert shop.sent.call_count == 0


async def test_an_order_lost_again_counts_from_the_first_attempt(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """The time counts from the very first attempt, also for the error of the second search."""
    shop = make_shop("order")
    async with make_client() as rmz:
        began = time.now
        error = await unknown(shop, rmz)
        time.now = began + 239.8
        shop.sent.side_effect = [LOST, shop.done()]
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.resolve(error)
        again = caught.value
        assert again.sent_at == error.sent_at
        time.now = began + 240
        with pytest.raises(OutcomeUnknownError) as late:
            await rmz.resolve(again)
    assert late.value is again
    assert shop.sent.call_count == 1


async def test_a_second_refusal_says_nothing_of_the_first(
    make_shop: MakeShop, make_client: Any
) -> None:
    """A refusal of the second says nothing of the first."""
    shop = make_shop("order")
    async with make_client() as rmz:
        error = await unknown(shop, rmz)
        shop.sent.side_effect = [failing(400)]
        with pytest.raises(OutcomeUnknownError):
            await rmz.resolve(error)


COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own bytes
]


@pytest.mark.parametrize("take", COPIES)
async def test_a_copy_has_lost_its_call(
    make_shop: MakeShop, make_client: Any, take: Callable[[Any], Any]
) -> None:
    """A copy says all that the error said, but cannot find out."""
    async with make_client() as rmz:
        error = await unknown(make_shop("pause"), rmz)
        error.add_note("mine")
        twin = take(error)
        assert str(twin) == str(error)
        assert {**vars(twin), "_unclear_call": None} == {**vars(error), "_unclear_call": None}
        with pytest.raises(ConfigurationError, match="lost its call"):
            await rmz.resolve(twin)


@pytest.mark.parametrize("error", [None, ValueError("x"), NotFoundError("x")], ids=repr)
async def test_an_error_of_a_known_outcome_is_refused(make_client: Any, error: Any) -> None:
    async with make_client() as rmz:
        with pytest.raises(ConfigurationError, match=r"^error: must be an OutcomeUnknownError"):
            await rmz.resolve(error)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "read"])
async def test_a_closed_client_cannot_resolve(
    make_shop: MakeShop, make_client: Any, name: str
) -> None:
    """A client that was closed cannot find out, and says so."""
    async with make_client() as rmz:
        error = await unknown(make_shop(name), rmz)
    with pytest.raises(ConfigurationError, match="was closed"):
        await rmz.resolve(error)


async def test_the_error_shows_no_secret(make_shop: MakeShop, make_client: Any) -> None:
    """The call that it holds has no token."""
    async with make_client() as rmz:
        error = await unknown(make_shop("pause"), rmz)
    secret = TOKEN.partition("|")[2]
    assert secret not in f"{error!r} {error} {vars(error)}"
    assert secret.encode() not in pickle.dumps(error)


async def test_an_error_is_resolved_by_another_client_of_the_same_address(
    make_shop: MakeShop, make_client: Any
) -> None:
    """The error keeps its call, and no client: the first client may be closed long since."""
    shop = make_shop("pause")
    async with make_client() as rmz:
        error = await unknown(shop, rmz)
    shop.read.side_effect = shop.applied
    async with make_client() as rmz:
        assert (await rmz.resolve(error)).status == "paused"


async def test_an_error_of_another_address_is_refused(
    make_shop: MakeShop, make_client: Any
) -> None:
    """The same id is another store's object there, and the token belongs elsewhere."""
    shop = make_shop("pause")
    async with make_client() as rmz:
        error = await unknown(shop, rmz)
    async with make_client(base_url="https://other.example") as rmz:
        with pytest.raises(ConfigurationError, match="another base URL"):
            await rmz.resolve(error)
