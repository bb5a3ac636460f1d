"""An observer gets a record of each attempt and each call, and its failures cost nothing."""

from __future__ import annotations

import logging
from typing import Any, get_args

import anyio
import httpx
import pytest

from rmz_async import APIError, Client, ConfigurationError, NotFoundError, Observer
from tests.observers import Broken, BrokenContext, Hiding, Moment, Notebook
from tests.wire.changes import BAD_GATEWAY, LOST, THROTTLED, MakeShop, failing, fresh
from tests.wire.conftest import Time, over_httpx

pytestmark = [pytest.mark.anyio, over_httpx]


def failing_first(shop: Any, *failures: Any) -> None:
    """Let the shop's first attempts fail."""
    left = list(failures)
    shop.sent.side_effect = lambda _: fresh(left.pop(0)) if left else shop.done()


async def test_each_attempt_of_a_call_is_observed(make_shop: MakeShop, make_client: Any) -> None:
    """An answer has its status, and a lost one has none."""
    shop, notebook = make_shop("read"), Notebook()
    failing_first(shop, BAD_GATEWAY, LOST)

    async with make_client(observer=notebook) as rmz:
        await shop.sample.make(rmz)

    seen = [(each.number, each.status, each.outcome) for each in notebook.attempts]
    assert seen == [(1, 502, "ambiguous"), (2, None, "ambiguous"), (3, 200, "ok")]
    assert {(each.operation, each.method, each.rule) for each in notebook.attempts} == {
        ("subscriptions.get", "GET", "safe")
    }


async def test_a_call_is_observed_with_all_its_attempts(
    make_shop: MakeShop, make_client: Any, time: Time
) -> None:
    shop, notebook = make_shop("read"), Notebook()
    failing_first(shop, BAD_GATEWAY)

    async with make_client(observer=notebook) as rmz:
        await shop.sample.make(rmz.with_options(timeout=30))

    (record,) = notebook.calls
    assert (record.operation, record.rule, record.attempts, record.outcome) == (
        "subscriptions.get",
        "safe",
        2,
        "ok",
    )
    assert record.seconds == sum(time.slept) > 0


async def test_a_failed_call_is_observed_by_its_error(
    make_shop: MakeShop, make_client: Any
) -> None:
    shop, notebook = make_shop("read"), Notebook()
    shop.sent.side_effect = lambda _: fresh(failing(404))

    async with make_client(observer=notebook) as rmz:
        with pytest.raises(NotFoundError):
            await shop.sample.make(rmz)

    assert [each.outcome for each in notebook.calls] == ["NotFoundError"]
    assert [each.outcome for each in notebook.attempts] == ["final"]


async def test_a_cancelled_call_is_observed(make_shop: MakeShop, make_client: Any) -> None:
    shop, notebook = make_shop("read"), Notebook()

    with anyio.CancelScope() as scope:

        def cancel(_: httpx.Request) -> httpx.Response:
            scope.cancel()
            return fresh(THROTTLED)

        shop.sent.side_effect = cancel
        async with make_client(observer=notebook) as rmz:
            await shop.sample.make(rmz)

    assert [each.outcome for each in notebook.calls] == ["cancelled"]


async def test_an_attempt_that_was_never_sent_has_only_waited(make_client: Any) -> None:
    notebook = Notebook()

    async def no_token() -> str:
        await anyio.sleep_forever()
        return "never"

    async with make_client(no_token, observer=notebook, timeout=0.01) as rmz:
        with pytest.raises(Exception, match="no token in time"):
            await rmz.subscriptions.get(501)

    assert notebook.attempts
    assert all(each.waited == each.seconds for each in notebook.attempts)
    assert {each.status for each in notebook.attempts} == {None}


async def test_a_failing_observer_costs_one_line_of_the_log(
    make_shop: MakeShop, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The call succeeds, and the exception's own message is not shown."""
    shop = make_shop("read")
    shop.sent.side_effect = shop.done

    with caplog.at_level(logging.WARNING, "rmz_async"):
        async with make_client(observer=Broken()) as rmz:
            await shop.sample.make(rmz)
            await shop.sample.make(rmz)

    (line,) = caplog.messages
    assert line.endswith("ValueError")


async def test_an_observer_may_take_some_records_only(
    make_shop: MakeShop, make_client: Any
) -> None:
    shop = make_shop("read")
    shop.sent.side_effect = lambda _: fresh(failing(404))

    async with make_client(observer=Observer()) as rmz:
        with pytest.raises(APIError):
            await shop.sample.make(rmz)


async def test_a_call_and_its_attempts_run_within_a_context(
    make_shop: MakeShop, make_client: Any
) -> None:
    """Each record is taken inside of the context of its work."""
    shop, notebook = make_shop("read"), Notebook()
    failing_first(shop, BAD_GATEWAY)

    async with make_client(observer=notebook) as rmz:
        await shop.sample.make(rmz)

    attempt = ["attempt subscriptions.get begins", "on_attempt", "attempt ends"]
    call = "call subscriptions.get begins"
    assert notebook.lines == [call, *attempt, *attempt, "on_call", "call ends"]


async def test_a_context_sees_the_error_of_its_call(make_shop: MakeShop, make_client: Any) -> None:
    shop, notebook = make_shop("read"), Notebook()
    shop.sent.side_effect = lambda _: fresh(failing(404))

    async with make_client(observer=notebook) as rmz:
        with pytest.raises(NotFoundError):
            await shop.sample.make(rmz)

    assert notebook.lines[-2:] == ["on_call", "call raises NotFoundError"]


async def test_a_context_sees_no_error_that_the_caller_is_handling(
    make_shop: MakeShop, make_client: Any
) -> None:
    """A call in an ``except`` block succeeds: its span must not show the block's exception."""
    shop, notebook = make_shop("read"), Notebook()
    failing_first(shop)

    async with make_client(observer=notebook) as rmz:
        try:
            raise KeyError("of the caller")
        except KeyError:
            await shop.sample.make(rmz)

    assert [line for line in notebook.lines if "raises" in line] == []


async def test_a_context_cannot_hide_an_error(make_shop: MakeShop, make_client: Any) -> None:
    shop = make_shop("read")
    shop.sent.side_effect = lambda _: fresh(failing(404))

    async with make_client(observer=Hiding()) as rmz:
        with pytest.raises(NotFoundError):
            await shop.sample.make(rmz)


@pytest.mark.parametrize("moment", get_args(Moment))
async def test_a_failing_context_costs_one_line_of_the_log(
    make_shop: MakeShop, make_client: Any, caplog: pytest.LogCaptureFixture, moment: Moment
) -> None:
    shop = make_shop("read")
    shop.sent.side_effect = shop.done

    with caplog.at_level(logging.WARNING, "rmz_async"):
        async with make_client(observer=BrokenContext(moment)) as rmz:
            await shop.sample.make(rmz)

    (line,) = caplog.messages
    assert line.endswith("ValueError")


async def test_something_else_is_no_observer() -> None:
    wrong: Any = object()

    with pytest.raises(ConfigurationError, match="observer"):
        Client("1|token", observer=wrong)
