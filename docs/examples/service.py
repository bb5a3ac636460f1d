"""An article that only subscribers can read."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

import rmz_async

SITE = os.environ.get("SITE", "http://127.0.0.1:8000")
SECRETS = [os.environ["RMZ_WEBHOOK_SECRET"]]
USER = "usr_noura"  # your sign-in: who is reading?
members: dict[str, bool] = {}  # your database: may this user read?
rmz = rmz_async.Client(send_token_unencrypted="RMZ_SANDBOX" in os.environ)
receiver = rmz_async.webhooks.Receiver(secrets=SECRETS, inbox="sqlite:///inbox.db")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with rmz, receiver.working():
        yield
    await receiver.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/", response_class=HTMLResponse)
async def article() -> str:
    if not members.get(USER):  # unknown, or not a subscriber when RMZ was asked last
        found = await rmz.subscriptions.lookup(external_customer_id=USER, include_inactive=True)
        members[USER] = any(one.grants_access for one in found.subscriptions)
    offer = '<form method="post" action="/subscribe"><button>Subscribe</button></form>'
    return "<h1>How to roast coffee</h1>" if members[USER] else offer


@app.post("/subscribe")
async def subscribe() -> RedirectResponse:
    session = await rmz.checkout_sessions.create(
        product_id=102,
        variant_id=14,
        customer=4502,  # or a NewCustomer
        success_url=SITE,
        cancel_url=SITE,
        external_customer_id=USER,
    )
    return RedirectResponse(session.checkout_url, 303)


@receiver.on("subscription.*")
async def forget(event: rmz_async.webhooks.SubscriptionEvent) -> None:
    members.pop(event.subscription.external_customer_id or "", None)


@app.post("/webhooks/rmz")
async def webhook(request: Request) -> Response:
    ack = await receiver.receive(await request.body(), request.headers)
    return Response(ack.body, ack.status)
