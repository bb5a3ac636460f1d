"""After an answer that cannot be trusted, the object itself is asked."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest

from rmz_async import APIError, ConflictError, OutcomeUnknownError, RateLimitError, RetryPolicy
from tests.seams import budget_of
from tests.wire.changes import (
    BAD_GATEWAY,
    BEFORE,
    CUT,
    FRESH,
    LATER,
    LOGIN_PAGE,
    LOST,
    OTHER_429,
    PERIOD,
    REFUSED,
    SAMPLES,
    STATE_CHANGES,
    MakeShop,
    failing,
)

pytestmark = pytest.mark.anyio

SETTLED = [name for name, sample in SAMPLES.items() if sample.read is not None]
WAIT_40 = {"Retry-After": "40", "X-RateLimit-Remaining": "0"}


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        *((name, failure) for name in SETTLED for failure in (LOST, BAD_GATEWAY, CUT, LOGIN_PAGE)),
        # The guard's 429 does not say whose extension it was.
        *((name, OTHER_429) for name in SETTLED if "extend" not in name),
    ],
)
async def test_a_change_that_is_there_is_a_success(
    make_shop: MakeShop,
    make_client: Any,
    caplog: pytest.LogCaptureFixture,
    name: str,
    failure: Any,
) -> None:
    """A change that the object shows was applied: it is not sent again, and it is marked."""
    shop = make_shop(name)
    shop.sent.side_effect = [failure]
    shop.read.side_effect = shop.applied
    async with make_client() as rmz:
        with caplog.at_level(logging.WARNING, logger="rmz_async"):
            found = await shop.sample.make(rmz)
    assert (None if found is None else found.id) == (None if "step" in name else 501)
    assert (shop.sent.call_count, shop.read.call_count) == (1, 1)
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.endswith(": settled by reading back: applied")


async def test_an_extension_refused_by_the_guard_is_unknown(
    make_shop: MakeShop, make_client: Any
) -> None:
    """An equal one was made just before: RMZ does not say by whom, now or later."""
    shop = make_shop("extend what was read")
    shop.sent.side_effect = [OTHER_429]
    shop.read.side_effect = shop.applied
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await shop.sample.make(rmz)
        with pytest.raises(OutcomeUnknownError):
            await rmz.resolve(caught.value)
    assert isinstance(caught.value.__cause__, RateLimitError)
    assert shop.sent.call_count == 1


async def test_an_unmade_extension_refused_by_the_guard_is_refused(
    make_shop: MakeShop, make_client: Any
) -> None:
    """If the period's end has not moved, it was refused and nothing else."""
    shop = make_shop("extend what was read")
    shop.sent.side_effect = [OTHER_429]
    shop.read.side_effect = shop.unchanged
    async with make_client() as rmz:
        with pytest.raises(RateLimitError):
            await shop.sample.make(rmz)


@pytest.mark.parametrize("name", STATE_CHANGES)
async def test_a_state_from_before_the_call_was_not_made_by_it(
    make_shop: MakeShop, make_client: Any, name: str
) -> None:
    """An object unchanged since the call was sent was not changed by it: RMZ says so itself."""
    shop = make_shop(name)
    shop.sent.side_effect = [LOST, failing(422, "it is so already")]
    shop.read.side_effect = lambda _: shop.applied(ago=3600)
    async with make_client(retry=FRESH) as rmz:
        with pytest.raises(ConflictError, match="it is so already"):
            await shop.sample.make(rmz)
    assert (shop.sent.call_count, shop.read.call_count) == (2, 2)


@pytest.mark.parametrize("name", STATE_CHANGES)
async def test_a_change_that_somebody_undid_is_not_sent_again(
    make_shop: MakeShop, make_client: Any, name: str
) -> None:
    """An object that has changed otherwise is not changed again: the customer may have done it."""
    shop = make_shop(name)
    shop.sent.side_effect = [LOST]
    shop.read.side_effect = lambda _: shop.unchanged(ago=0)
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert shop.sent.call_count == 1


@pytest.mark.parametrize("name", SETTLED)
async def test_an_unreadable_object_lets_nothing_be_sent_again(
    make_shop: MakeShop, make_client: Any, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """If the object cannot be read either, nothing is sent again."""
    shop = make_shop(name)
    shop.sent.side_effect = [LOST]
    shop.read.side_effect = LOST
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert (shop.sent.call_count, shop.read.call_count) == (1, 3)
    assert ".get: could not be read back: ConnectionFailedError" in caplog.text


@pytest.mark.parametrize(("took", "times"), [(29.4, 2), (29.5, 1), (31.0, 1)])
async def test_a_late_change_is_not_sent_again(
    make_shop: MakeShop, make_client: Any, time: Any, took: float, times: int
) -> None:
    """Half a minute later the customer may have undone the change: it is not sent again."""
    shop = make_shop("pause")

    def slow(_: httpx.Request) -> httpx.Response:
        time.now += took
        raise LOST

    shop.sent.side_effect = slow
    shop.read.side_effect = shop.unchanged
    async with make_client(retry=FRESH, timeout=300) as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)
    assert shop.sent.call_count == times


