"""The store that the token belongs to."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from rmz_async.models._model import Model, model

__all__ = ("Store", "StoreStatistics")


@model
class Store(Model):
    """The store as RMZ keeps it; further keys, which RMZ may send, are in ``extra``.

    Attributes:
        id: Positive integer.
        subdomain: Its name below RMZ's domain.
        slug: Its name in addresses; not always there.
        name: As the shop wrote it.
        balance: What RMZ owes the store; exact, in the store's currency.
        description: As the shop wrote it.
        logo: Path of the picture.
        favicon: Path of the picture.
        theme: The number of the shop's design.
        color: For example ``#5400db``.
        activities: As RMZ sent them.
        social: The shop's accounts elsewhere, as RMZ sent them.
        settings: As RMZ sent them.
        is_maintenance: Whether the shop is closed for now.
        maintenance_message: What visitors read meanwhile.
        plan_id: The store's plan with RMZ.
        plan_expires_at: UTC.
        is_kyc_verified: Whether RMZ knows who the owner is.
        is_beta_tester: Whether RMZ tries new things here first.
        customization: As RMZ sent it.
        ratio: As RMZ sent it, which does not say what it is; exact.
        ratio_synced_at: UTC.
        ratio_based_on: As RMZ sent it.
        user_id: The owner.
        created_at: UTC.
        updated_at: UTC.
        deleted_at: UTC.
        human_format: Arabic labels, to be shown and never to be parsed.

    Source: https://docs.rmz.gg/merchant-api/store
    """

    id: int
    subdomain: str | None = None
    slug: str | None = None
    name: str | None = None
    balance: Decimal | None = None
    description: str | None = None
    logo: str | None = None
    favicon: str | None = None
    theme: int | None = None
    color: str | None = None
    # A list cannot be hashed, and a model must be.
    activities: Any = attrs.field(default=None, hash=False)
    social: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = None
    is_maintenance: bool | None = None
    maintenance_message: str | None = None
    plan_id: int | None = None
    plan_expires_at: datetime | None = None
    is_kyc_verified: bool | None = None
    is_beta_tester: bool | None = None
    customization: Mapping[str, Any] | None = None
    ratio: Decimal | None = None
    ratio_synced_at: datetime | None = None
    ratio_based_on: int | None = None
    user_id: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    human_format: Mapping[str, Any] | None = None


@model
class StoreStatistics(Model):
    """The store in numbers, at most 3 minutes old.

    Attributes:
        sales_total: Revenue of the store's whole life, without what is pending, cancelled or
            refunded; exact, in the store's currency.
        sales_count: Completed orders.
        customers_count: Registered customers.
        products_count: Products.
        categories_count: Categories.
        subscribers_count: Active subscriptions.
        pages_count: Pages that the shop wrote.
        coupons_count: Coupons.
        duration: ``lifetime``.

    Source: https://docs.rmz.gg/merchant-api/store
    """

    sales_total: Decimal | None = None
    sales_count: int | None = None
    customers_count: int | None = None
    products_count: int | None = None
    categories_count: int | None = None
    subscribers_count: int | None = None
    pages_count: int | None = None
    coupons_count: int | None = None
    duration: str | None = None
