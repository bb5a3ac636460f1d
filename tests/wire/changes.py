"""Every call that a failure treats in a way of its own, and a shop with answers that are set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import httpx
import respx

from rmz_async import (
    Client,
    OrderLine,
    OrderStatus,
    RetryPolicy,
    Subscription,
    SubscriptionStatus,
)

if TYPE_CHECKING:
    from tests.wire.conftest import Time

START = "2026-01-01T00:00:00.000000Z"
END = "2026-02-01T00:00:00.000000Z"
LATER = "2026-02-08T00:00:00.000000Z"
BEFORE = Subscription(
    id=501,
    status=SubscriptionStatus.ACTIVE,
    current_period_start=datetime(2026, 1, 1, tzinfo=UTC),
    current_period_end=datetime(2026, 2, 1, tzinfo=UTC),
)
PERIOD = {"status": "active", "current_period_start": START}

REFUSED = httpx.ConnectError("All connection attempts failed")
LOST = httpx.ReadError("connection reset")
LOST_AS = {None: "ReadError", "aiohttp": "ClientOSError"}
"""The report about it, by the library that sends."""

BAD_GATEWAY = httpx.Response(502, html="<h1>Bad Gateway</h1>")
THROTTLED = httpx.Response(
    429,
    json={"message": "Too Many Requests"},
    headers={"Retry-After": "7", "X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0"},
)
OTHER_429 = httpx.Response(
    429, json={"message": "Slow down"}, headers={"X-RateLimit-Remaining": "12"}
)
LOGIN_PAGE = httpx.Response(200, html="<form>log in</form>")
CUT = httpx.Response(
    200, content=b'{"data": {"id": 5', headers={"Content-Type": "application/json"}
)


def failing(status: int, message: str = "no", **body: object) -> httpx.Response:
    """An error of RMZ."""
    return httpx.Response(status, json={"message": message, "data": None, "error": True, **body})


def fresh(failure: Any) -> httpx.Response:
    """Return an answer that is not read yet, or raise the exception in its place."""
    if isinstance(failure, Exception):
        raise failure
    response: httpx.Response = failure
    return httpx.Response(response.status_code, headers=response.headers, content=response.content)


FRESH = RetryPolicy(replica_lag=0)
"""For a shop that reads its own writes: a change that is not to be seen was not applied."""

CLOCK = datetime(2026, 1, 20, tzinfo=UTC)
"""When a test begins."""


@attrs.frozen(kw_only=True)
class Sample:
    """A call.

    Attributes:
        make: Makes the call.
        method: The request's method.
        path: The request's path.
        answer: RMZ's answer if the call succeeds.
        read: The path from which it is read back; None if it is not.
        wanted: The object that is read back if the call was applied.
        other: The same if it was not.
    """

    make: Callable[[Client], Awaitable[Any]]
    method: str
    path: str
    answer: object
    read: str | None = None
    wanted: Mapping[str, object] = {}
    other: Mapping[str, object] = {}


def _change(make: Any, verb: str, wanted: dict[str, Any], other: dict[str, Any]) -> Sample:
    return Sample(
        make=make,
        method="POST",
        path=f"/subscriptions/501/{verb}",
        answer={"id": 501, **wanted},
        read="/subscriptions/501",
        wanted={"id": 501, **wanted},
        other={"id": 501, **other},
    )


CUSTOMER_PAGE = {"url": "https://billing.rmz.gg/s/abc", "expires_at": None}
PAYMENT_PAGE = {
    "session_id": "cs_1",
    "checkout_url": "https://shop.rmz.gg/checkout/cs_1",
    "expires_at": START,
}
PENDING = {
    "checkout_id": 7,
    "checkout_url": "https://app.rmz.gg/checkout/7",
    "amount": 99,
    "status": "pending_payment",
}


def order_of(options: dict[str, Any]) -> Callable[[Client], Awaitable[Any]]:
    """Return what makes an order with these options."""
    line = OrderLine(product=101, quantity=2, options=options)
    return lambda rmz: rmz.orders.create(created_from="app.example", products=[line])


SAMPLES = {
    "read": Sample(
        make=lambda rmz: rmz.subscriptions.get(501),
        method="GET",
        path="/subscriptions/501",
        answer={"id": 501, "status": "active"},
    ),
    "checkout session": Sample(
        make=lambda rmz: rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=4501,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
        ),
        method="POST",
        path="/subscriptions/checkout-sessions",
        answer=PAYMENT_PAGE,
    ),
    "portal session": Sample(
        make=lambda rmz: rmz.portal_sessions.create(customer=4501),
        method="POST",
        path="/portal-sessions",
        answer=CUSTOMER_PAGE,
    ),
    "order": Sample(
        make=order_of({"size": "L", "colour": "red"}),
        method="POST",
        path="/orders",
        answer=PENDING,
    ),
    "order's step": Sample(
        make=lambda rmz: rmz.orders.update(78901, status=OrderStatus(3)),
        method="PUT",
        path="/orders/78901",
        answer=None,
        read="/orders/78901",
        wanted={"id": 78901, "current_status": 3},
        other={"id": 78901, "current_status": 2},
    ),
    "cancel": _change(
        lambda rmz: rmz.subscriptions.cancel(501),
        "cancel",
        {"status": "active", "cancel_at_period_end": True},
        {"status": "active", "cancel_at_period_end": False},
    ),
    "cancel at once": _change(
        lambda rmz: rmz.subscriptions.cancel(501, effective="immediate"),
        "cancel",
        {"status": "canceled"},
        {"status": "active", "cancel_at_period_end": True},
    ),
    "pause": _change(
        lambda rmz: rmz.subscriptions.pause(501), "pause", {"status": "paused"}, PERIOD
    ),
    "unpause": _change(
        lambda rmz: rmz.subscriptions.unpause(501),
        "unpause",
        {"status": "active"},
        {"status": "paused"},
    ),
    "extend what was read": _change(
        lambda rmz: rmz.subscriptions.extend(BEFORE, days=7),
        "extend",
        {**PERIOD, "current_period_end": LATER},
        {**PERIOD, "current_period_end": END},
    ),
    "extend by id": attrs.evolve(
        _change(lambda rmz: rmz.subscriptions.extend(501, days=7), "extend", PERIOD, PERIOD),
        read=None,
    ),
}
STATE_CHANGES = ("cancel", "cancel at once", "pause", "unpause")


class Shop:
    """RMZ for one call: what it answers, what it was sent, and its clock, which is the test's.

    Attributes:
        sample: The call.
        sent: The route of the call.
        read: The route that it is read back from.
        ahead: How many seconds its clock is ahead of this machine's.
    """

    def __init__(self, router: respx.MockRouter, time: Time, name: str) -> None:
        self.sample = SAMPLES[name]
        self.sent = router.request(self.sample.method, self.sample.path)
        # A read differs from the call by its method, or by its path.
        self.read = router.get(self.sample.read or "/not-read")
        self.ahead = 0.0
        self._time = time

    def now(self) -> datetime:
        """Return the time there."""
        return self._time.today() + timedelta(seconds=self.ahead)

    def ok(self, data: object) -> httpx.Response:
        """A success."""
        timestamp = int(self.now().timestamp())
        return httpx.Response(200, json={"message": None, "data": data, "timestamp": timestamp})

    def done(self, _: object = None) -> httpx.Response:
        """The answer to the call."""
        return self.ok(self.sample.answer)

    def applied(self, _: object = None, *, ago: float = 0.0) -> httpx.Response:
        """The object as the call wanted it, changed some seconds ago."""
        return self._seen(self.sample.wanted, ago)

    def unchanged(self, _: object = None, *, ago: float = 3600.0) -> httpx.Response:
        """The object as it was before, last changed an hour ago."""
        return self._seen(self.sample.other, ago)

    def _seen(self, fields: Mapping[str, object], ago: float) -> httpx.Response:
        changed = self.now() - timedelta(seconds=ago)
        return self.ok({**fields, "updated_at": changed.isoformat()})


MakeShop: TypeAlias = Callable[[str], Shop]
"""Builds a shop for one of the calls."""
