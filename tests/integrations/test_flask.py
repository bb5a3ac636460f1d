"""RMZ in Flask, under the standard library's WSGI server."""

from __future__ import annotations

from flask import Flask

from rmz_async.integrations.flask import blueprint
from rmz_sync import webhooks
from tests.integrations.blocking import serving_wsgi
from tests.integrations.conftest import Effects, check_deliveries


def test_a_delivery_is_stored_and_its_handler_runs(
    blocking_receiver: webhooks.Receiver, effects: Effects
) -> None:
    """Forged and endless bodies are refused."""
    app = Flask("shop")
    app.register_blueprint(blueprint(blocking_receiver))

    with serving_wsgi(app) as url, blocking_receiver.working():
        check_deliveries(url, effects)
