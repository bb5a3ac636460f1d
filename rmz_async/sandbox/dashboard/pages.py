"""Pages of the dashboard that show what the sandbox holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import urlencode

import attrs
from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.dashboard.live import version_of
from rmz_async.sandbox.dashboard.picture import WIDTH, picture_of
from rmz_async.sandbox.hosted.notices import missing
from rmz_async.sandbox.hosted.rendering import rendered, sent_to
from rmz_async.sandbox.hosted.words import BEHAVIOURS, ORDER_STATUSES, STATUSES, _
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.store.orders import Order, OrderStatus
from rmz_async.sandbox.wire.below import api_of, origin_of, root_of

__all__ = ("DashboardPages", "newest")

_ROWS = 100


@attrs.frozen
class _Section:
    """An entry of the navigation."""

    path: str
    title: str


_SECTIONS = (
    _Section("/", _("Overview")),
    _Section("/subscriptions", _("Subscriptions")),
    _Section("/customers", _("Customers")),
    _Section("/orders", _("Orders")),
    _Section("/requests", _("Requests")),
    _Section("/deliveries", _("Deliveries")),
    _Section("/webhooks", _("Webhooks")),
    _Section("/faults", _("Faults")),
    _Section("/calls", _("Calls")),
    _Section("/snapshots", _("Snapshots")),
)
# A world has none of its own.
_OF_SERVER = (_Section("/worlds", _("Worlds")),)


class DashboardPages:
    """Show the store, the requests and the deliveries, the newest first."""

    def __init__(self, backend: Backend, token: str) -> None:
        self._backend = backend
        self._store = backend.store
        self._token = token

    async def overview(self, request: Request) -> Response:
        """Answer ``GET /``."""
        counts: dict[str, int] = {}
        for subscription in self._store.subscriptions.values():
            counts[subscription.status] = counts.get(subscription.status, 0) + 1
        return self.page(
            request,
            "overview.html",
            counts=counts,
            effects=newest(self._backend.ledger),
            deliveries=newest(self._backend.courier.log)[:8],
            base_url=api_of(request),
            token=self._token,
        )

    async def subscriptions(self, request: Request) -> Response:
        """Answer ``GET /subscriptions``; ``?status=`` and ``?customer=`` choose some."""
        status = request.query_params.get("status")
        customer = request.query_params.get("customer")
        rows = [
            subscription
            for subscription in self._store.subscriptions.values()
            if status in (None, "", subscription.status)
            and customer in (None, str(subscription.customer_id))
        ]
        rows.sort(key=lambda subscription: subscription.id, reverse=True)
        return self.page(
            request, "subscriptions.html", rows=rows[:_ROWS], total=len(rows), chosen=status
        )

    async def subscription(self, request: Request) -> Response:
        """Answer ``GET /subscriptions/{id}``."""
        subscription = self._store.subscriptions.get(request.path_params["id"])
        if subscription is None:
            raise missing(request)
        history = self._store.history.get(subscription.id, ())
        return self.page(
            request,
            "subscription.html",
            subscription=subscription,
            picture=picture_of(subscription, history, self._backend.now()),
            picture_width=WIDTH,
            history=history[::-1],
            behaviours=BEHAVIOURS,
            events=[event for event in Event if event.startswith("subscription.")],
        )

    async def customers(self, request: Request) -> Response:
        """Answer ``GET /customers``."""
        rows = sorted(
            self._store.customers.values(), key=lambda customer: customer.id, reverse=True
        )
        return self.page(request, "customers.html", rows=rows[:_ROWS], total=len(rows))

    async def orders(self, request: Request) -> Response:
        """Answer ``GET /orders``."""
        rows: list[Order] = sorted(
            self._store.orders.values(), key=lambda order: order.id, reverse=True
        )
        return self.page(
            request,
            "orders.html",
            rows=rows[:_ROWS],
            total=len(rows),
            order_statuses=ORDER_STATUSES,
            choices=list(OrderStatus),
        )

    async def requests(self, request: Request) -> Response:
        """Answer ``GET /requests``."""
        rows = newest(self._backend.requests)
        is_open = request.query_params.get("open") == "newest"
        return self.page(request, "requests.html", rows=rows, pretty=_pretty, is_open=is_open)

    async def deliveries(self, request: Request) -> Response:
        """Answer ``GET /deliveries``."""
        rows = newest(self._backend.courier.log)
        return self.page(request, "deliveries.html", rows=rows, pretty=_pretty)

    async def webhooks(self, request: Request) -> Response:
        """Answer ``GET /webhooks``."""
        return self.page(
            request,
            "webhooks.html",
            rows=list(self._backend.webhooks.values()),
        )

    def page(self, request: Request, template: str, **values: object) -> Response:
        """Return *template* in the frame that all pages have."""
        root = root_of(request)
        return rendered(
            request,
            f"dashboard/{template}",
            sections=_SECTIONS if root else _SECTIONS + _OF_SERVER,
            world=root.rpartition("/")[2],
            server=origin_of(request).removesuffix(root),
            store=self._store,
            clock=self._backend.clock,
            now=self._backend.now(),
            statuses=STATUSES,
            version=version_of(self._backend),
            problem=request.query_params.get("problem"),
            **values,
        )

    def with_problem(self, page: str, problem: str) -> Response:
        """Lead to *page*, and let it show *problem*."""
        return sent_to(f"{page}?{urlencode({'problem': problem[:300]})}")


def newest(rows: Iterable[object]) -> list[object]:
    """Return as many rows as a page shows, the newest first."""
    return list(rows)[: -_ROWS - 1 : -1]


def _pretty(body: bytes) -> str:
    """Return a body as people read it: JSON on several lines, anything else as it is."""
    text = body.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text
