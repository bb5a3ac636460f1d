"""A service that sells a subscription, and shows an article to its subscribers only."""

import os
from html import escape
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from rmz_async import Client, Paywall
from rmz_async.integrations.fastapi import exception_handlers, lifespan, requires, webhook_router
from rmz_async.paywall import NotYet
from rmz_async.webhooks import Receiver

SITE = os.environ.get("SITE", "http://127.0.0.1:8000")
SUBSCRIBE = ' <form method="post" action="/subscribe"><button>Subscribe</button></form>'


def signed_in() -> str:
    return "usr_noura"  # your sign-in: who is reading?


def create_app(client: Client | None = None) -> FastAPI:
    rmz = client or Client(send_token_unencrypted="RMZ_SANDBOX" in os.environ)
    paywall = Paywall(rmz, state_secret=os.environ["STATE_SECRET"])
    receiver = Receiver(secrets=[os.environ["RMZ_WEBHOOK_SECRET"]], inbox="sqlite:///inbox.db")
    receiver.feeds(paywall)
    running = lifespan(client=lambda: rmz, receiver=receiver, paywall=paywall)
    app = FastAPI(lifespan=running, exception_handlers=exception_handlers())
    app.state.receiver = receiver
    app.include_router(webhook_router(receiver))
    subscriber = requires("pro-plan", paywall=paywall, user=signed_in, offer=lambda _: "/account")

    @app.get("/premium", response_class=HTMLResponse, dependencies=[Depends(subscriber)])
    async def premium() -> str:
        return "<h1>How to roast coffee</h1>"

    @app.get("/account")
    async def account(user: Annotated[str, Depends(signed_in)]) -> Response:
        if not (access := await paywall.check(user)) and access.certain:
            return HTMLResponse(escape(access.text()) + SUBSCRIBE)
        portal = await rmz.portal_sessions.create(customer=4502, return_url=f"{SITE}/premium")
        return RedirectResponse(portal.url, 303)

    @app.post("/subscribe")
    async def subscribe(user: Annotated[str, Depends(signed_in)]) -> Response:
        pro, me = (await rmz.plans())["pro-plan", "monthly"], 4502  # or a NewCustomer
        session = await paywall.start(
            user, plan=pro, customer=me, success_url=f"{SITE}/welcome", cancel_url=f"{SITE}/account"
        )
        return RedirectResponse(session.checkout_url, 303)

    @app.get("/welcome")
    async def welcome(request: Request, user: Annotated[str, Depends(signed_in)]) -> Response:
        outcome = await paywall.confirm(request.query_params, user=user)
        if isinstance(outcome, NotYet):
            return HTMLResponse("Your payment is on its way.", 202, {"Refresh": "3"})
        return RedirectResponse("/premium" if outcome else "/account", 303)

    return app
