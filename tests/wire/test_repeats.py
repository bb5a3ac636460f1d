"""Calls that are sent again after a failure, calls that never are, and the client's waits."""

from __future__ import annotations

import logging
import pickle
from typing import Any

import httpx
import pytest

from rmz_async import (
    APIError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
    RMZError,
    ServerError,
)
from rmz_async._calls.retry import Budget
from tests.seams import budget_of
from tests.wire.changes import (
    BAD_GATEWAY,
    CUT,
    FRESH,
    LOGIN_PAGE,
    LOST,
    LOST_AS,
    OTHER_429,
    REFUSED,
    SAMPLES,
    THROTTLED,
    MakeShop,
    failing,
    fresh,
)
from tests.wire.conftest import over_httpx

pytestmark = pytest.mark.anyio

# Surely not sent; ambiguous, in all its forms; the throttle; another 429; the object's state; any
# other final answer; an answer of another shape.
FAILURES: dict[str, list[Any]] = {
    "N": [REFUSED, httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full")],
    "A": [
        LOST,
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        BAD_GATEWAY,
        CUT,
        failing(500),
        failing(503),
        failing(504),
        failing(408),
        failing(425),
    ],
    "T": [THROTTLED],
    "G": [OTHER_429],
    "C": [failing(400), failing(409), failing(422)],
    "F": [failing(401), failing(403), failing(404)],
    "U": [LOGIN_PAGE, httpx.Response(302, headers={"Location": "https://evil.example/"})],
}

# How often a call that keeps failing is sent, how often its object is read back, which then is
# unchanged, and what is raised: c, nothing was changed; o, unknown; a, RMZ's own answer; e, either
# the first or the last of these, by whether there was an answer.
FAILING = """
                       N      A      T      G      C      F      U
read                   3-0-c  3-0-e  3-0-a  2-0-a  1-0-a  1-0-a  1-0-a
checkout session       3-0-c  2-0-o  3-0-a  2-0-a  1-0-a  1-0-a  1-0-o
portal session         3-0-c  2-0-o  3-0-a  2-0-a  1-0-a  1-0-a  1-0-o
order                  3-0-c  3-0-o  3-0-a  1-0-a  1-0-a  1-0-a  1-0-o
order's step           3-0-c  1-1-o  3-0-a  1-1-a  1-0-a  1-0-a  1-1-o
cancel                 3-0-c  2-2-o  3-0-a  1-1-a  1-0-a  1-0-a  1-1-o
cancel at once         3-0-c  2-2-o  3-0-a  1-1-a  1-0-a  1-0-a  1-1-o
pause                  3-0-c  2-2-o  3-0-a  1-1-a  1-0-a  1-0-a  1-1-o
unpause                3-0-c  2-2-o  3-0-a  1-1-a  1-0-a  1-0-a  1-1-o
extend what was read   3-0-c  1-1-o  1-0-a  1-1-a  1-0-a  1-0-a  1-1-o
extend by id           3-0-c  1-0-o  1-0-a  1-0-a  1-0-a  1-0-a  1-0-o
"""

# Whether a call that fails once, and would succeed from then on, is sent again; if it is not, it
# ends as above.
PASSING = """
                       N  A  T  G
read                   +  +  +  +
checkout session       +  +  +  +
portal session         +  +  +  +
order                  +  +  +  -
order's step           +  -  +  -
cancel                 +  +  +  -
cancel at once         +  +  +  -
pause                  +  +  +  -
unpause                +  +  +  -
extend what was read   +  -  -  -
extend by id           +  -  -  -
"""


def cells(table: str) -> dict[tuple[str, str], str]:
    """Read a table: what stands in it, by call and failure."""
    head, *rows = [line for line in table.split("\n") if line]
    kinds = head.split()
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        name, written = row[:23].strip(), row[23:].split()
        found |= {(name, kind): cell for kind, cell in zip(kinds, written, strict=True)}
    return found


def test_the_tables_are_complete() -> None:
    """Each call has its line in both."""
    assert {name for name, _ in cells(FAILING)} == {name for name, _ in cells(PASSING)}
    assert {name for name, _ in cells(FAILING)} == set(SAMPLES)
    assert {kind for _, kind in cells(FAILING)} == set(FAILURES)


def raised(verdict: str, failure: Any) -> type[RMZError]:
    """Return the class of the error that a cell means."""
    if verdict == "o":
        return OutcomeUnknownError
    answered = isinstance(failure, httpx.Response)
    return APIError if verdict == "a" or (verdict == "e" and answered) else ConnectionFailedError


@pytest.mark.parametrize("kind", FAILURES)
@pytest.mark.parametrize("name", SAMPLES)
async def test_a_failing_call_is_sent_as_the_table_says(
    make_shop: MakeShop, make_client: Any, name: str, kind: str
) -> None:
    """The call is sent as often as the table says, and its error says what may have happened."""
    sends, reads, verdict = cells(FAILING)[name, kind].split("-")
    shop = make_shop(name)
    shop.read.side_effect = shop.unchanged
    for failure in FAILURES[kind]:
        shop.sent.reset()
        shop.read.reset()
        shop.sent.side_effect = lambda _, failure=failure: fresh(failure)
        async with make_client(retry=FRESH, pacing=None) as rmz:
            with pytest.raises(raised(verdict, failure)) as caught:
                await shop.sample.make(rmz)
        assert (shop.sent.call_count, shop.read.call_count) == (int(sends), int(reads)), failure
        if isinstance(failure, httpx.Response):
            answer = caught.value.__cause__ if verdict == "o" else caught.value
            assert isinstance(answer, APIError)
            assert answer.status == failure.status_code
        else:
            assert caught.value.__cause__ is None
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own bytes
        assert caught.value.__context__ is caught.value.__cause__ is None or verdict == "o"


@pytest.mark.parametrize("kind", ["N", "A", "T", "G"])
@pytest.mark.parametrize("name", SAMPLES)
async def test_a_call_that_failed_is_sent_again_only_if_safe(
    make_shop: MakeShop, make_client: Any, name: str, kind: str
) -> None:
    """The call is sent again if that is safe, and only then."""
    again = cells(PASSING)[name, kind] == "+"
    verdict = cells(FAILING)[name, kind][-1]
    shop = make_shop(name)
    shop.read.side_effect = shop.unchanged
    for failure in FAILURES[kind]:
        shop.sent.reset()
        answers = iter([lambda failure=failure: fresh(failure), shop.done])
        shop.sent.side_effect = lambda _, answers=answers: next(answers)()
        async with make_client(pacing=None) as rmz:
            if again:
                await shop.sample.make(rmz)
            else:
                with pytest.raises(raised(verdict, failure)):
                    await shop.sample.make(rmz)
        assert shop.sent.call_count == 1 + again, failure


@pytest.mark.parametrize("name", ["checkout session", "portal session"])
async def test_a_session_is_asked_for_once_if_the_caller_says_so(
    make_shop: MakeShop, make_client: Any, name: str
) -> None:
    """A caller that wants no second session gets none, unless the first was surely not made."""
    shop = make_shop(name)
    shop.sent.side_effect = [REFUSED, LOST, shop.done()]
    async with make_client(retry=RetryPolicy(retry_sessions=False)) as rmz:
        with pytest.raises(OutcomeUnknownError, match="Create another session"):
            await shop.sample.make(rmz)
    assert shop.sent.call_count == 2


async def test_an_earlier_attempt_is_not_forgotten(make_shop: MakeShop, make_client: Any) -> None:
    """An attempt that may have been applied leaves it unknown, though the last was not sent."""
    shop = make_shop("portal session")
    shop.sent.side_effect = [LOST, REFUSED, REFUSED]
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await shop.sample.make(rmz)
    assert caught.value.attempts == 3


async def test_the_waits_of_a_read(make_shop: MakeShop, make_client: Any, time: Any) -> None:
    """The waits double."""
    shop = make_shop("read")
    shop.sent.side_effect = [LOST, BAD_GATEWAY, shop.done()]
    async with make_client() as rmz:
        assert (await rmz.subscriptions.get(501)).id == 501
    assert time.slept == [0.5, 1.0]


async def test_a_read_is_given_up(make_shop: MakeShop, make_client: Any, http: Any) -> None:
    """After three attempts a read fails, and says that nothing was changed."""
    make_shop("read").sent.side_effect = LOST
    message = rf"after 3 attempts \({LOST_AS[http]}\)"
    async with make_client() as rmz:
        with pytest.raises(ConnectionFailedError, match=message) as caught:
            await rmz.subscriptions.get(501)
    assert (caught.value.operation, caught.value.attempts) == ("subscriptions.get", 3)


async def test_why_there_was_no_connection(
    make_shop: MakeShop, make_client: Any, http: Any
) -> None:
    """The error has the network's reason: a name that is not known, a port that is closed."""
    make_shop("read").sent.side_effect = REFUSED
    message = {
        None: r"\(All connection attempts failed\)",
        "aiohttp": r"\(Cannot connect to host .* \[Connect call failed",
    }
    async with make_client() as rmz:
        with pytest.raises(ConnectionFailedError, match=message[http]):
            await rmz.subscriptions.get(501)


# aiohttp's has always a message.
@over_httpx
async def test_a_failure_without_words_is_reported_by_its_kind(
    make_shop: MakeShop, make_client: Any
) -> None:
    """If the network says nothing, the kind of the error is reported."""
    make_shop("read").sent.side_effect = httpx.ConnectError("")
    async with make_client() as rmz:
        with pytest.raises(ConnectionFailedError, match=r"\(ConnectError\)"):
            await rmz.subscriptions.get(501)


async def test_a_server_error_of_a_read_is_told_as_such(
    make_shop: MakeShop, make_client: Any
) -> None:
    """The caller gets RMZ's last answer."""
    make_shop("read").sent.side_effect = [LOST, BAD_GATEWAY, BAD_GATEWAY]
    async with make_client() as rmz:
        with pytest.raises(ServerError) as caught:
            await rmz.subscriptions.get(501)
    assert caught.value.status == 502
    assert caught.value.body == "<h1>Bad Gateway</h1>"


async def test_the_policy_bounds_the_attempts(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """A policy of one attempt retries nothing."""
    shop = make_shop("read")
    shop.sent.side_effect = REFUSED
    async with make_client(retry=RetryPolicy(max_attempts=1)) as rmz:
        with pytest.raises(ConnectionFailedError, match="after 1 attempt"):
            await rmz.subscriptions.get(501)
    assert shop.sent.call_count == 1
    assert time.slept == []


async def test_the_throttle_is_waited_for(make_shop: MakeShop, make_client: Any, time: Any) -> None:
    """The throttle's Retry-After is slept, and the second that RMZ may have rounded away."""
    shop = make_shop("read")
    shop.sent.side_effect = [THROTTLED, shop.done()]
    async with make_client() as rmz:
        await rmz.subscriptions.get(501)
    assert time.slept == [8.0]


async def test_a_wait_past_the_deadline_is_not_begun(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """If RMZ asks for more time than there is, the error is raised immediately."""
    make_shop("read").sent.return_value = THROTTLED
    async with make_client(timeout=7) as rmz:
        with pytest.raises(RateLimitError, match="wait 7 s") as caught:
            await rmz.subscriptions.get(501)
    assert caught.value.retry_after == 7.0
    assert time.slept == []


async def test_another_429_is_retried_once(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """A 429 that names no time is met with one more attempt, after at least a second."""
    shop = make_shop("read")
    shop.sent.return_value = OTHER_429
    async with make_client(retry=RetryPolicy(max_attempts=9)) as rmz:
        with pytest.raises(RateLimitError):
            await rmz.subscriptions.get(501)
    assert shop.sent.call_count == 2
    assert time.slept == [1.0]


async def test_other_waits_are_not_prolonged(
    make_shop: MakeShop, make_client: Any, time: Any
) -> None:
    """The second of patience is only for a 429, and no longer backoff is cut down to it."""
    shop = make_shop("read")
    shop.sent.side_effect = [OTHER_429, LOST, shop.done()]
    async with make_client(retry=RetryPolicy(backoff=3.0)) as rmz:
        await rmz.subscriptions.get(501)
    assert time.slept == [3.0, 6.0]


async def test_an_unknown_outcome_says_how_to_find_out(
    make_shop: MakeShop, make_client: Any
) -> None:
    """The error names the call, the object, the attempts, and how to find out."""
    make_shop("extend by id").sent.side_effect = LOST
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError, match="current_period_end") as caught:
            await rmz.subscriptions.extend(501, days=7)
    error = caught.value
    assert (error.operation, error.object_id, error.attempts) == ("subscriptions.extend", 501, 1)
    assert error.sent_at is not None


async def test_a_server_that_is_down_is_spared(make_shop: MakeShop, make_client: Any) -> None:
    """After five calls that timed out each has one attempt, until calls have succeeded again."""
    shop = make_shop("read")
    shop.sent.side_effect = LOST
    async with make_client(pacing=None, retry=RetryPolicy(max_attempts=2)) as rmz:
        copy = rmz.with_options(timeout=30)

        async def tries() -> int:
            shop.sent.reset()
            with pytest.raises(ConnectionFailedError):
                await copy.subscriptions.get(501)
            return shop.sent.call_count

        assert [await tries() for _ in range(7)] == [2, 2, 2, 2, 2, 1, 1]
        shop.sent.side_effect = shop.done
        for _ in range(21):
            await rmz.subscriptions.get(501)
        shop.sent.side_effect = LOST
        assert [await tries() for _ in range(2)] == [2, 1]


async def test_a_success_after_a_retry_earns_nothing(make_shop: MakeShop, make_client: Any) -> None:
    """Only a call that succeeds with its first attempt pays for another's retry."""
    shop = make_shop("read")
    async with make_client() as rmz:
        shop.sent.side_effect = [REFUSED, shop.done()]
        await rmz.subscriptions.get(501)
        assert budget_of(rmz).left == Budget.SIZE - 1
        shop.sent.side_effect = shop.done
        await rmz.subscriptions.get(501)
        assert budget_of(rmz).left == Budget.SIZE - 1 + Budget.EARNED


async def test_the_log_has_no_ids_or_tokens(
    make_shop: MakeShop, make_client: Any, http: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """An attempt is logged with its path template, and without ids, tokens or personal data."""
    shop = make_shop("read")
    shop.sent.side_effect = [BAD_GATEWAY, LOST, shop.done()]
    with caplog.at_level(logging.DEBUG, logger="rmz_async"):
        async with make_client() as rmz:
            await rmz.subscriptions.get(501)
    lines = [record.getMessage() for record in caplog.records if record.name == "rmz_async"]
    assert lines == [
        "GET /subscriptions/{id}: 502, attempt 1, 0.000 s",
        "subscriptions.get: retried in 0.5 s (RMZ answered 502)",
        f"GET /subscriptions/{{id}}: {LOST_AS[http]}, attempt 2, 0.000 s",
        f"subscriptions.get: retried in 1.0 s ({LOST_AS[http]})",
        "GET /subscriptions/{id}: 200, attempt 3, 0.000 s",
    ]
    assert not [record for record in caplog.records if record.name.startswith(("httpx", "aiohttp"))]
