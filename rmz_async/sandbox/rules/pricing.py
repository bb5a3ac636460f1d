"""Prices: discounts, coupons and fees."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from rmz_async.sandbox.store.catalog import Coupon, Product

__all__ = (
    "actual_price",
    "discount_by",
    "has_expired_discount",
    "is_discounted",
    "platform_fees",
    "rounded",
)

_HALALA = Decimal("0.01")
# RMZ's examples show shares from 6 to 10 %, and no rule.
_FEE_PERCENT = Decimal(10)


def is_discounted(product: Product, now: datetime) -> bool:
    """Return whether a discount applies at *now*."""
    return product.discount_price is not None and not has_expired_discount(product, now)


def has_expired_discount(product: Product, now: datetime) -> bool:
    """Return whether there was a discount that has ended."""
    expiry = product.discount_expiry
    return product.discount_price is not None and expiry is not None and now >= expiry


def actual_price(product: Product, now: datetime) -> Decimal:
    """Return the price that is asked at *now*."""
    price = product.discount_price
    return price if price is not None and is_discounted(product, now) else product.price


def discount_by(coupon: Coupon, total: Decimal) -> Decimal:
    """Return what *coupon* takes off *total*, which is never more than all of it."""
    return min(total, _percent(coupon.percent, total) + coupon.amount)


def platform_fees(total: Decimal) -> Decimal:
    """Return the platform's share of *total*: 10 %."""
    return _percent(_FEE_PERCENT, total)


def rounded(amount: Decimal) -> Decimal:
    """Return *amount* to the halala."""
    return amount.quantize(_HALALA, ROUND_HALF_UP)


def _percent(percent: Decimal, total: Decimal) -> Decimal:
    return rounded(total * percent / 100)
