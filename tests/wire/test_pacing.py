"""Calls that wait for a slot, and those that are refused because it would come too late."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import anyio
import httpx
import pytest
import respx

from rmz_async import (
    ConnectionFailedError,
    InMemoryQuotaStore,
    OutcomeUnknownError,
    Pacing,
    PacingError,
    QuotaReport,
    RateLimitError,
    RetryPolicy,
)
from rmz_async._http import client as connections_module
from rmz_async._pacing import slots
from tests.seams import Part, inside
from tests.wire.changes import FRESH, LOST, REFUSED, Shop, failing

pytestmark = pytest.mark.anyio

ONE = Pacing(per_minute=1, lookup_per_minute=1)
LOOKUP = {"count": 0, "has_active": False, "subscriptions": []}


@pytest.fixture
def shop(rmz_api: respx.MockRouter, time: Any) -> Shop:
    """A shop that answers a read."""
    shop = Shop(rmz_api, time, "read")
    shop.sent.side_effect = shop.done
    rmz_api.get("/subscriptions/lookup").mock(side_effect=lambda _: shop.ok(LOOKUP))
    return shop


async def test_a_call_waits_for_its_turn(shop: Shop, make_client: Any, time: Any) -> None:
    """The call goes when the minute of the first is over."""
    async with make_client(pacing=Pacing(per_minute=2, max_wait=61), timeout=62) as rmz:
        for _ in range(3):
            await rmz.subscriptions.get(501)
    assert time.slept == [61.0]
    assert shop.sent.call_count == 3


@pytest.mark.parametrize(
    "options",
    [
        {"pacing": Pacing(per_minute=2, max_wait=60.9), "timeout": 90},
        {"pacing": Pacing(per_minute=2, max_wait=90), "timeout": 60.9},
    ],
    ids=["its patience", "its deadline"],
)
async def test_a_late_slot_is_refused_immediately(
    shop: Shop, make_client: Any, time: Any, options: dict[str, Any]
) -> None:
    """The error comes immediately, with the wait; nothing was sent, and no call slept."""
    async with make_client(**options) as rmz:
        for _ in range(2):
            await rmz.subscriptions.get(501)
        with pytest.raises(PacingError, match="the next slot is in 61 s") as caught:
            await rmz.subscriptions.get(501)
    assert caught.value.retry_after == 61.0
    assert isinstance(caught.value, ConnectionFailedError)
    assert (caught.value.operation, caught.value.attempts) == ("subscriptions.get", 1)
    assert shop.sent.call_count == 2
    assert time.slept == []


async def test_lookups_are_counted_apart(shop: Shop, make_client: Any) -> None:
    """They have a quota of their own, with a limit of its own."""
    pacing = Pacing(per_minute=1, lookup_per_minute=2, max_wait=0)
    async with make_client(pacing=pacing) as rmz:
        await rmz.subscriptions.get(501)
        with pytest.raises(PacingError, match="60 requests"):
            await rmz.subscriptions.get(501)
        for _ in range(2):
            await rmz.subscriptions.lookup(email="a@b.sa")
        with pytest.raises(PacingError, match="120 requests"):
            await rmz.subscriptions.lookup(email="a@b.sa")


async def test_requests_never_wait_without_pacing(shop: Shop, make_client: Any, time: Any) -> None:
    """All are sent immediately."""
    async with make_client(pacing=None) as rmz:
        for _ in range(100):
            await rmz.subscriptions.get(501)
    assert time.slept == []


async def test_a_copy_counts_together(shop: Shop, make_client: Any) -> None:
    """A copy with other limits has the same minute, also by way of one without any."""
    async with make_client(pacing=Pacing(per_minute=2, max_wait=0)) as rmz:
        copy = rmz.with_options(pacing=Pacing(per_minute=3, max_wait=0))
        free = rmz.with_options(pacing=None)
        again = free.with_options(pacing=Pacing(per_minute=3, max_wait=0))
        await rmz.subscriptions.get(501)
        await copy.subscriptions.get(501)
        with pytest.raises(PacingError):
            await rmz.subscriptions.get(501)
        await free.subscriptions.get(501)
        await again.subscriptions.get(501)
        for full in (copy, again, free.with_options(pacing=ONE)):
            with pytest.raises(PacingError):
                await full.with_options(timeout=1).subscriptions.get(501)
        await free.subscriptions.get(501)


async def test_a_copy_has_its_own_patience(shop: Shop, make_client: Any, time: Any) -> None:
    """A copy may wait for what the client itself does not wait for."""
    async with make_client(pacing=Pacing(per_minute=1, max_wait=0), timeout=90) as rmz:
        await rmz.subscriptions.get(501)
        with pytest.raises(PacingError):
            await rmz.subscriptions.get(501)
        copy = rmz.with_options(pacing=Pacing(per_minute=1, max_wait=90))
        await copy.subscriptions.get(501)
    assert time.slept == [61.0]


async def test_a_client_without_pacing_can_have_some(shop: Shop, make_client: Any) -> None:
    """A copy with limits counts from then on."""
    async with make_client(pacing=None) as rmz:
        await rmz.subscriptions.get(501)
        copy = rmz.with_options(pacing=Pacing(per_minute=1, max_wait=0))
        await copy.subscriptions.get(501)
        with pytest.raises(PacingError):
            await copy.subscriptions.get(501)


async def test_an_unsent_request_gives_its_slot_back(
    shop: Shop, make_client: Any, time: Any
) -> None:
    """A refused connection costs no slot: the next attempt need not wait for one."""
    shop.sent.side_effect = [REFUSED, shop.done()]
    async with make_client(pacing=ONE) as rmz:
        await rmz.subscriptions.get(501)
    assert time.slept == [0.5]


async def test_a_request_that_may_have_arrived_keeps_its_slot(
    shop: Shop, make_client: Any, time: Any
) -> None:
    """A lost answer was counted by RMZ: the next attempt waits for its minute."""
    shop.sent.side_effect = [LOST, shop.done()]
    async with make_client(pacing=Pacing(per_minute=1, max_wait=90), timeout=90) as rmz:
        await rmz.subscriptions.get(501)
    assert time.slept == [0.5, 60.5]


@pytest.mark.parametrize("name", ["order", "portal session", "pause"])
async def test_a_retry_without_a_slot_leaves_the_outcome_unknown(
    rmz_api: respx.MockRouter, make_client: Any, time: Any, name: str
) -> None:
    """The first attempt may have been applied, and the caller must know that."""
    shop = Shop(rmz_api, time, name)
    shop.sent.side_effect = [LOST]
    shop.read.side_effect = shop.unchanged
    async with make_client(pacing=Pacing(per_minute=1, max_wait=0)) as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert shop.sent.call_count == 1


async def test_a_retried_order_does_not_wait_past_its_time(
    rmz_api: respx.MockRouter, make_client: Any, time: Any
) -> None:
    """An order whose slot would come after RMZ has forgotten the first is not sent again."""
    shop = Shop(rmz_api, time, "order")

    store = InMemoryQuotaStore()

    def lose(_: httpx.Request) -> httpx.Response:
        time.now += 200
        for version in inside(store, Part.VERSIONS).values():
            version.quota.record(time.now)
        raise LOST

    answers = iter([lose, shop.done])
    shop.sent.side_effect = lambda request: next(answers)(request)
    pacing = Pacing(per_minute=1, max_wait=300, store=store)
    async with make_client(pacing=pacing, timeout=900) as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert shop.sent.call_count == 1
    assert time.slept == [0.5]


async def test_a_resend_does_not_wait_past_its_time(
    rmz_api: respx.MockRouter, make_client: Any, time: Any
) -> None:
    """A change whose slot would come after half a minute is not sent again."""
    shop = Shop(rmz_api, time, "pause")
    shop.sent.side_effect = [LOST]
    shop.read.side_effect = shop.unchanged
    pacing = Pacing(per_minute=2, max_wait=300)
    async with make_client(pacing=pacing, timeout=900, retry=FRESH) as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    # The second slot was for reading back. After that the object is read once more.
    assert shop.sent.call_count == 1
    assert shop.read.call_count == 2


async def test_a_call_given_up_in_line_leaves_its_slot(
    shop: Shop, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is given up while it waits for a connection leaves its slot to the next."""
    monkeypatch.setattr(connections_module, "MAX_CONCURRENT", 1)
    sent, release = anyio.Event(), anyio.Event()

    async def hold(_: httpx.Request) -> httpx.Response:
        sent.set()
        await release.wait()
        return shop.done()

    shop.sent.side_effect = hold
    async with make_client(pacing=Pacing(per_minute=2, max_wait=0)) as rmz:
        async with anyio.create_task_group() as calls:
            calls.start_soon(rmz.subscriptions.get, 501)
            await sent.wait()
            async with anyio.create_task_group() as impatient:
                impatient.start_soon(rmz.subscriptions.get, 501)
                await anyio.wait_all_tasks_blocked()
                impatient.cancel_scope.cancel()
            release.set()
        await rmz.subscriptions.get(501)
        with pytest.raises(PacingError):
            await rmz.subscriptions.get(501)


