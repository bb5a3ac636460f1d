"""Products that are made and replaced: what a caller passes, and what is then sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rmz_async import (
    CancelBehavior,
    CodeStock,
    Course,
    Duration,
    FieldOption,
    LicenseTerms,
    Media,
    NewVariant,
    ProductStatus,
    ProductType,
    SelectField,
    SubscriptionPlans,
    VariantFeature,
)

Sample = tuple[Mapping[str, Any], Mapping[str, Any]]


def named(number: int) -> dict[str, Any]:
    """Return how a body names an upload."""
    return {"file": {"response": {"id": number}}}


LEAST = {"name": "Tea", "price": 30, "cost_price": Decimal("22.50"), "image": 601}
LEAST_SENT = {"name": "Tea", "price": 30, "cost_price": 22.5, "image": named(601)}
PLANS = SubscriptionPlans(
    variants=[
        NewVariant(
            id=15,
            duration=Duration.MONTHLY,
            price=Decimal("49.5"),
            badge="popular",
            features=[
                VariantFeature(name="All", description="Everything"),
                VariantFeature(name="x"),
            ],
        ),
        NewVariant(duration=365, price=499),
    ],
    trial_days=7,
    grace_period_days=3,
    cancel_behavior=CancelBehavior.IMMEDIATE,
    auto_renew_default=True,
)
PLANS_SENT = {
    "type": "subscription",
    "subscriptionVariants": [
        {
            "id": 15,
            "duration": 30,
            "price": 49.5,
            "badge": "popular",
            "features": [{"name": "All", "description": "Everything"}, {"name": "x"}],
        },
        {"duration": 365, "price": 499, "features": []},
    ],
    "trial_days": 7,
    "grace_period_days": 3,
    "cancel_behavior": "immediate",
    "auto_renew_default": True,
}
LICENSE = LicenseTerms(
    lock_type="hwid",
    prefix="TEA",
    expiry_type="timed",
    expiry_days=365,
    max_activations=2,
    e2ee=False,
)
LICENSE_SENT = {
    "type": "license",
    "license_config": {
        "lock_type": "hwid",
        "prefix": "TEA",
        "expiry_type": "timed",
        "expiry_days": 365,
        "max_activations": 2,
        "e2ee": False,
    },
}
OPTIONAL: Mapping[str, Any] = {
    "slug": "tea",
    "description": "<p>Tea</p>",
    "activation_info": "",
    "marketing_title": "New",
    "status": ProductStatus.DISABLED,
    "show_reviews": True,
    "is_noticeable": False,
    "discount_price": Decimal("25.00"),
    "discount_expiry": date(2026, 6, 1),
    "stock": 0,
    "min_qty": 1,
    "max_purchase_count": 9,
    "image_ulid": "01K2M3N4P5",
    "files": [Media(id=602), 603],
    "extra_images": (604,),
    "categories": [7, 8],
    "benefits": [],
    "fields": [
        SelectField(
            name="size",
            options=[FieldOption(name="L", price=Decimal("1.50")), FieldOption(name="S")],
            placeholder="Choose",
            required=True,
        )
    ],
    "display": {"layout": "wide"},
    "seo": {"title": "Tea"},
}
OPTIONAL_SENT: Mapping[str, Any] = {
    "slug": "tea",
    "description": "<p>Tea</p>",
    "activation_info": "",
    "marketing_title": "New",
    "status": 3,
    "show_reviews": True,
    "is_noticeable": False,
    "discount_price": 25,
    "discount_expiry": "2026-06-01",
    "stock": 0,
    "min_qty": 1,
    "max_purchase_count": 9,
    "image_ulid": "01K2M3N4P5",
    "product_files": [named(602), named(603)],
    "extra_images": [named(604)],
    "categories": [7, 8],
    "benefits": [],
    "fields": [
        {
            "type": "select",
            "name": "size",
            "placeholder": "Choose",
            "required": True,
            "options": [{"name": "L", "price": 1.5}, {"name": "S", "price": 0}],
        }
    ],
    "metadata": {"display": {"layout": "wide"}},
    "seo": {"title": "Tea"},
}
KINDS: Sequence[Sample] = (
    ({"kind": ProductType.SERVICE}, {"type": "service"}),
    (
        {"kind": CodeStock(codes=["TEA-1", "TEA-2"])},
        {"type": "code", "codes": [{"code": "TEA-1"}, {"code": "TEA-2"}]},
    ),
    ({"kind": PLANS}, PLANS_SENT),
    ({"kind": LICENSE}, LICENSE_SENT),
    ({"kind": Course(content={"lessons": 3})}, {"type": "course", "course": {"lessons": 3}}),
)
CREATED: Sequence[Sample] = (
    *(({**LEAST, **given}, {**LEAST_SENT, **sent}) for given, sent in KINDS),
    (
        {**LEAST, **OPTIONAL, "kind": ProductType.PRODUCT, "image": Media(id=601)},
        {**LEAST_SENT, **OPTIONAL_SENT, "type": "product"},
    ),
)
_KEPT = {"slug": "tea", "image": 601, "files": None, "extra_images": None}
UPDATED: Sequence[Sample] = (
    ({**_KEPT, "image": None}, {"slug": "tea"}),
    *(({**_KEPT, **given}, {"slug": "tea", "image": named(601), **sent}) for given, sent in KINDS),
    (
        {**LEAST, **OPTIONAL, "kind": ProductType.PRODUCT},
        {**LEAST_SENT, **OPTIONAL_SENT, "type": "product"},
    ),
)
