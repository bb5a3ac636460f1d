"""Deliveries and access in Litestar: ``uvicorn litestar_app:app``."""

import os

from litestar import Litestar, Response, get
from litestar.di import Provide
from litestar.params import FromPath

from rmz_async import Client, webhooks
from rmz_async.integrations.litestar import RMZ, client, lifespan, route

rmz = Client()
receiver = webhooks.Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")
members: dict[str, bool] = {}  # your database


@receiver.on("subscription.*", coalesce=True)
async def keep_access(event: webhooks.SubscriptionEvent) -> None:
    # An event may be late, so the present state decides.
    subscription = await rmz.subscriptions.get(event.subscription.id)
    members[subscription.external_customer_id or ""] = subscription.grants_access


@get("/premium/{user:str}")
async def premium(user: FromPath[str]) -> Response[str]:
    if not members.get(user):
        return Response("Subscribe first.", status_code=402)
    return Response("the premium page")


@get("/shop")
async def shop(rmz: RMZ) -> str:
    return (await rmz.store.get()).name or ""


app = Litestar(
    [route(receiver), premium, shop],
    lifespan=[lifespan(client=lambda: rmz, receiver=receiver)],
    dependencies={"rmz": Provide(client)},
)
