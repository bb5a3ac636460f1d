"""Every call of the client, with the most and the least that it can send."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from rmz_async import Client, NewCustomer, OrderLine, PhoneNumber

NOURA = NewCustomer(
    country_code="+966",
    phone="555010203",
    first_name="نورة",
    last_name="القحطاني",
    email="noura@majlis.example",
)
PHONE = PhoneNumber(country_code="966", phone="555010203")
OK, NO = "https://majlis.example/ok", "https://majlis.example/no"

VARIANTS: Sequence[tuple[str, Callable[[Client], Awaitable[object]]]] = [
    (
        "checkout_sessions.create",
        lambda rmz: rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=NOURA,
            metadata={"team": "falcons"},
            external_customer_id="usr_abc123",
            success_url=OK,
            cancel_url=NO,
        ),
    ),
    (
        "checkout_sessions.create",
        lambda rmz: rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=4501,
            metadata={},
            success_url=OK,
            cancel_url=NO,
        ),
    ),
    (
        "portal_sessions.create",
        lambda rmz: rmz.portal_sessions.create(
            customer=PHONE, return_url="https://majlis.example", expires_in=300
        ),
    ),
    ("portal_sessions.create", lambda rmz: rmz.portal_sessions.create(customer=4501)),
    ("subscriptions.get", lambda rmz: rmz.subscriptions.get(501)),
    ("subscriptions.list", lambda rmz: rmz.subscriptions.list(page=3).first()),
    (
        "subscriptions.list",
        lambda rmz: rmz.subscriptions.list(
            customer_email="noura@majlis.example",
            customer_phone="555010203",
            customer_country_code="966",
            page=3,
        ).first(),
    ),
    (
        "subscriptions.lookup",
        lambda rmz: rmz.subscriptions.lookup(
            external_customer_id="usr_abc123",
            email="noura@majlis.example",
            phone=PHONE,
            product_id=102,
            include_inactive=True,
        ),
    ),
    ("subscriptions.cancel", lambda rmz: rmz.subscriptions.cancel(501)),
    ("subscriptions.cancel", lambda rmz: rmz.subscriptions.cancel(501, effective="immediate")),
    ("subscriptions.pause", lambda rmz: rmz.subscriptions.pause(501)),
    ("subscriptions.unpause", lambda rmz: rmz.subscriptions.unpause(504)),
    ("subscriptions.extend", lambda rmz: rmz.subscriptions.extend(501, days=365)),
    ("subscriptions.extend", lambda rmz: rmz.subscriptions.extend(501, months=24)),
    (
        "orders.create",
        lambda rmz: rmz.orders.create(
            created_from="majlis.example",
            customer=NOURA,
            coupon_code="SAVE10",
            products=[
                OrderLine(product=106, quantity=2, options={"colour": "gold"}, notice="رسالة"),
                OrderLine(product="majlis-pro", plan=15),
            ],
        ),
    ),
    (
        "orders.create",
        lambda rmz: rmz.orders.create(
            created_from="majlis.example", customer=4501, products=[OrderLine(product=106)]
        ),
    ),
    ("orders.get", lambda rmz: rmz.orders.get(78944)),
    ("orders.list", lambda rmz: rmz.orders.list().first()),
    (
        "orders.list",
        lambda rmz: rmz.orders.list(
            created_from=date(2026, 5, 1),
            created_to=date(2026, 5, 31),
            order_by="total",
            order_direction="asc",
        ).first(),
    ),
    ("orders.update", lambda rmz: rmz.orders.update(78944, status=4)),
    ("products.get", lambda rmz: rmz.products.get(101)),
    ("products.list", lambda rmz: rmz.products.list().first()),
    ("categories.list", lambda rmz: rmz.categories.list().first()),
    ("store.get", lambda rmz: rmz.store.get()),
    ("store.statistics", lambda rmz: rmz.store.statistics()),
]
