"""Deliveries and access in Starlette: ``uvicorn starlette_app:app``."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import rmz_async
from rmz_async import webhooks
from rmz_async.integrations.starlette import client, lifespan, route

rmz = rmz_async.Client()
receiver = webhooks.Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")
members: dict[str, bool] = {}  # your database


@receiver.on("subscription.*", coalesce=True)
async def keep_access(event: webhooks.SubscriptionEvent) -> None:
    # An event may be late, so the present state decides.
    subscription = await rmz.subscriptions.get(event.subscription.id)
    members[subscription.external_customer_id or ""] = subscription.grants_access


async def premium(request: Request) -> PlainTextResponse:
    if not members.get(request.path_params["user"]):
        return PlainTextResponse("Subscribe first.", 402)
    return PlainTextResponse("the premium page")


async def shop(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await client(request).store.get()).name)


app = Starlette(
    routes=[route(receiver), Route("/premium/{user}", premium), Route("/shop", shop)],
    lifespan=lifespan(client=lambda: rmz, receiver=receiver),
)
