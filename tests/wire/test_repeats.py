"""What is sent again after a failure, what never is, and how long the client waits."""

from __future__ import annotations

import logging
from typing import Any

import httpx
import pytest
import respx

from rmz_async import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectionFailedError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    RetryPolicy,
    ServerError,
    UnexpectedAnswerError,
    UnprocessableEntityError,
)

pytestmark = pytest.mark.anyio

SESSION = {"url": "https://billing.rmz.gg/s/abc", "expires_at": None}
THROTTLED = httpx.Response(
    429,
    json={"message": "Too Many Requests"},
    headers={"Retry-After": "7", "X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"},
)
OTHER_429 = httpx.Response(
    429, json={"message": "Slow down"}, headers={"X-RateLimit-Remaining": "12"}
)
BAD_GATEWAY = httpx.Response(502, html="<h1>Bad Gateway</h1>")
REFUSED = httpx.ConnectError("All connection attempts failed")
LOST = httpx.ReadError("connection reset")


def ok(data: object) -> httpx.Response:
    """A success of RMZ."""
    return httpx.Response(200, json={"message": None, "data": data})


SUBSCRIPTION = ok({"id": 501, "status": "active"})
PORTAL = ok(SESSION)


def failing(status: int, message: str = "no", **body: object) -> httpx.Response:
    """An error of RMZ."""
    return httpx.Response(status, json={"message": message, "data": None, "error": True, **body})


class Calls:
    """The three kinds of calls that differ after a failure, each with its route."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.read = router.get("/subscriptions/501")
        self.session = router.post("/portal-sessions")
        self.extend = router.post("/subscriptions/501/extend")


@pytest.fixture
def calls(rmz_api: respx.MockRouter) -> Calls:
    """The routes."""
    return Calls(rmz_api)


@pytest.mark.parametrize("failure", [REFUSED, LOST, httpx.ReadTimeout("slow"), BAD_GATEWAY])
async def test_a_read_is_repeated(calls: Calls, make_client: Any, time: Any, failure: Any) -> None:
    """A read is sent again after any failure that may pass, with doubling waits."""
    calls.read.side_effect = [failure, failure, SUBSCRIPTION]
    async with make_client() as rmz:
        assert (await rmz.subscriptions.get(501)).id == 501
    assert calls.read.call_count == 3
    assert time.slept == [0.5, 1.0]


async def test_a_read_is_given_up(calls: Calls, make_client: Any) -> None:
    """After three tries a read fails, and says that nothing was changed."""
    calls.read.side_effect = LOST
    async with make_client() as rmz:
        with pytest.raises(ConnectionFailedError, match=r"after 3 tries \(ReadError\)") as caught:
            await rmz.subscriptions.get(501)
    assert calls.read.call_count == 3
    assert (caught.value.operation, caught.value.attempts) == ("subscriptions.get", 3)


async def test_a_server_error_of_a_read_is_told_as_such(calls: Calls, make_client: Any) -> None:
    """What RMZ answered last is what the caller gets."""
    calls.read.side_effect = [LOST, BAD_GATEWAY, BAD_GATEWAY]
    async with make_client() as rmz:
        with pytest.raises(ServerError) as caught:
            await rmz.subscriptions.get(501)
    assert caught.value.status == 502
    assert caught.value.body == "<h1>Bad Gateway</h1>"


async def test_the_policy_bounds_the_tries(calls: Calls, make_client: Any, time: Any) -> None:
    """A policy of one try repeats nothing."""
    calls.read.side_effect = REFUSED
    async with make_client(retry=RetryPolicy(max_attempts=1)) as rmz:
        with pytest.raises(ConnectionFailedError, match="after 1 try"):
            await rmz.subscriptions.get(501)
    assert calls.read.call_count == 1
    assert time.slept == []


async def test_the_throttle_is_waited_for(calls: Calls, make_client: Any, time: Any) -> None:
    """The throttle's Retry-After is slept exactly."""
    calls.read.side_effect = [THROTTLED, SUBSCRIPTION]
    async with make_client() as rmz:
        await rmz.subscriptions.get(501)
    assert time.slept == [7.0]


