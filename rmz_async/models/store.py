"""The store that the token belongs to."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from rmz_async.models._model import Model, model

__all__ = ("Store", "StoreStatistics")


@model(kw_only=True)
class Store(Model):
    """The store as RMZ keeps it; further keys, which RMZ may send, are in ``extra``.

    Source: https://docs.rmz.gg/merchant-api/store
    """

    id: int
    """Positive integer."""

    subdomain: str | None = None
    """The name of the store below RMZ's domain."""

    slug: str | None = None
    """The name of the store in addresses; not always there."""

    name: str | None = None
    """As the shop wrote it."""

    balance: Decimal | None = None
    """The amount that RMZ owes the store; exact, in the store's currency."""

    description: str | None = None
    """As the shop wrote it."""

    logo: str | None = None
    """Path of the picture."""

    favicon: str | None = None
    """Path of the picture."""

    theme: int | None = None
    """The number of the shop's design."""

    color: str | None = None
    """For example ``#5400db``."""

    # A list cannot be hashed, and a model must be.
    activities: Any = attrs.field(default=None, hash=False)
    """As RMZ sent them."""

    social: Mapping[str, Any] | None = None
    """The shop's accounts elsewhere, as RMZ sent them."""

    settings: Mapping[str, Any] | None = None
    """As RMZ sent them."""

    is_maintenance: bool | None = None
    """Whether the shop is closed for now."""

    maintenance_message: str | None = None
    """The message that visitors read meanwhile."""

    plan_id: int | None = None
    """The store's plan with RMZ."""

    plan_expires_at: datetime | None = None
    """UTC."""

    is_kyc_verified: bool | None = None
    """Whether RMZ knows who the owner is."""

    is_beta_tester: bool | None = None
    """Whether RMZ tests new features here first."""

    customization: Mapping[str, Any] | None = None
    """As RMZ sent it."""

    ratio: Decimal | None = None
    """As RMZ sent it, which does not say what it is; exact."""

    ratio_synced_at: datetime | None = None
    """UTC."""

    ratio_based_on: int | None = None
    """As RMZ sent it."""

    user_id: int | None = None
    """The owner."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC."""

    deleted_at: datetime | None = None
    """UTC."""

    human_format: Mapping[str, Any] | None = None
    """Arabic labels, to be shown and never to be parsed."""


@model(kw_only=True)
class StoreStatistics(Model):
    """The store in numbers, at most 3 minutes old.

    Source: https://docs.rmz.gg/merchant-api/store
    """

    sales_total: Decimal | None = None
    """Revenue of the store's whole life, without what is pending, cancelled or refunded; exact, in
    the store's currency.
    """

    sales_count: int | None = None
    """Completed orders."""

    customers_count: int | None = None
    """Registered customers."""

    products_count: int | None = None
    """Products."""

    categories_count: int | None = None
    """Categories."""

    subscribers_count: int | None = None
    """Active subscriptions."""

    pages_count: int | None = None
    """Pages that the shop wrote."""

    coupons_count: int | None = None
    """Coupons."""

    duration: str | None = None
    """``lifetime``."""
