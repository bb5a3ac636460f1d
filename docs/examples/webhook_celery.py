"""Handlers in Celery: ``python`` receives, and ``celery -A webhook_celery:queue worker`` works."""

import os

from celery import Celery
from flask import Flask

from rmz_async.integrations.flask import blueprint
from rmz_sync import webhooks

queue = Celery("webhook_celery", broker=os.environ["REDIS_URL"])
receiver = webhooks.Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")


@receiver.on(webhooks.SubscriptionRenewed)
def book(event: webhooks.SubscriptionRenewed) -> None:
    with receiver.transaction(event) as connection:
        connection.execute("INSERT INTO renewals VALUES (?)", (event.subscription.id,))


@queue.task(ignore_result=True)
def run_delivery(inbox_id: int) -> None:
    receiver.run_one(inbox_id)


receiver.hand_off(run_delivery.delay)

app = Flask(__name__)
app.register_blueprint(blueprint(receiver))


if __name__ == "__main__":
    with receiver.working():  # hands over again what the queue has lost
        app.run()