async def test_a_wait_past_the_deadline_is_not_begun(
    calls: Calls, make_client: Any, time: Any
) -> None:
    """Where RMZ asks for more time than there is, the caller is told at once."""
    calls.read.return_value = THROTTLED
    async with make_client(timeout=5) as rmz:
        with pytest.raises(RateLimitError, match="wait 7 s") as caught:
            await rmz.subscriptions.get(501)
    assert caught.value.retry_after == 7.0
    assert time.slept == []


async def test_another_429_is_repeated_once(calls: Calls, make_client: Any, time: Any) -> None:
    """A 429 that names no time is met with one more try, after at least a second."""
    calls.read.return_value = OTHER_429
    async with make_client() as rmz:
        with pytest.raises(RateLimitError):
            await rmz.subscriptions.get(501)
    assert calls.read.call_count == 2
    assert time.slept == [1.0]


@pytest.mark.parametrize("failure", [LOST, BAD_GATEWAY])
async def test_a_session_is_repeated_once(calls: Calls, make_client: Any, failure: Any) -> None:
    """A second session costs nothing, so creating one is repeated, but a third is too many."""
    calls.session.side_effect = [failure, PORTAL]
    async with make_client() as rmz:
        assert (await rmz.portal_sessions.create(customer=4501)).url == SESSION["url"]
        calls.session.side_effect = failure
        with pytest.raises(OutcomeUnknownError, match="Create another session"):
            await rmz.portal_sessions.create(customer=4501)
    assert calls.session.call_count == 4


@pytest.mark.parametrize("failure", [LOST, httpx.ReadTimeout("slow"), BAD_GATEWAY])
async def test_an_extension_is_never_repeated(
    calls: Calls, make_client: Any, time: Any, failure: Any
) -> None:
    """An extension that may have been applied is not sent again, and the caller is told so."""
    calls.extend.side_effect = failure
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.subscriptions.extend(501, days=7)
    assert calls.extend.call_count == 1
    assert time.slept == []
    error = caught.value
    assert (error.operation, error.object_id, error.attempts) == ("subscriptions.extend", 501, 1)
    assert error.sent_at is not None
    assert "current_period_end" in str(error)


async def test_the_answer_behind_an_unknown_outcome(calls: Calls, make_client: Any) -> None:
    """Where RMZ did answer, that answer is the cause of the unknown outcome."""
    calls.extend.return_value = BAD_GATEWAY
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.subscriptions.extend(501, days=7)
    assert isinstance(caught.value.__cause__, ServerError)


async def test_an_extension_that_was_not_sent_is_repeated(calls: Calls, make_client: Any) -> None:
    """What surely did not reach RMZ is sent again, even an extension."""
    calls.extend.side_effect = [REFUSED, httpx.ConnectTimeout("slow"), SUBSCRIPTION]
    async with make_client() as rmz:
        assert (await rmz.subscriptions.extend(501, days=7)).id == 501


async def test_an_extension_that_cannot_be_sent(calls: Calls, make_client: Any) -> None:
    """An extension that never left is reported as not applied."""
    calls.extend.side_effect = REFUSED
    async with make_client() as rmz:
        with pytest.raises(ConnectionFailedError, match="nothing was changed"):
            await rmz.subscriptions.extend(501, days=7)
    assert calls.extend.call_count == 3


@pytest.mark.parametrize("answer", [THROTTLED, OTHER_429])
async def test_a_429_of_an_extension_is_never_repeated(
    calls: Calls, make_client: Any, answer: httpx.Response
) -> None:
    """It may be the guard against duplicates, after which the same call would extend twice."""
    calls.extend.side_effect = [answer]
    async with make_client() as rmz:
        with pytest.raises(RateLimitError):
            await rmz.subscriptions.extend(501, days=7)
    assert calls.extend.call_count == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (failing(400), BadRequestError),
        (httpx.Response(401, json={"message": "Unauthenticated."}), AuthenticationError),
        (failing(403), PermissionDeniedError),
        (failing(404), NotFoundError),
        (failing(409), ConflictError),
        (failing(418), APIError),
    ],
)
async def test_a_final_answer_is_not_repeated(
    calls: Calls, make_client: Any, answer: httpx.Response, error: type[APIError]
) -> None:
    """An answer that will not change is raised at once, with its status and message."""
    calls.read.side_effect = [answer]
    async with make_client() as rmz:
        with pytest.raises(error) as caught:
            await rmz.subscriptions.get(501)
    assert caught.value.status == answer.status_code
    assert caught.value.message == answer.json()["message"]
    assert caught.value.operation == "subscriptions.get"


