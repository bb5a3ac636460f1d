"""Deliveries and access in Flask: ``python flask_app.py``."""

import os

from flask import Flask

import rmz_sync
from rmz_async.integrations.flask import blueprint
from rmz_sync import webhooks

rmz = rmz_sync.Client()
receiver = webhooks.Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")
members: dict[str, bool] = {}  # your database


@receiver.on("subscription.*", coalesce=True)
def keep_access(event: webhooks.SubscriptionEvent) -> None:
    # An event may be late, so the present state decides.
    subscription = rmz.subscriptions.get(event.subscription.id)
    members[subscription.external_customer_id or ""] = subscription.grants_access


app = Flask(__name__)
app.register_blueprint(blueprint(receiver))


@app.get("/premium/<user>")
def premium(user: str) -> tuple[str, int]:
    return ("the premium page", 200) if members.get(user) else ("Subscribe first.", 402)


@app.get("/shop")
def shop() -> str:
    return rmz.store.get().name or ""


if __name__ == "__main__":
    with receiver.working():  # runs the handlers, in threads of their own
        app.run()
