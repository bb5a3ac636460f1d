"""Deliveries and access in aiohttp: ``python aiohttp_app.py``."""

import os

from aiohttp import web

import rmz_async
from rmz_async import webhooks
from rmz_async.integrations.aiohttp import CLIENT, setup

rmz = rmz_async.Client()
receiver = webhooks.Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")
members: dict[str, bool] = {}  # your database


@receiver.on("subscription.*", coalesce=True)
async def keep_access(event: webhooks.SubscriptionEvent) -> None:
    # An event may be late, so the present state decides.
    subscription = await rmz.subscriptions.get(event.subscription.id)
    members[subscription.external_customer_id or ""] = subscription.grants_access


async def premium(request: web.Request) -> web.Response:
    if not members.get(request.match_info["user"]):
        raise web.HTTPPaymentRequired(text="Subscribe first.")
    return web.Response(text="the premium page")


async def shop(request: web.Request) -> web.Response:
    return web.Response(text=(await request.app[CLIENT].store.get()).name)


app = web.Application()
setup(app, client=lambda: rmz, receiver=receiver)
app.router.add_get("/premium/{user}", premium)
app.router.add_get("/shop", shop)

if __name__ == "__main__":
    web.run_app(app)