@pytest.mark.parametrize("status", [400, 409, 422])
async def test_a_conflict_after_a_lost_answer_is_settled(
    make_shop: MakeShop, make_client: Any, status: int
) -> None:
    """A conflict after a lost answer is read back: the first attempt may have succeeded."""
    shop = make_shop("pause")
    shop.sent.side_effect = [LOST, failing(status)]
    answers = iter([shop.unchanged, shop.applied])
    shop.read.side_effect = lambda _: next(answers)()
    async with make_client() as rmz:
        assert (await rmz.subscriptions.pause(501)).status == "paused"


@pytest.mark.parametrize("status", [400, 409, 422])
async def test_a_conflict_explained_by_the_state_is_final(
    make_shop: MakeShop, make_client: Any, status: int
) -> None:
    """A conflict is final if the object's state explains it, and was so before the call."""
    shop = make_shop("pause")
    shop.sent.side_effect = [LOST, failing(status, "Already expired")]
    shop.read.side_effect = lambda _: shop.ok(
        {"id": 501, "status": "expired", "updated_at": "2026-01-01T00:00:00Z"}
    )
    async with make_client(retry=FRESH) as rmz:
        with pytest.raises(APIError, match="Already expired") as caught:
            await rmz.subscriptions.pause(501)
    assert caught.value.status == status


@pytest.mark.parametrize("status", [409, 404, 401])
@pytest.mark.parametrize("seen", ["changed otherwise", "not read"])
async def test_an_unseen_first_attempt_stays_unknown(
    make_shop: MakeShop, make_client: Any, seen: str, status: int
) -> None:
    """If the outcome of the first attempt stays unseen, it is unknown."""
    shop = make_shop("pause")
    shop.sent.side_effect = [LOST, failing(status)]
    reads = iter([shop.unchanged])
    then = failing(404) if seen == "not read" else None
    shop.read.side_effect = lambda _: next(reads, lambda: then or shop.unchanged(ago=0))()
    async with make_client(retry=FRESH) as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.subscriptions.pause(501)
    assert isinstance(caught.value.__cause__, APIError)
    assert caught.value.__cause__.status == status


@pytest.mark.parametrize(
    "second",
    [
        REFUSED,
        failing(429),
        failing(401),
        httpx.Response(429, json={"message": None}, headers=WAIT_40),
    ],
    ids=["not sent", "another 429", "401", "throttled"],
)
async def test_a_resend_that_fails_is_read_back_again(
    make_shop: MakeShop, make_client: Any, second: Any
) -> None:
    """After the single retry there is no other: the object is read, and it is unclear or there."""
    for there in (False, True):
        shop = make_shop("pause")
        shop.sent.side_effect = [LOST, second]
        reads = iter([shop.unchanged, shop.applied if there else shop.unchanged])
        shop.read.side_effect = lambda _, reads=reads: next(reads)()
        async with make_client(retry=FRESH, pacing=None) as rmz:
            if there:
                assert (await rmz.subscriptions.pause(501)).status == "paused"
            else:
                with pytest.raises(OutcomeUnknownError):
                    await rmz.subscriptions.pause(501)
        assert shop.sent.call_count == 2
        shop.sent.reset()


async def test_a_conflict_at_first_is_not_read_back(make_shop: MakeShop, make_client: Any) -> None:
    """Nothing is unclear about a first attempt that is refused."""
    shop = make_shop("pause")
    shop.sent.side_effect = [failing(409)]
    async with make_client() as rmz:
        with pytest.raises(ConflictError):
            await rmz.subscriptions.pause(501)
    assert not shop.read.called


