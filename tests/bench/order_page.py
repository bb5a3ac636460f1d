"""A page of 15 orders, as RMZ lists them."""

from __future__ import annotations

import json


def order(number: int) -> dict[str, object]:
    """Return one order of the list: paid, with all keys that a list has."""
    return {
        "id": number,
        "store_id": 1,
        "customer_id": 4501,
        "coupon_id": None,
        "total": 149.5,
        "checkout_id": number + 1000,
        "current_status": 4,
        "seen_at": None,
        "order_review_notification_sent_at": None,
        "tax_rate": None,
        "tax_amount": None,
        "prices_include_tax": False,
        "tax_country_code": None,
        "tax_registration_number": None,
        "created_at": "2026-01-01T09:30:00.000000Z",
        "updated_at": "2026-01-01T09:31:00.000000Z",
        "human_format": {
            "date_human": "منذ شهر",
            "date_normal": "Thu, Jan 1, 2026 9:30 AM",
        },
        "transaction": {
            "id": number + 2000,
            "total": 149.5,
            "deserved": 134.55,
            "payment_method": "dokanpay",
            "is_refunded": False,
            "order_id": number,
            "human_format": {
                "payment.method": "البطائق الإئتمانية",
                "created_at": None,
                "created_at_text": None,
                "store_balance_scheduled_at_text": None,
                "store_balance_scheduled_at": None,
            },
        },
        "customer": {
            "id": 4501,
            "firstName": "Ahmed",
            "lastName": "Ali",
            "email": "ahmed@example.com",
            "country_code": "966",
            "phone": "512345678",
        },
    }


ADDRESS = "http://127.0.0.1/shawarma/orders"
PAGE = {
    "current_page": 1,
    "data": [order(number) for number in range(78901, 78916)],
    "first_page_url": f"{ADDRESS}?page=1",
    "from": 1,
    "next_page_url": f"{ADDRESS}?page=2",
    "path": ADDRESS,
    "per_page": 15,
    "prev_page_url": None,
    "to": 15,
}
BODY = json.dumps(
    {"message": None, "data": PAGE, "api": "rmz.shawarma", "timestamp": 1780000000}
).encode()
