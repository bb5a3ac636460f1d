"""A customer subscribes, from the checkout to the cancellation, without leaving this machine.

Run it with ``python -m rmz_async.sandbox.demo``; it needs the extra ``sandbox``. The demo starts a
sandbox and a receiver of webhooks on free loopback ports, and then does what a shop's own server
would do.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import secrets
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn
from anyio.from_thread import start_blocking_portal
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import rmz_async
import rmz_sync
from rmz_async.sandbox import Sandbox, Served
from rmz_async.sandbox._printing import readable_output
from rmz_async.sandbox.serving.listening import listen

__all__ = ("main",)

USER = "usr_abc123"
SUCCESS_URL = "https://app.example/welcome?step=paid"
CANCEL_URL = "https://app.example/plans"
EVENT_WITHIN = 10.0


class UnexpectedError(Exception):
    """A step did not end as it should."""


def check(holds: bool, claim: str) -> None:
    """Go on if *holds*; end the demonstration otherwise."""
    if not holds:
        raise UnexpectedError(claim)


def step(text: str) -> None:
    """Print what happens next."""
    write(f"\n{text}")


def show(text: str) -> None:
    """Print what came of it."""
    write(f"    {text}")


def write(text: str) -> None:
    """Print *text* immediately."""
    print(text, flush=True)


class ShowWire(logging.Handler):
    """Prints what the client logs: each request, without a secret."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line."""
        show(f"→ {record.getMessage()}")


class Receiver:
    """The shop's own endpoint for webhooks: it verifies, hands on, and answers immediately."""

    def __init__(self) -> None:
        self.secret: str = secrets.token_hex(14)
        self.events: queue.Queue[rmz_async.Event] = queue.Queue()
        self.refused: int = 0
        self.app: Starlette = Starlette(routes=[Route("/rmz", self.receive, methods=["POST"])])

    async def receive(self, request: Request) -> Response:
        """Take one delivery."""
        try:
            event = rmz_async.webhooks.verify(
                await request.body(), request.headers, secrets=[self.secret]
            )
        except rmz_async.SignatureError:
            self.refused += 1
            return PlainTextResponse("who are you?", status_code=401)
        self.events.put(event)
        return PlainTextResponse("thank you")

    @contextmanager
    def serve(self) -> Generator[str]:
        """Listen on a free loopback port, from a thread; gives the address."""
        with listen("127.0.0.1", 0) as listener:
            server = uvicorn.Server(uvicorn.Config(self.app, lifespan="off", log_config=None))
            with start_blocking_portal() as portal:
                running = portal.start_task_soon(server.serve, [listener])
                yield f"http://127.0.0.1:{listener.getsockname()[1]}/rmz"
                server.should_exit = True
                running.result()


def customer_pays(checkout_url: str) -> str:
    """Do in the browser's place what a customer does; return where they are sent."""
    with httpx.Client(trust_env=False) as browser:
        page = browser.get(checkout_url)
        check(page.status_code == 200, "the checkout page opens")
        show(f"→ GET {urlsplit(checkout_url).path}: {page.status_code}, a page with two buttons")
        answer = browser.post(f"{checkout_url}/pay")
        check(answer.is_redirect, "the payment sends the customer back")
        show(f"→ POST {urlsplit(checkout_url).path}/pay: {answer.status_code}")
        return answer.headers["location"]


async def subscribe(rmz: rmz_async.Client, receiver: Receiver, address: str) -> int:
    """From the checkout to a verified subscription; return its id."""
    step("1. Your server creates a checkout session.")
    session = await rmz.checkout_sessions.create(
        product_id=102,
        variant_id=15,
        customer=rmz_async.NewCustomer(
            country_code="966",
            phone="512345678",
            first_name="Ahmed",
            last_name="Ali",
            email="ahmed@example.com",
        ),
        success_url=SUCCESS_URL,
        cancel_url=CANCEL_URL,
        metadata={"plan": "pro"},
        external_customer_id=f"{USER}-{session_suffix()}",
    )
    show(f"session {session.session_id}, open until {session.expires_at:%H:%M:%S} UTC")

    step("2. The customer opens the hosted page and pays.")
    target = await asyncio.to_thread(customer_pays, session.checkout_url)
    show(f"sent back to {target}")
    returned = parse_qs(urlsplit(target).query).get("rmz-subscription-id", [])
    check(len(returned) == 1 and target.startswith(SUCCESS_URL), "the redirect names it")

    step("3. RMZ's webhook arrives; its signature is verified.")
    # Every webhook gets every event, and they may overtake each other.
    told = [await asyncio.to_thread(receiver.events.get, timeout=EVENT_WITHIN) for _ in range(2)]
    by_type = {event.event: event for event in told}
    check(
        by_type.keys()
        == {rmz_async.EventType.SUBSCRIPTION_CREATED, rmz_async.EventType.ORDER_CREATED},
        "a subscription and its order were created",
    )
    event, ordered = (
        by_type[rmz_async.EventType.SUBSCRIPTION_CREATED],
        by_type[rmz_async.EventType.ORDER_CREATED],
    )
    check(event.subscription is not None, "it is about a subscription")
    check(ordered.order is not None, "it is about an order")
    show(f"← {event.event}, event {event.event_id}")
    show(f"← {ordered.event}, order {ordered.order.id if ordered.order else None}")
    await forge(receiver, address)

    step("4. The redirect proves nothing: your server reads the subscription itself.")
    subscription = await rmz.subscriptions.get(int(returned[0]))
    check(event.subscription is not None and event.subscription.id == subscription.id, "same id")
    found = await rmz.subscriptions.lookup(
        external_customer_id=subscription.external_customer_id, include_inactive=True
    )
    check([item.id for item in found.subscriptions] == [subscription.id], "the lookup finds it")
    check(found.subscriptions[0].grants_access, "it grants access")
    show(f"subscription {subscription.id} is {subscription.status}: access granted")
    return subscription.id


