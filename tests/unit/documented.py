"""Answers and deliveries as RMZ documents them, by call or event, in the project's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.unit.payloads import CUSTOMER, IMAGE

FROM, UNTIL = "2026-04-01T00:00:00.000000Z", "2026-05-01T00:00:00.000000Z"
TIMES = {"created_at": FROM, "updated_at": FROM}
CHANGED: Mapping[str, Any] = {
    "id": 501,
    "status": "active",
    "external_customer_id": "usr_1",
    "is_active": True,
    "current_period_start": FROM,
    "current_period_end": UNTIL,
}
LOOKED_UP: Mapping[str, Any] = {
    **CHANGED,
    "starts_at": "2026-04-01",
    "ends_at": "2026-05-01",
    "start_date": "2026-04-01",
    "end_date": "2026-05-01",
    "trial_ends_at": None,
    "canceled_at": None,
    "cancel_at_period_end": False,
    "duration": "monthly",
    "order_id": 78901,
    "auto_renew": True,
    "price": {"amount": 49.5, "formatted": "٤٩٫٥٠ ر.س", "currency": "SAR"},
    "metadata": {"plan": "pro"},
    "product": {"id": 102, "name": "Pro", "slug": "pro", "type": "subscription"},
    "variant": {"id": 15, "duration": "monthly", "duration_text": "شهر", "price": 49.5},
    "features": [{"name": "HD", "description": "1080p"}],
    "is_expired": False,
    "days_remaining": 30,
    **TIMES,
}
READ: Mapping[str, Any] = {
    **LOOKED_UP,
    "payment_method": {"last_four": "4242", "scheme": "mada"},
    "scheduled_variant": None,
}
PAID_BY: Mapping[str, Any] = {
    "id": 5001,
    "payment_method": "bank_transfer",
    "total": 149.5,
    "deserved": 134.55,
    "is_refunded": False,
    "order_id": 78901,
    "human_format": {"payment.method": "تحويل", "created_at": None},
}
BUYER = {key: CUSTOMER[key] for key in ("id", "firstName", "lastName", "country_code", "phone")}
LISTED_ORDER: Mapping[str, Any] = {
    "id": 78901,
    "store_id": 1,
    "customer_id": 4501,
    "coupon_id": None,
    "total": 149.5,
    "checkout_id": 79901,
    "current_status": 4,
    "seen_at": None,
    "order_review_notification_sent_at": None,
    "tax_rate": 15,
    "tax_amount": 19.5,
    "prices_include_tax": True,
    "tax_country_code": "SA",
    "tax_registration_number": None,
    "human_format": {"date_human": "منذ شهر", "date_normal": "Wed, Apr 1, 2026"},
    "transaction": PAID_BY,
    "customer": {**BUYER, "email": "sara@example.com"},
    **TIMES,
}
LINE: Mapping[str, Any] = {
    "id": 101,
    "order_id": 78901,
    "item_type": "App\\Models\\StoreProduct",
    "item_id": 42,
    "quantity": 1,
    "price": 149.5,
    "fields": [],
    "notice": None,
    "item": {"id": 42, "name": "Course", "price": 149.5, "type": "course"},
    "subscription": None,
    **TIMES,
}
ORDER: Mapping[str, Any] = {
    **LISTED_ORDER,
    "items": [LINE],
    "transaction": {
        **PAID_BY,
        "platform_fees": 14.95,
        "payment_data": [],
        "payment_id": "tr_1",
        "is_hold": 0,
        "is_by_platform": 1,
        "store_balance_credited_at": None,
    },
}
STEP = {
    "id": 401,
    "reason": None,
    "status": 4,
    "model_id": 78901,
    "model_type": "App\\Models\\Order",
    "human_format": {"text": "مكتمل", "dashboard_color": "green", "color": "success"},
    **TIMES,
}
CODE = {"id": 301, "code": "C0DE", "product_id": 42, "store_id": 1, "is_used": 1, **TIMES}
DELIVERED_ORDER: Mapping[str, Any] = {
    **ORDER,
    "total": "149.50",
    "discount_amount": "0.00",
    "customer_note": None,
    "meta": None,
    "cost": "0.00",
    "items": [{**LINE, "price": "149.50", "notes": None, "codes": [CODE]}],
    "status": STEP,
    "statuses": [STEP],
    "customer": {**BUYER, "country_code": 966, "is_banned": 0, "ban_reason": None, **TIMES},
}
SNAPSHOT: Mapping[str, Any] = {
    "id": 501,
    "status": "active",
    "external_customer_id": None,
    "product_id": 102,
    "product_name": "Pro",
    "variant": {"id": 15, "price": "49.50", "duration": "monthly"},
    "duration": "monthly",
    "current_period_start": FROM,
    "current_period_end": UNTIL,
    "auto_renew": True,
    "metadata": [],
    "customer": {"id": 4501, "email": "sara@example.com", "name": "Sara Omar"},
}
CATEGORY: Mapping[str, Any] = {
    "id": 1,
    "slug": "software",
    "title": "برامج",
    "description": None,
    "metadata": [],
    "is_active": 1,
    "parent_id": None,
    "store_id": 1,
    "sort_index": 0,
    "deleted_at": None,
    **TIMES,
}
LISTED_PRODUCT: Mapping[str, Any] = {
    "id": 101,
    "name": "Pro",
    "slug": "pro",
    "type": "code",
    "price": 49.99,
    "actual_price": 39.99,
    "current_stock": 2,
    "is_new": False,
    "is_discounted": True,
    "is_discount_expired": False,
    "show_discount_countdown": False,
    "show_discount_savings": True,
    "discount_savings_amount": 10,
}
PRODUCT: Mapping[str, Any] = {
    **LISTED_PRODUCT,
    "store_id": 1,
    "discount_price": 39.99,
    "discount_expiry": "2026-06-01 00:00:00",
    "description": "<p>x</p>",
    "status": 1,
    "min_qty": 1,
    "max_purchase_count": None,
    "purchase_count": 15,
    "fields": [],
    "is_noticeable": 0,
    "license_config": None,
    "metadata": None,
    "deleted_at": None,
    "codes": [{"id": 1, "code": "C0DE", "order_product_id": None, "product_id": 101}],
    "image": {key: value for key, value in IMAGE.items() if key != "alt"},
    "subscription_variants": [
        {"id": 15, "product_id": 101, "duration": 30, "durationText": "شهر", "price": 49.5, **TIMES}
    ],
    "categories": [{**CATEGORY, "pivot": {"product_id": 101, "category_id": 1}}],
    **TIMES,
}
EVENTS: Mapping[str, Mapping[str, Any]] = {
    "order.created": DELIVERED_ORDER,
    "order.status.changed": DELIVERED_ORDER,
    **{
        f"subscription.{name}": {"subscription": SNAPSHOT}
        for name in (
            *("created", "activated", "renewed", "renewal_failed", "past_due", "expired"),
            *("canceled", "paused", "unpaused", "resumed", "updated"),
        )
    },
}
