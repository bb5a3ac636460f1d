"""The store's own description."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import attrs

from rmz_async.sandbox.store.catalog import OPENED_AT

__all__ = ("StoreProfile",)


@attrs.define(kw_only=True)
class StoreProfile:
    """The store's own row, as ``GET /store`` shows it."""

    id: int = 1
    subdomain: str = "my-store"
    name: str = "متجري"
    balance: Decimal = Decimal("0.00")
    description: str = "متجر تجريبي للمنتجات الرقمية"
    logo: str | None = "stores/logo.png"
    favicon: str | None = None
    theme: int = 1
    color: str = "#5400db"
    activities: tuple[str, ...] = ()
    social: dict[str, object] = attrs.field(factory=dict[str, object])
    settings: dict[str, object] = attrs.field(factory=dict[str, object])
    customization: dict[str, object] = attrs.field(factory=dict[str, object])
    is_maintenance: bool = False
    maintenance_message: str | None = None
    plan_id: int = 2
    plan_expires_at: datetime | None = None
    is_kyc_verified: bool = True
    is_beta_tester: bool = False
    ratio: Decimal = Decimal("4.500")
    ratio_synced_at: datetime | None = None
    ratio_based_on: int = 50
    user_id: int = 1
    pages_count: int = 3
    created_at: datetime = OPENED_AT
    updated_at: datetime = OPENED_AT
