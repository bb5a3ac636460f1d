"""A local, stateful RMZ for tests and demonstrations.

RMZ itself has no test mode. The sandbox answers the same calls, shows the same hosted pages and
sends the same webhooks, on this machine only. Install it with the extra ``sandbox``; start it by
hand with ``python -m rmz_async.sandbox``. In a test::

    async with Sandbox() as sandbox, sandbox.client() as rmz:
        webhook = sandbox.add_webhook("http://127.0.0.1/hooks", app=my_app)
        await rmz.subscriptions.pause(501)
        await sandbox.delivered()
"""

from __future__ import annotations

from rmz_async.sandbox import _extra as _extra  # first, as the next imports need it
from rmz_async.sandbox.delivery.log import Deliveries, Delivery
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.faults.faults import DeliveryFault, FaultRule, Faults, RequestFault
from rmz_async.sandbox.lifecycle.clock import Clock
from rmz_async.sandbox.sandbox import Sandbox
from rmz_async.sandbox.serving.paying import NotPaidError
from rmz_async.sandbox.serving.served import Served
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.snapshots.changes import Change
from rmz_async.sandbox.snapshots.snapshot import Snapshot
from rmz_async.sandbox.snapshots.snapshots import SnapshotError, Snapshots
from rmz_async.sandbox.store.cards import TEST_CARDS, Card, CardBehaviour, Charge, TestCard
from rmz_async.sandbox.store.catalog import Category, Code, Coupon, Product, ProductStatus, Variant
from rmz_async.sandbox.store.durations import Duration
from rmz_async.sandbox.store.ledger import Effect, Ledger
from rmz_async.sandbox.store.orders import (
    Order,
    OrderCheckout,
    OrderItem,
    OrderLine,
    OrderStatus,
    Quote,
    StatusChange,
    Transaction,
)
from rmz_async.sandbox.store.state import (
    CheckoutSession,
    Customer,
    PortalSession,
    Status,
    Store,
    StoreProfile,
    Subscription,
)
from rmz_async.sandbox.store.switches import (
    ChargeAt,
    ExtendGuard,
    MissingTimes,
    Switches,
    TimeForm,
)
from rmz_async.sandbox.worlds import WorldError, Worlds

__all__ = (
    "TEST_CARDS",
    "Card",
    "CardBehaviour",
    "Category",
    "Change",
    "Charge",
    "ChargeAt",
    "CheckoutSession",
    "Clock",
    "Code",
    "Coupon",
    "Customer",
    "Deliveries",
    "Delivery",
    "DeliveryFault",
    "Duration",
    "Effect",
    "Event",
    "ExtendGuard",
    "FaultRule",
    "Faults",
    "Ledger",
    "MissingTimes",
    "NotPaidError",
    "Order",
    "OrderCheckout",
    "OrderItem",
    "OrderLine",
    "OrderStatus",
    "PortalSession",
    "Product",
    "ProductStatus",
    "Quote",
    "RequestFault",
    "Sandbox",
    "Served",
    "Snapshot",
    "SnapshotError",
    "Snapshots",
    "Status",
    "StatusChange",
    "Store",
    "StoreProfile",
    "Subscription",
    "Switches",
    "TestCard",
    "TimeForm",
    "Transaction",
    "Variant",
    "Webhook",
    "WorldError",
    "Worlds",
)
