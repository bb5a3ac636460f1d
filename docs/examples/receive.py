"""Receives RMZ's webhooks, and prints what has happened to a subscription."""

import os

from fastapi import FastAPI

from rmz_async.integrations.fastapi import lifespan, webhook_router
from rmz_async.webhooks import Receiver, SubscriptionEvent

receiver = Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")


@receiver.on("subscription.*")
async def show(event: SubscriptionEvent) -> None:
    subscription = event.subscription
    print(f"{event.event}: {subscription.id} is {subscription.status}", flush=True)


app = FastAPI(lifespan=lifespan(receiver=receiver))
app.include_router(webhook_router(receiver))
