"""Answers that will not change: they are raised immediately, each in its own words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from rmz_async import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    UnexpectedAnswerError,
    UnprocessableEntityError,
)
from tests.wire.changes import LOGIN_PAGE, MakeShop, failing, fresh

pytestmark = pytest.mark.anyio


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
async def test_a_final_answer_is_not_retried(
    make_shop: MakeShop, make_client: Any, answer: httpx.Response, error: type[APIError]
) -> None:
    """An answer that will not change is raised immediately, with its status and message."""
    make_shop("read").sent.side_effect = [answer]
    async with make_client() as rmz:
        with pytest.raises(error) as caught:
            await rmz.subscriptions.get(501)
    assert caught.value.status == answer.status_code
    assert caught.value.message == answer.json()["message"]
    assert caught.value.operation == "subscriptions.get"


async def test_a_refused_field_is_named(make_shop: MakeShop, make_client: Any) -> None:
    """RMZ's own refusal of a field is caught like the client's, and names the field."""
    errors = {"days": ["The days must not be greater than 365."]}
    make_shop("extend by id").sent.side_effect = [
        httpx.Response(422, json={"message": "invalid", "errors": errors})
    ]
    async with make_client() as rmz:
        with pytest.raises(ValueError, match="days: The days must") as caught:
            await rmz.subscriptions.extend(501, days=365)
    assert isinstance(caught.value, UnprocessableEntityError)
    assert caught.value.errors == {"days": ("The days must not be greater than 365.",)}


async def test_a_422_about_the_state_is_a_conflict(make_shop: MakeShop, make_client: Any) -> None:
    """A 422 that names no field sent means that the subscription's state forbids it."""
    make_shop("extend by id").sent.side_effect = [failing(422, "Subscription is expired")]
    async with make_client() as rmz:
        with pytest.raises(ConflictError, match="Subscription is expired"):
            await rmz.subscriptions.extend(501, days=1)


@pytest.mark.parametrize(
    "answer",
    [
        LOGIN_PAGE,
        httpx.Response(302, headers={"Location": "https://evil.example/"}),
        httpx.Response(200, json={"message": "no data"}),
        httpx.Response(200, json=[1]),
        httpx.Response(200, json={"data": {"id": "not a number", "status": "active"}}),
        httpx.Response(200, json={"data": []}),
    ],
)
async def test_an_answer_of_another_shape_is_not_retried(
    make_shop: MakeShop, make_client: Any, answer: httpx.Response
) -> None:
    """A foreign answer would come again: a read raises it, a write cannot tell."""
    make_shop("read").sent.side_effect = lambda _: fresh(answer)
    make_shop("extend by id").sent.side_effect = lambda _: fresh(answer)
    async with make_client() as rmz:
        with pytest.raises(UnexpectedAnswerError, match="not what RMZ documents") as read:
            await rmz.subscriptions.get(501)
        with pytest.raises(OutcomeUnknownError) as caught:
            await rmz.subscriptions.extend(501, days=7)
    assert isinstance(caught.value.__cause__, UnexpectedAnswerError)
    assert ("a redirect" in str(read.value)) is (answer.status_code == 302)


NGINX = {404: "<h1>404 Not Found</h1>", 403: "<title>Attention Required! | Cloudflare</title>"}


@pytest.mark.parametrize("status", NGINX)
async def test_a_page_of_somebody_in_between_is_not_rmzs_word(
    make_shop: MakeShop, make_client: Any, status: int
) -> None:
    """A read says that the answer is unexpected, and never that there is no such subscription."""
    shop = make_shop("read")
    shop.sent.side_effect = lambda _: httpx.Response(status, html=NGINX[status])
    async with make_client() as rmz:
        with pytest.raises(UnexpectedAnswerError, match="between this machine and RMZ") as caught:
            await rmz.subscriptions.get(501)
    assert caught.value.status == status
    assert shop.sent.call_count == 1


@pytest.mark.parametrize("status", NGINX)
async def test_a_change_that_somebody_in_between_answers_is_unknown(
    make_shop: MakeShop, make_client: Any, status: int
) -> None:
    """The request may have been passed on before."""
    shop = make_shop("extend by id")
    shop.sent.side_effect = lambda _: httpx.Response(status, html=NGINX[status])
    async with make_client() as rmz:
        with pytest.raises(OutcomeUnknownError) as caught:
            await shop.sample.make(rmz)
    assert isinstance(caught.value.__cause__, UnexpectedAnswerError)
    assert shop.sent.call_count == 1


async def test_only_rmz_can_refuse_a_token(make_shop: MakeShop, make_client: Any) -> None:
    """The login of a proxy says nothing of the token, and nothing of the change."""
    shop = make_shop("extend by id")
    shop.sent.side_effect = lambda _: httpx.Response(401, html="<h1>Log in</h1>")
    asked: list[str] = []

    def ask() -> str:
        asked.append("1|token")
        return asked[0]

    async with make_client(ask) as rmz:
        with pytest.raises(OutcomeUnknownError):
            await shop.sample.make(rmz)
    assert (len(asked), shop.sent.call_count) == (1, 1)


async def test_a_base_url_without_its_end_is_named(make_shop: MakeShop, make_client: Any) -> None:
    """RMZ itself says that it has no such route: nothing was done."""
    message = "The route subscriptions/501/pause could not be found."
    shop = make_shop("pause")
    shop.sent.side_effect = lambda _: failing(404, message)
    async with make_client() as rmz:
        with pytest.raises(UnexpectedAnswerError, match="base URL is wrong"):
            await shop.sample.make(rmz)
    assert not shop.read.called
