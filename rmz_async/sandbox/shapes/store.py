"""The store and its statistics as the API sends them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from rmz_async.sandbox.rules.orders import NO_REVENUE
from rmz_async.sandbox.store.orders import OrderStatus
from rmz_async.sandbox.store.state import Status, Store, StoreProfile
from rmz_async.sandbox.wire.forms import assoc, instant, optional_instant, relative

__all__ = ("profile_row", "statistics")


def profile_row(profile: StoreProfile, now: datetime) -> dict[str, object]:
    """Return what ``GET /store`` sends."""
    expires_at = profile.plan_expires_at
    return {
        "id": profile.id,
        "subdomain": profile.subdomain,
        # RMZ documents `slug` in the quickstart only.
        "slug": profile.subdomain,
        "name": profile.name,
        "balance": str(profile.balance),
        "description": profile.description,
        "logo": profile.logo,
        "favicon": profile.favicon,
        "theme": profile.theme,
        "color": profile.color,
        "activities": profile.activities,
        "social": assoc(profile.social),
        "settings": assoc(profile.settings),
        "is_maintenance": profile.is_maintenance,
        "maintenance_message": profile.maintenance_message,
        "plan_id": profile.plan_id,
        "plan_expires_at": optional_instant(expires_at),
        "is_kyc_verified": profile.is_kyc_verified,
        "is_beta_tester": profile.is_beta_tester,
        "customization": assoc(profile.customization),
        "ratio": str(profile.ratio),
        "ratio_synced_at": optional_instant(profile.ratio_synced_at),
        "ratio_based_on": profile.ratio_based_on,
        "user_id": profile.user_id,
        "deleted_at": None,
        "created_at": instant(profile.created_at),
        "updated_at": instant(profile.updated_at),
        "human_format": {"expiry_date_human": expires_at and relative(expires_at, now)},
    }


def statistics(store: Store) -> dict[str, object]:
    """Return what ``GET /store/statics`` sends, counted now."""
    orders = store.orders.values()
    earned = [order.total for order in orders if order.status not in NO_REVENUE]
    return {
        "sales_total": sum(earned, Decimal(0)),
        "sales_count": sum(order.status is OrderStatus.COMPLETED for order in orders),
        "customers_count": len(store.customers),
        "products_count": len(store.products),
        "categories_count": len(store.categories),
        "subscribers_count": sum(
            subscription.status is Status.ACTIVE for subscription in store.subscriptions.values()
        ),
        "pages_count": store.profile.pages_count,
        "coupons_count": len(store.coupons),
        "duration": "lifetime",
    }
