"""If the token comes from, and what happens when RMZ refuses it."""

from __future__ import annotations

from typing import Any

import anyio
import httpx
import pytest
import respx

from rmz_async import AuthenticationError, ConfigurationError, ConnectionFailedError

pytestmark = pytest.mark.anyio

UNAUTHENTICATED = httpx.Response(401, json={"message": "Unauthenticated."})
SUBSCRIPTION = httpx.Response(200, json={"data": {"id": 501, "status": "active"}})


@pytest.fixture
def read(rmz_api: respx.MockRouter) -> respx.Route:
    """Return the route of subscription 501; it accepts one token only."""

    def answer(request: httpx.Request) -> httpx.Response:
        accepted = request.headers["authorization"] == "Bearer 1|second"
        return SUBSCRIPTION if accepted else UNAUTHENTICATED

    return rmz_api.get("/subscriptions/501").mock(side_effect=answer)


class Source:
    """Gives one token after the other."""

    def __init__(self, *tokens: str) -> None:
        self.asked = 0
        self._tokens = tokens

    def __call__(self) -> str:
        """Give the next one."""
        token = self._tokens[min(self.asked, len(self._tokens) - 1)]
        self.asked += 1
        return token

    async def later(self) -> str:
        """Give the next one, after a step of the loop."""
        await anyio.lowlevel.checkpoint()
        return self()


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_a_source_is_asked_once_more_after_a_401(
    read: respx.Route, make_client: Any, asynchronous: bool
) -> None:
    """A plain or async source is asked at the first call, and once more when RMZ refuses."""
    source = Source("1|first", "1|second")
    async with make_client(source.later if asynchronous else source) as rmz:
        await rmz.subscriptions.get(501)
        await rmz.subscriptions.get(501)
    assert source.asked == 2
    assert read.call_count == 3


async def test_a_source_is_not_asked_for_ever(read: respx.Route, make_client: Any) -> None:
    """A second refusal is final."""
    source = Source("1|first")
    async with make_client(source) as rmz:
        with pytest.raises(AuthenticationError, match="check the token"):
            await rmz.subscriptions.get(501)
    assert (source.asked, read.call_count) == (2, 2)


async def test_a_fixed_token_is_refused_after_one_attempt(
    read: respx.Route, make_client: Any
) -> None:
    """A fixed token has no source to ask for another."""
    async with make_client("1|first") as rmz:
        with pytest.raises(AuthenticationError):
            await rmz.subscriptions.get(501)
    assert read.call_count == 1


async def test_an_extension_is_sent_again_after_a_401(
    rmz_api: respx.MockRouter, make_client: Any
) -> None:
    """A 401 is given before anything is done, so that even an extension may be sent again."""
    route = rmz_api.post("/subscriptions/501/extend").mock(
        side_effect=[UNAUTHENTICATED, SUBSCRIPTION]
    )
    async with make_client(Source("1|first", "1|second")) as rmz:
        await rmz.subscriptions.extend(501, days=1)
    assert route.call_count == 2


async def test_callers_that_wait_together_ask_once(read: respx.Route, make_client: Any) -> None:
    """Many calls that begin without a token, or are refused together, share one answer."""
    source = Source("1|first", "1|second")
    async with make_client(source.later) as rmz, anyio.create_task_group() as calls:
        for _ in range(20):
            calls.start_soon(rmz.subscriptions.get, 501)
    assert source.asked == 2


async def test_an_error_of_the_source_reaches_the_caller(
    read: respx.Route, make_client: Any
) -> None:
    """An error of the caller's own source reaches the caller as it is."""

    def broken() -> str:
        raise LookupError("no vault")

    async with make_client(broken) as rmz:
        with pytest.raises(LookupError, match="no vault"):
            await rmz.subscriptions.get(501)
    assert not read.called


async def test_a_source_may_give_a_bad_token(read: respx.Route, make_client: Any) -> None:
    """A source's token is checked like any other, and not shown."""
    async with make_client(lambda: "1|S3CRET\n") as rmz:
        with pytest.raises(ConfigurationError, match="visible ASCII") as caught:
            await rmz.subscriptions.get(501)
    assert "S3CRET" not in str(caught.value)


async def test_a_source_is_bound_by_the_deadline(read: respx.Route, make_client: Any) -> None:
    """A source is bound by the call's deadline like everything else."""

    async def hangs() -> str:
        await anyio.sleep_forever()
        raise AssertionError

    async with make_client(hangs, timeout=0.05) as rmz:
        with pytest.raises(ConnectionFailedError, match="the token source gave no token in time"):
            await rmz.subscriptions.get(501)
    assert not read.called


async def test_a_source_is_bound_by_the_deadline_after_a_401(
    rmz_api: respx.MockRouter, make_client: Any, time: Any
) -> None:
    """The deadline holds for the second question too."""
    asked: list[int] = []

    def refuse(_: httpx.Request) -> httpx.Response:
        time.now += 4.95
        return UNAUTHENTICATED

    async def once() -> str:
        asked.append(1)
        if len(asked) > 1:
            await anyio.sleep_forever()
        return "1|first"

    rmz_api.get("/subscriptions/501").mock(side_effect=refuse)
    async with make_client(once, timeout=5) as rmz:
        with pytest.raises(ConnectionFailedError, match="the token source gave no token in time"):
            await rmz.subscriptions.get(501)