def session_suffix() -> str:
    """Return a few letters that make this run's customer its own."""
    return secrets.token_hex(3)


async def forge(receiver: Receiver, address: str) -> None:
    """Send a delivery without a signature."""
    async with httpx.AsyncClient(trust_env=False) as stranger:
        body = b'{"event": "subscription.created", "data": {}}'
        answer = await stranger.post(address, content=body, headers={"Signature": "0" * 64})
    check(answer.status_code == 401 and receiver.refused == 1, "a forged delivery is refused")
    show(f"a forged delivery is answered {answer.status_code}")


async def manage(rmz: rmz_async.Client, receiver: Receiver, subscription_id: int) -> None:
    """The later events of a subscription."""
    step("5. The customer wants to change their card: your server opens the billing portal.")
    portal = await rmz.portal_sessions.create(
        customer=rmz_async.PhoneNumber(country_code="966", phone="512345678"),
        return_url="https://app.example/account",
    )
    check(portal.url.startswith("http"), "the portal has an address")
    show("a portal address that works once")

    step("6. They pause; pausing twice is refused; they come back.")
    paused = await rmz.subscriptions.pause(subscription_id)
    check(paused.status == rmz_async.SubscriptionStatus.PAUSED, "it is paused")
    try:
        await rmz.subscriptions.pause(subscription_id)
    except rmz_async.ConflictError as error:
        show(f"refused: {error}")
    else:
        raise UnexpectedError("what is paused cannot be paused")
    active = await rmz.subscriptions.unpause(subscription_id)
    check(active.status == rmz_async.SubscriptionStatus.ACTIVE, "it is active again")

    step("7. They cancel at the end of the period.")
    canceled = await rmz.subscriptions.cancel(subscription_id)
    check(canceled.cancel_at_period_end is True, "it ends with the period")
    check(canceled.grants_access, "access lasts until then")
    show(f"still {canceled.status} until {canceled.current_period_end:%Y-%m-%d}")

    step("8. A webhook reported each change.")
    wanted = {"subscription.paused", "subscription.unpaused", "subscription.canceled"}
    deadline = time.monotonic() + EVENT_WITHIN
    while wanted and time.monotonic() < deadline:
        event = await asyncio.to_thread(receiver.events.get, timeout=EVENT_WITHIN)
        show(f"← {event.event}")
        wanted.discard(event.event)
    check(not wanted, "all three events arrived")


def read_in_sync(served: Served, subscription_id: int) -> None:
    """The same reads without await."""
    step("9. The same from code that cannot await: rmz_sync.")
    with rmz_sync.Client(served.token, base_url=served.base_url) as rmz:
        subscription = rmz.subscriptions.get(subscription_id)
        check(subscription.cancel_at_period_end is True, "it reads the same")
        count = sum(1 for _ in rmz.subscriptions.list())
    show(f"subscription {subscription.id} ends {subscription.current_period_end:%Y-%m-%d}")
    show(f"the store has {count} subscriptions")


async def run() -> None:
    """Do all steps."""
    receiver = Receiver()
    with receiver.serve() as address:
        async with Sandbox().serve() as served:
            write(f"A local RMZ answers at {served.base_url}")
            write(f"Your receiver of webhooks listens at {address}")
            served.add_webhook(address, secret=receiver.secret)
            async with rmz_async.Client(served.token, base_url=served.base_url) as rmz:
                subscription_id = await subscribe(rmz, receiver, address)
                await manage(rmz, receiver, subscription_id)
            await asyncio.to_thread(read_in_sync, served, subscription_id)
    write(
        "\nAll as expected. For a real store set its token, and nothing else changes:\n"
        "    export RMZ_API_TOKEN='1|…'      # from the dashboard; RMZ has no test mode\n"
        "    async with rmz_async.Client() as rmz:\n"
        "        await rmz.subscriptions.get(501)"
    )


@readable_output()
def main() -> int:
    """Run the demonstration; return the exit code."""
    logger, handler = logging.getLogger("rmz_async"), ShowWire()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    status = 0
    try:
        asyncio.run(run())
    except (UnexpectedError, rmz_async.RMZError, queue.Empty) as error:
        print(f"\nNot as expected: {type(error).__name__}: {error}", file=sys.stderr)
        status = 1
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return status


if __name__ == "__main__":
    sys.exit(main())
