"""Deliveries and access in FastAPI: ``uvicorn fastapi_app:app``."""

import os

from fastapi import FastAPI, HTTPException

import rmz_async
from rmz_async import webhooks
from rmz_async.integrations.fastapi import RMZ, lifespan, webhook_router

rmz = rmz_async.Client()
receiver = webhooks.Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")
members: dict[str, bool] = {}  # your database


@receiver.on("subscription.*", coalesce=True)
async def keep_access(event: webhooks.SubscriptionEvent) -> None:
    # An event may be late, so the present state decides.
    subscription = await rmz.subscriptions.get(event.subscription.id)
    members[subscription.external_customer_id or ""] = subscription.grants_access


app = FastAPI(lifespan=lifespan(client=lambda: rmz, receiver=receiver))
app.include_router(webhook_router(receiver))


@app.get("/premium/{user}")
async def premium(user: str) -> str:
    if not members.get(user):
        raise HTTPException(402, "Subscribe first.")
    return "the premium page"


@app.get("/shop")
async def shop(rmz: RMZ) -> str | None:
    return (await rmz.store.get()).name
