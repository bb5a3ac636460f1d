"""The functions of "Was it applied?"."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

import rmz_async
from tests.docs.networks import Gateway, LosesAnswers, Unsteady
from tests.docs.pages import Page

PAGE = "docs/failing/was-it-applied.md"
QUICK = rmz_async.RetryPolicy(backoff=0.001)


def test_a_lost_answer_is_found_as_soon_as_rmz_can_be_read(page: Page) -> None:
    page.run()
    network = Unsteady()

    async def pause() -> None:
        async with network.client() as http, rmz_async.Client(http=http, retry=QUICK) as rmz:
            with pytest.raises(rmz_async.OutcomeUnknownError) as caught:
                await rmz.subscriptions.pause(509)
            assert await page["find_out"](rmz, caught.value) == "not known yet: ask again later"
            network.reads = True
            assert await page["find_out"](rmz, caught.value) == "applied"

    page.wait(pause())


def test_a_change_that_never_arrived_is_not_reported_within_a_minute(page: Page) -> None:
    page.run()
    network = Unsteady()
    network.delivers = False

    async def pause() -> None:
        async with network.client() as http, rmz_async.Client(http=http, retry=QUICK) as rmz:
            with pytest.raises(rmz_async.OutcomeUnknownError) as caught:
                await rmz.subscriptions.pause(510)
            network.reads = True
            assert await page["find_out"](rmz, caught.value) == "not known yet: ask again later"
            assert network.changes == 1

    page.wait(pause())


def test_an_extension_of_what_was_read_is_found_by_the_client(page: Page) -> None:
    page.run()

    async def extend() -> None:
        async with LosesAnswers().client() as http, rmz_async.Client(http=http) as rmz:
            before = await rmz.subscriptions.get(511)
            after = await page["grant_week"](rmz, 511)
            assert before.current_period_end
            assert after.current_period_end == before.current_period_end + timedelta(days=7)

    page.wait(extend())


@pytest.mark.parametrize("delivers", [True, False])
def test_a_noted_extension_is_applied_once_in_the_end(page: Page, delivers: bool) -> None:
    page.run()
    network = Unsteady()
    network.delivers = delivers
    noted: dict[int, Any] = {}

    async def extend() -> None:
        async with rmz_async.Client() as rmz:
            before = await rmz.subscriptions.get(513)
        network.reads = True
        fresh = rmz_async.RetryPolicy(replica_lag=0)
        async with network.client() as http, rmz_async.Client(http=http, retry=fresh) as rmz:
            await page["grant_week_or_note"](rmz, 513, noted)
        assert network.changes == 1
        assert bool(noted) is not delivers
        async with rmz_async.Client() as rmz:
            await page["check_later"](rmz, noted)
            after = await rmz.subscriptions.get(513)
        assert before.current_period_end
        assert after.current_period_end == before.current_period_end + timedelta(days=7)
        assert not noted

    page.wait(extend())


def test_a_noted_extension_that_somebody_else_changed_is_left_to_a_person(page: Page) -> None:
    page.run()

    async def look() -> None:
        async with rmz_async.Client() as rmz:
            noted = {512: await rmz.subscriptions.get(512)}
            await rmz.subscriptions.extend(512, days=30)
            await page["check_later"](rmz, noted)

    page.wait(look())
    assert page.printed == ["512 has changed in another way: look at it yourself"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, rmz_async.BadRequestError),
        (401, rmz_async.AuthenticationError),
        (409, rmz_async.ConflictError),
        (422, rmz_async.ConflictError),
        (429, rmz_async.RateLimitError),
        (403, rmz_async.OutcomeUnknownError),
        (404, rmz_async.OutcomeUnknownError),
    ],
)
def test_a_gateways_message_passes_for_rmzs_refusal_unless_rmz_says_more(
    page: Page, status: int, expected: type[rmz_async.RMZError]
) -> None:
    network = Gateway(httpx.Response(status, json={"message": "Not through here."}))

    async def extend() -> None:
        async with network.client() as http, rmz_async.Client(http=http) as rmz:
            with pytest.raises(expected) as caught:
                await rmz.subscriptions.extend(509, days=7)
        assert type(caught.value) is expected

    page.wait(extend())


async def read(request: httpx.Request) -> None:
    await request.aread()
    raise LookupError("not this one")


async def stream(request: httpx.Request) -> None:
    assert isinstance(request.stream, httpx.AsyncByteStream)
    async for _ in request.stream:
        raise LookupError("not this one")


@pytest.mark.parametrize(
    ("hook", "expected"), [(read, LookupError), (stream, rmz_async.OutcomeUnknownError)]
)
def test_only_a_request_hook_that_iterates_over_the_stream_hides_its_error(
    page: Page, hook: Any, expected: type[Exception]
) -> None:
    async def extend() -> None:
        async with (
            httpx.AsyncClient(event_hooks={"request": [hook]}) as http,
            rmz_async.Client(http=http) as rmz,
        ):
            with pytest.raises(expected):
                await rmz.subscriptions.extend(509, days=7)

    page.wait(extend())