async def test_a_refused_field(calls: Calls, make_client: Any) -> None:
    """RMZ's own refusal of a field is caught like the client's, and names the field."""
    errors = {"days": ["The days must not be greater than 365."]}
    calls.extend.side_effect = [httpx.Response(422, json={"message": "invalid", "errors": errors})]
    async with make_client() as rmz:
        with pytest.raises(ValueError, match="days: The days must") as caught:
            await rmz.subscriptions.extend(501, days=365)
    assert isinstance(caught.value, UnprocessableEntityError)
    assert caught.value.errors == {"days": ("The days must not be greater than 365.",)}


async def test_a_422_about_the_state_is_a_conflict(calls: Calls, make_client: Any) -> None:
    """A 422 that names no field sent means that the subscription's state forbids it."""
    calls.extend.side_effect = [failing(422, "Subscription is expired")]
    async with make_client() as rmz:
        with pytest.raises(ConflictError, match="Subscription is expired"):
            await rmz.subscriptions.extend(501, days=1)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<form>log in</form>"),
        httpx.Response(302, headers={"Location": "https://evil.example/"}),
        httpx.Response(200, json={"message": "no data"}),
        httpx.Response(200, json=[1]),
        ok({"id": "not a number", "status": "active"}),
        ok([]),
    ],
)
async def test_an_answer_of_another_shape_is_not_repeated(
    calls: Calls, make_client: Any, answer: httpx.Response
) -> None:
    """What is not RMZ's answer would come again: a read raises it, a write cannot tell."""
    calls.read.side_effect = [answer]
    calls.extend.side_effect = [answer]
    async with make_client() as rmz:
        with pytest.raises(UnexpectedAnswerError, match="not what RMZ documents"):
            await rmz.subscriptions.get(501)
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.subscriptions.extend(501, days=7)
    assert isinstance(caught.value.__cause__, UnexpectedAnswerError)


async def test_cut_json_of_a_read_is_repeated(calls: Calls, make_client: Any) -> None:
    """An answer that was cut on its way is asked for again."""
    cut = httpx.Response(
        200, content=b'{"data": {"id": 5', headers={"Content-Type": "application/json"}
    )
    calls.read.side_effect = [cut, SUBSCRIPTION]
    async with make_client() as rmz:
        assert (await rmz.subscriptions.get(501)).id == 501


async def test_an_earlier_try_is_not_forgotten(calls: Calls, make_client: Any) -> None:
    """A try that may have been applied makes the outcome unknown, though the last was not sent."""
    calls.session.side_effect = [LOST, REFUSED, REFUSED]
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError):
            await rmz.portal_sessions.create(customer=4501)


async def test_what_is_logged(
    calls: Calls, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A try is logged with its path template, and without ids, tokens or personal data."""
    calls.read.side_effect = [BAD_GATEWAY, SUBSCRIPTION]
    with caplog.at_level(logging.DEBUG, logger="rmz_async"):
        async with make_client() as rmz:
            await rmz.subscriptions.get(501)
    lines = [record.getMessage() for record in caplog.records if record.name == "rmz_async"]
    assert lines == [
        "GET /subscriptions/{id}: 502, try 1, 0.000 s",
        "subscriptions.get: repeated in 0.5 s (RMZ answered 502)",
        "GET /subscriptions/{id}: 200, try 2, 0.000 s",
    ]
    assert not [record for record in caplog.records if record.name.startswith("httpx")]
