"""Each operation, with all the ways in which it can be called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import attrs

import rmz_async
from rmz_async import OrderLine, ProductType, operations
from rmz_async.operations import Operation, RetryRule
from rmz_async.sandbox.store.state import Status
from tests.endpoint import Endpoint
from tests.endpoints import ENDPOINTS
from tests.faults.shop import Shop

ADDED = timedelta(days=7)
_PAID, _FREE = 107, 105
_numbers = count(1)


@attrs.frozen(kw_only=True, eq=False)
class Subject:
    """A way to call an operation.

    Attributes:
        prepare: Makes the object that the call is about, and returns it.
        call: Calls; gets the client and that object.
        right: Whether an answer is right; gets the answer, that object, and the ids in the ledger.
        target_id: The id of that object in the ledger; None if it is new.
        variant: Which way, if there are several.
    """

    operation: Operation
    prepare: Callable[[Shop], Any]
    call: Callable[[Any, Any], Any]
    right: Callable[[Any, Any, Sequence[int | str]], bool]
    target_id: Callable[[Any], int | None] = lambda _: None
    variant: str = ""

    @property
    def name(self) -> str:
        """The operation's name, and the variant."""
        return self.operation.name + (f"+{self.variant}" if self.variant else "")

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.operation.retry is not RetryRule.SAFE

    @property
    def settles(self) -> bool:
        """Whether it changes a subscription, which can be read back."""
        named = self.operation.name.startswith("subscriptions.")
        return self.changes and named and not self.harmless

    @property
    def is_read_back(self) -> bool:
        """Whether a client can see in the object whether the change was applied."""
        return self.operation.retry is RetryRule.SETTLE or self.variant == "baseline"

    @property
    def harmless(self) -> bool:
        """Whether it may be done twice."""
        return self.operation.retry is RetryRule.HARMLESS


def snapshot(shop: Shop, subscription_id: int) -> rmz_async.Subscription:
    """Return a subscription as a caller has just read it."""
    found = shop.state.subscriptions[subscription_id]
    return rmz_async.Subscription(
        id=found.id,
        status=found.status.value,
        current_period_start=found.current_period_start,
        current_period_end=found.current_period_end,
    )


def new_order(product: int, **fields: Any) -> dict[str, Any]:
    """Return what an order is made of, which no order was made of before."""
    line = OrderLine(product=product, notice=f"order number {next(_numbers)}")
    return {"created_from": "app.example", "products": [line], "customer": 4501, **fields}


def checkout_session() -> dict[str, Any]:
    """Return what a checkout session is made of."""
    return {
        "product_id": 102,
        "variant_id": 15,
        "customer": 4501,
        "success_url": "https://app.example/paid",
        "cancel_url": "https://app.example/plans",
    }


def _nothing(_: Shop) -> None:
    return None


def _active(shop: Shop) -> int:
    return shop.subscription().id


def _paused(shop: Shop) -> int:
    return shop.subscription(Status.PAUSED).id


def _itself(target: int) -> int:
    return target


def _of_status(status: str) -> Callable[[Any, int, Sequence[int | str]], bool]:
    return lambda answer, target, _: answer.id == target and answer.status == status


def _extended(answer: Any, target: int, ends_at: datetime) -> bool:
    return bool(answer.id == target and answer.current_period_end == ends_at)


def _in_ledger(answer: Any, effects: Sequence[int | str]) -> bool:
    number = getattr(answer, "checkout_id", None) or getattr(answer, "order_id", None)
    return number in effects


def _has(wanted: int) -> Callable[[Any, Any, Sequence[int | str]], bool]:
    return lambda page, _, __: page.number == 1 and wanted in {item.id for item in page.items}


def _order_status(answer: Any, _: int, __: Sequence[int | str]) -> bool:
    return answer is None


def _plain_read(endpoint: Endpoint) -> Subject:
    """Return a read of which nothing more is known than what its row says."""

    def is_right(answer: Any, _: None, __: Sequence[int | str]) -> bool:
        found = answer.items if endpoint.is_list else (answer,)
        return bool(found) and all(isinstance(one, endpoint.model) for one in found)

    return Subject(
        operation=endpoint.operation,
        prepare=_nothing,
        call=lambda client, _: endpoint.requests[0].make(client, 1),
        right=is_right,
    )


_change = partial(Subject, target_id=_itself)

