"""RMZ in Flask, under the standard library's WSGI server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask, Request, request

from rmz_async.integrations._bodies import PATH
from rmz_async.integrations.flask import blueprint
from rmz_sync import webhooks
from rmz_sync.webhooks import EventType, sample, sign
from tests.integrations.blocking import serving_wsgi
from tests.integrations.conftest import SECRET, Effects, check_deliveries


def test_a_delivery_is_stored_and_its_handler_runs(
    blocking_receiver: webhooks.Receiver, effects: Effects
) -> None:
    """Forged and endless bodies are refused."""
    app = Flask("shop")
    app.register_blueprint(blueprint(blocking_receiver))

    with serving_wsgi(app) as url, blocking_receiver.working():
        check_deliveries(url, effects)


class Cut:
    """A body that ends too early, as a server reports it."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, _: int) -> bytes:
        """Read nothing."""
        raise self.error


@pytest.mark.parametrize("error", [OSError("unexpected end"), RuntimeError("invalid chunk size")])
def test_a_body_that_is_not_complete_leaves_no_traceback(
    blocking_receiver: webhooks.Receiver, error: Exception
) -> None:
    """Anybody can send one, and gunicorn and gevent raise errors of their own."""
    app = Flask("shop")
    app.testing = True
    app.register_blueprint(blueprint(blocking_receiver))
    environ = {"wsgi.input": Cut(error), "wsgi.input_terminated": True}
    answer = app.test_client().post(PATH, environ_overrides=environ)

    assert (answer.status_code, answer.text) == (400, "the body is not complete")


@pytest.mark.parametrize("look", [Request.get_data, Request.get_json], ids=["get_data", "get_json"])
def test_a_body_that_another_function_has_read_is_verified(
    blocking_receiver: webhooks.Receiver, look: Callable[[Request], object]
) -> None:
    """A log of all requests, for instance: each delivery would be refused as forged."""
    app = Flask("shop")

    @app.before_request
    def look_at_it() -> None:
        look(request)

    app.register_blueprint(blueprint(blocking_receiver))
    body = sample(EventType.ORDER_CREATED)
    headers = {"Signature": sign(body, SECRET), "Content-Type": "application/json"}

    assert app.test_client().post(PATH, data=body, headers=headers).status_code == 200


def test_a_limit_of_the_application_holds(blocking_receiver: webhooks.Receiver) -> None:
    app = Flask("shop")
    app.config["MAX_CONTENT_LENGTH"] = 10
    app.register_blueprint(blueprint(blocking_receiver))

    assert app.test_client().post(PATH, data=b"x" * 11).status_code == 413