async def test_another_429_of_a_change_is_raised(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """A 429 that is not the throttle's is read back after its wait, and then raised."""
    shop = make_shop("pause")
    shop.sent.side_effect = [failing(429)]
    shop.read.side_effect = shop.unchanged
    async with make_client() as rmz:
        with pytest.raises(RateLimitError):
            await rmz.subscriptions.pause(501)
    assert time.slept == [1.0]


@pytest.mark.parametrize(("asked", "slept"), [("3", 3.0), ("5", 5.0), ("3600", 5.0)])
async def test_the_wait_before_reading_back(
    make_shop: MakeShop, make_client: Any, time: Any, asked: str, slept: float
) -> None:
    """The wait is as RMZ asks, but never so long that no time is left for reading."""
    shop = make_shop("pause")
    headers = {"Retry-After": asked, "X-RateLimit-Remaining": "12"}
    refused = httpx.Response(429, json={"message": None}, headers=headers)

    def slow(_: httpx.Request) -> httpx.Response:
        time.now += 4.999
        return refused

    shop.sent.side_effect = slow
    shop.read.side_effect = shop.applied
    async with make_client(timeout=5) as rmz:
        assert (await rmz.subscriptions.pause(501)).status == "paused"
    assert time.slept == [slept]


async def test_reading_back_has_ten_more_seconds(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """Knowing is worth ten seconds more than the call had, and no more."""
    for late, is_read in ((9.0, True), (10.0, False)):
        shop = make_shop("pause")

        def slow(_: httpx.Request, late: float = late) -> httpx.Response:
            time.now += 60.0 - 0.5 + late
            raise LOST

        shop.sent.side_effect = slow
        shop.read.reset()
        shop.read.side_effect = shop.applied
        async with make_client() as rmz:
            if is_read:
                assert (await rmz.subscriptions.pause(501)).status == "paused"
            else:
                with pytest.raises(OutcomeUnknownError):
                    await rmz.subscriptions.pause(501)
        assert shop.read.called is is_read


async def test_a_resend_counts_as_a_retry(make_shop: MakeShop, make_client: Any) -> None:
    """A client that has no retries left does not send a change again either."""
    shop = make_shop("pause")
    shop.sent.side_effect = LOST
    shop.read.side_effect = shop.unchanged
    async with make_client(retry=RetryPolicy(backoff=0.001, replica_lag=0)) as rmz:
        budget_of(rmz).left = 1.8
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)
    assert shop.sent.call_count == 1


async def test_an_order_in_the_wanted_status_is_a_success(
    make_shop: MakeShop, make_client: Any
) -> None:
    """If the order is in the wanted status, it does not matter since when."""
    shop = make_shop("order's step")
    shop.sent.side_effect = [LOST]
    shop.read.side_effect = lambda _: shop.applied(ago=3600)
    async with make_client() as rmz:
        assert await shop.sample.make(rmz) is None


@pytest.mark.parametrize(
    ("added", "end"),
    [
        ({"days": 7}, LATER),
        ({"months": 2}, "2026-04-02T00:00:00.000000Z"),
    ],
)
async def test_an_extension_is_settled_by_comparison(
    make_shop: MakeShop, make_client: Any, added: dict[str, int], end: str
) -> None:
    """An extension of a subscription that was read is settled if its end has moved just so."""
    shop = make_shop("extend what was read")
    shop.sent.side_effect = [LOST]
    shop.read.side_effect = [shop.ok({"id": 501, **PERIOD, "current_period_end": end})]
    async with make_client() as rmz:
        extended = await rmz.subscriptions.extend(BEFORE, **added)
    assert extended.current_period_end > BEFORE.current_period_end
    assert shop.sent.call_count == 1


@pytest.mark.parametrize(
    "found",
    [
        {"current_period_end": "2026-02-15T00:00:00Z"},
        {"current_period_end": None},
        {"current_period_start": "2026-02-01T00:00:00Z", "current_period_end": LATER},
        {"current_period_end": LATER, "updated_at": "2026-01-10T00:00:00Z"},
    ],
    ids=["moved otherwise", "no end", "renewed", "moved before"],
)
async def test_an_extension_that_cannot_be_seen_is_unknown(
    make_shop: MakeShop, make_client: Any, found: dict[str, object]
) -> None:
    """An end that was moved by something else proves nothing: never sent again."""
    shop = make_shop("extend what was read")
    shop.sent.side_effect = [LOST]
    shop.read.side_effect = lambda _: shop.ok({"id": 501, **PERIOD, **found})
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert shop.sent.call_count == 1


async def test_a_failing_source_does_not_hide_a_possible_change(
    make_shop: MakeShop, make_client: Any
) -> None:
    """Its error does not hide that the change may have been applied."""
    shop = make_shop("pause")
    asked = iter(["1|first"])
    shop.sent.side_effect = [LOST]
    shop.read.side_effect = [failing(401)]
    async with make_client(lambda: next(asked)) as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.subscriptions.pause(501)


async def test_a_failing_source_before_a_retry_hides_nothing(
    make_shop: MakeShop, make_client: Any
) -> None:
    """The same before the change is sent again; but a read has nothing to hide."""

    class Broken(Exception):  # noqa: N818 - somebody else's
        pass

    def ask() -> str:
        tokens.append(None)
        if len(tokens) > 1:
            raise Broken
        return "1|first"

    tokens: list[None] = []
    shop = make_shop("order")
    shop.sent.side_effect = [LOST, failing(401)]
    async with make_client(ask) as rmz:
        with pytest.raises(OutcomeUnknownError, match="Broken before it was sent again"):
            await shop.sample.make(rmz)
    tokens.clear()
    shop = make_shop("read")
    shop.sent.side_effect = [LOST, failing(401)]
    async with make_client(ask) as rmz:
        with pytest.raises(Broken):
            await shop.sample.make(rmz)