async def test_a_call_without_time_gives_its_slot_back(
    shop: Shop, make_client: Any, time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slot came, but no connection in time: the slot is given back."""
    monkeypatch.setattr(connections_module, "MAX_CONCURRENT", 1)
    sent, release = anyio.Event(), anyio.Event()

    async def hold(_: httpx.Request) -> httpx.Response:
        if not sent.is_set():
            sent.set()
            await release.wait()
            time.now += 100
        return shop.done()

    async def late(rmz: Any) -> None:
        with pytest.raises(ConnectionFailedError, match="no time was left"):
            await rmz.subscriptions.get(501)

    shop.sent.side_effect = hold
    patient = RetryPolicy(attempt_timeout=200)
    async with make_client(pacing=Pacing(per_minute=2, max_wait=0), retry=patient) as rmz:
        async with anyio.create_task_group() as calls:
            calls.start_soon(rmz.with_options(timeout=200).subscriptions.get, 501)
            await sent.wait()
            calls.start_soon(late, rmz)
            await anyio.wait_all_tasks_blocked()
            release.set()
        for _ in range(2):
            await rmz.subscriptions.get(501)
        with pytest.raises(PacingError):
            await rmz.subscriptions.get(501)


async def test_another_token_has_another_minute(shop: Shop, make_client: Any) -> None:
    """A token that was renewed is counted by itself."""
    tokens = iter(["1|first", "1|second"])
    shop.sent.side_effect = [shop.done(), failing(401), shop.done(), shop.done()]
    async with make_client(lambda: next(tokens), pacing=Pacing(per_minute=2, max_wait=0)) as rmz:
        for _ in range(3):
            await rmz.subscriptions.get(501)
        with pytest.raises(PacingError):
            await rmz.subscriptions.get(501)


class Broken(InMemoryQuotaStore):
    """A store that cannot be reached for one of its methods."""

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """Fail, or count."""
        if self.method == "reserve":
            raise OSError("unreachable")
        return await super().reserve(key, per_minute, now, ahead=ahead)

    async def forget(self, key: str, at: float) -> None:
        """Fail."""
        raise OSError("unreachable")

    async def learn(self, key: str, per_minute: int, now: float, report: QuotaReport) -> bool:
        """Fail."""
        raise OSError("unreachable")


async def test_a_store_that_fails_loses_no_answer(
    shop: Shop, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """RMZ's answer is returned, and a request that was not sent is sent again."""
    shop.sent.side_effect = [REFUSED, shop.done()]
    async with make_client(pacing=Pacing(store=Broken("learn"))) as rmz:
        assert (await rmz.subscriptions.get(501)).id == 501
    assert caplog.messages == ["the quota store failed: OSError"] * 2


async def test_an_ambiguous_attempt_outweighs_the_stores_error(
    rmz_api: respx.MockRouter, make_client: Any, time: Any
) -> None:
    """The store's error is the caller's own; an attempt that may have been applied counts more."""
    shop = Shop(rmz_api, time, "order")
    store = Broken("reserve")
    async with make_client(pacing=Pacing(store=store)) as rmz:
        with pytest.raises(OSError, match="unreachable"):
            await shop.sample.make(rmz)
        assert not shop.sent.called

        def lose(_: httpx.Request) -> httpx.Response:
            store.method = "reserve"
            raise LOST

        store.method = "learn"
        shop.sent.side_effect = lose
        with pytest.raises(OutcomeUnknownError, match="OSError before it was sent again"):
            await shop.sample.make(rmz)


def answer_with(headers: Mapping[str, str]) -> httpx.Response:
    """An answer with these headers."""
    return httpx.Response(200, json={"data": {"id": 501, "status": "active"}}, headers=headers)


async def test_the_limits_in_an_answer_are_believed(shop: Shop, make_client: Any) -> None:
    """An answer that names a lower limit, or less room, is believed."""
    shop.sent.side_effect = [answer_with({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"})]
    async with make_client(pacing=Pacing(max_wait=0)) as rmz:
        await rmz.subscriptions.get(501)
        with pytest.raises(PacingError):
            await rmz.subscriptions.get(501)


class Hanging(InMemoryQuotaStore):
    """A store that lets pass, and then never answers."""

    async def learn(self, *_: Any, **__: Any) -> bool:
        """See `QuotaStore`."""
        await anyio.sleep_forever()
        return True


async def test_a_store_that_hangs_costs_no_answer(
    shop: Shop, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RMZ's answer is returned, whatever the store makes of it."""
    monkeypatch.setattr(slots, "REPORT_TIMEOUT", 0.01)
    with anyio.fail_after(60):
        async with make_client(pacing=Pacing(store=Hanging())) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501


async def test_a_store_that_hangs_until_the_deadline_costs_no_answer(
    shop: Shop, make_client: Any
) -> None:
    """The answer comes first, even if the call has no time left."""
    with anyio.fail_after(60):
        async with make_client(pacing=Pacing(store=Hanging()), timeout=1.0) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501


async def test_a_retry_after_that_the_slot_would_outlast_ends_the_call(
    shop: Shop, make_client: Any, time: Any
) -> None:
    """A slot comes a second after Retry-After: no call sleeps to be refused then."""
    throttled = failing(429)
    throttled.headers.update({"Retry-After": "59", "X-RateLimit-Remaining": "0"})
    shop.sent.side_effect = [throttled]
    async with make_client() as rmz:
        with pytest.raises(RateLimitError):
            await rmz.subscriptions.get(501)
    assert time.slept == []


async def test_a_call_that_may_never_go_is_refused(shop: Shop, make_client: Any) -> None:
    """A call that can never get a slot is refused."""

    class Closed(InMemoryQuotaStore):
        async def reserve(self, *_: Any, **__: Any) -> float:
            return math.inf

    async with make_client(pacing=Pacing(store=Closed())) as rmz:
        with pytest.raises(PacingError, match="the next slot is in inf s"):
            await rmz.subscriptions.get(501)