CHANGES = (
    Subject(
        operation=operations.CHECKOUT_SESSIONS_CREATE,
        prepare=_nothing,
        call=lambda client, _: client.checkout_sessions.create(**checkout_session()),
        right=lambda answer, _, effects: answer.session_id in effects,
    ),
    Subject(
        operation=operations.PORTAL_SESSIONS_CREATE,
        prepare=_nothing,
        call=lambda client, _: client.portal_sessions.create(customer=4501),
        right=lambda answer, _, __: answer.url.startswith("http"),
    ),
    _change(
        operation=operations.SUBSCRIPTIONS_CANCEL,
        prepare=_active,
        call=lambda client, target: client.subscriptions.cancel(target),
        right=lambda answer, target, _: answer.id == target and answer.cancel_at_period_end,
    ),
    _change(
        operation=operations.SUBSCRIPTIONS_CANCEL,
        variant="immediate",
        prepare=_active,
        call=lambda client, target: client.subscriptions.cancel(target, effective="immediate"),
        right=_of_status("canceled"),
    ),
    _change(
        operation=operations.SUBSCRIPTIONS_PAUSE,
        prepare=_active,
        call=lambda client, target: client.subscriptions.pause(target),
        right=_of_status("paused"),
    ),
    _change(
        operation=operations.SUBSCRIPTIONS_UNPAUSE,
        prepare=_paused,
        call=lambda client, target: client.subscriptions.unpause(target),
        right=_of_status("active"),
    ),
    _change(
        operation=operations.SUBSCRIPTIONS_EXTEND,
        prepare=_active,
        call=lambda client, target: client.subscriptions.extend(target, days=ADDED.days),
        right=lambda answer, target, _: answer.id == target,
    ),
    Subject(
        operation=operations.SUBSCRIPTIONS_EXTEND,
        variant="baseline",
        prepare=lambda shop: snapshot(shop, _active(shop)),
        call=lambda client, before: client.subscriptions.extend(before, days=ADDED.days),
        right=lambda answer, before, _: _extended(
            answer, before.id, before.current_period_end + ADDED
        ),
        target_id=lambda before: before.id,
    ),
    Subject(
        operation=operations.ORDERS_CREATE,
        variant="paid",
        prepare=lambda _: new_order(_PAID),
        call=lambda client, order: client.orders.create(**order),
        right=lambda answer, _, effects: _in_ledger(answer, effects),
    ),
    Subject(
        operation=operations.ORDERS_CREATE,
        variant="free",
        prepare=lambda _: new_order(_FREE),
        call=lambda client, order: client.orders.create(**order),
        right=lambda answer, _, effects: _in_ledger(answer, effects),
    ),
    _change(
        operation=operations.ORDERS_UPDATE,
        prepare=lambda shop: shop.order().id,
        call=lambda client, target: client.orders.update(target, status=4),
        right=_order_status,
    ),
    Subject(
        operation=operations.PRODUCTS_CREATE,
        prepare=lambda shop: shop.upload(),
        call=lambda client, image: client.products.create(
            name="Tea", kind=ProductType.PRODUCT, price=30, cost_price=20, image=image
        ),
        right=lambda answer, _, effects: answer.id in effects,
    ),
    _change(
        operation=operations.PRODUCTS_UPDATE,
        prepare=lambda shop: shop.product().id,
        call=lambda client, target: client.products.update(
            target, slug=f"tea-{target}", image=None, files=None, extra_images=None, price=31
        ),
        right=lambda answer, target, _: answer.id == target and answer.price == 31,
    ),
    Subject(
        operation=operations.PRODUCTS_UPLOAD,
        prepare=_nothing,
        call=lambda client, _: client.products.upload(b"PNG", kind="image", name="tea.png"),
        right=lambda answer, _, effects: answer.id in effects,
    ),
)

READS = (
    Subject(
        operation=operations.SUBSCRIPTIONS_GET,
        prepare=_active,
        call=lambda client, target: client.subscriptions.get(target),
        right=_of_status("active"),
    ),
    Subject(
        operation=operations.SUBSCRIPTIONS_LIST,
        prepare=_nothing,
        call=lambda client, _: client.subscriptions.list().first(),
        right=_has(533),
    ),
    Subject(
        operation=operations.SUBSCRIPTIONS_LOOKUP,
        prepare=_nothing,
        call=lambda client, _: client.subscriptions.lookup(external_customer_id="usr_abc123"),
        right=lambda answer, _, __: [found.id for found in answer.subscriptions] == [501],
    ),
    Subject(
        operation=operations.ORDERS_GET,
        prepare=lambda shop: shop.order().id,
        call=lambda client, target: client.orders.get(target),
        right=lambda answer, target, _: answer.id == target and answer.current_status == 3,
    ),
    Subject(
        operation=operations.ORDERS_LIST,
        prepare=_nothing,
        call=lambda client, _: client.orders.list(order_direction="asc").first(),
        right=_has(78901),
    ),
    Subject(
        operation=operations.PRODUCTS_GET,
        prepare=_nothing,
        call=lambda client, _: client.products.get(102),
        right=lambda answer, _, __: answer.id == 102,
    ),
)

_PARTICULAR = {subject.operation for subject in READS}
_OTHER_READS = tuple(
    _plain_read(endpoint)
    for endpoint in ENDPOINTS
    if endpoint.operation.retry is RetryRule.SAFE and endpoint.operation not in _PARTICULAR
)

SUBJECTS = (*CHANGES, *READS, *_OTHER_READS)
