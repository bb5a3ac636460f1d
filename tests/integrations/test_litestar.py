"""RMZ in Litestar, under uvicorn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from unittest.mock import ANY

import anyio
import httpx
import pytest
from litestar import Litestar, get
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.middleware.base import DefineMiddleware
from litestar.types import Message, Scope

import rmz_async
from rmz_async import ConfigurationError, webhooks
from rmz_async.integrations import litestar
from tests.integrations.conftest import PATH, Effects, check_deliveries, deliver, serving

MakeClient = Callable[[], rmz_async.Client]


# Litestar sets up the log of the whole process otherwise, and other tests look into it.
UNTOUCHED = None


@get("/client")
async def address(rmz: litestar.RMZ) -> str:
    """Say which client the application has."""
    return repr(rmz)


def app_of(receiver: webhooks.Receiver, client: MakeClient) -> Litestar:
    """An application."""
    return Litestar(
        [litestar.route(receiver), address],
        lifespan=[litestar.lifespan(client=client, receiver=receiver)],
        dependencies={"rmz": Provide(litestar.client)},
        logging_config=UNTOUCHED,
    )


def test_a_delivery_is_stored_and_its_handler_runs(
    receiver: webhooks.Receiver, made_client: MakeClient, effects: Effects
) -> None:
    """Forged and endless bodies are refused."""
    with serving(app_of(receiver, made_client)) as url:
        check_deliveries(url, effects)


def test_a_request_gets_the_client_of_the_application(
    receiver: webhooks.Receiver, made_client: MakeClient
) -> None:
    with serving(app_of(receiver, made_client)) as url:
        assert httpx.get(f"{url}/client").text == "<Client of http://127.0.0.1:9>"


def test_the_paywall_works_for_the_life_of_the_application(
    made_client: MakeClient, tmp_path: Path
) -> None:
    """A paywall that was open has written its snapshot."""
    known = tmp_path / "known"
    paywall = rmz_async.Paywall(made_client(), snapshot=known)

    with serving(
        Litestar(
            [],
            lifespan=[litestar.lifespan(client=made_client, paywall=paywall)],
            logging_config=UNTOUCHED,
        )
    ):
        assert not known.exists()
    assert known.exists()


def test_an_application_may_leave_the_handlers_to_another_process(
    receiver: webhooks.Receiver, made_client: MakeClient, effects: Effects
) -> None:
    app = Litestar(
        [litestar.route(receiver)],
        lifespan=[litestar.lifespan(client=made_client)],
        logging_config=UNTOUCHED,
    )
    body = webhooks.sample(webhooks.EventType.SUBSCRIPTION_PAUSED)

    with serving(app) as url:
        assert deliver(url, body).status_code == 200
    assert effects.names == []
    assert receiver.inbox.stats().waiting == 1


def test_neither_a_sign_in_nor_a_token_against_forged_forms_is_asked_of_rmz(
    receiver: webhooks.Receiver,
) -> None:
    """The signature takes their place."""

    class SignIn(AbstractAuthenticationMiddleware):
        async def authenticate_request(self, connection: object) -> AuthenticationResult:
            raise NotAuthorizedException

    app = Litestar(
        [litestar.route(receiver)],
        middleware=[DefineMiddleware(SignIn)],
        csrf_config=CSRFConfig(secret="a-secret-of-the-application"),
        logging_config=UNTOUCHED,
    )
    body = webhooks.sample(webhooks.EventType.SUBSCRIPTION_PAUSED)

    with serving(app) as url:
        assert deliver(url, body).status_code == 200


def test_the_api_s_own_document_does_not_mention_the_deliveries(
    receiver: webhooks.Receiver, made_client: MakeClient
) -> None:
    assert PATH not in (app_of(receiver, made_client).openapi_schema.paths or {})


def test_an_application_without_the_lifespan_says_what_is_missing() -> None:
    with pytest.raises(ConfigurationError, match=r"pass lifespan"):
        anyio.run(litestar.client, State())


def test_a_sender_that_hangs_up_leaves_no_traceback(
    receiver: webhooks.Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """The body is not complete, and was not looked at."""
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": [], "query_string": b""}
    sent: list[Message] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    anyio.run(
        Litestar([litestar.route(receiver)], logging_config=UNTOUCHED),
        cast("Scope", scope),
        receive,
        send,
    )

    assert sent[0] == {"type": "http.response.start", "status": 400, "headers": ANY}
    assert not caplog.records
