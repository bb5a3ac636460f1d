"""A subscription as the API sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rmz_async.sandbox.store.catalog import Variant
from rmz_async.sandbox.store.state import Status, Store, Subscription
from rmz_async.sandbox.wire.forms import (
    assoc,
    date,
    instant,
    optional_instant,
    price_label,
    row_time,
)

__all__ = ("full", "list_row", "lookup_row", "metadata_of", "part")

_ENTITLED = (Status.TRIALING, Status.ACTIVE)


def full(subscription: Subscription, store: Store, now: datetime) -> dict[str, object]:
    """Return everything, as ``GET /subscriptions/{id}`` does."""
    product = store.products[subscription.product_id]
    # RMZ shows a card only while it will be charged again.
    card = subscription.card if subscription.renews else None
    scheduled = subscription.scheduled_variant_id
    return {
        "id": subscription.id,
        "status": subscription.status,
        "external_customer_id": subscription.external_customer_id,
        "starts_at": date(subscription.started_at),
        "ends_at": date(subscription.current_period_end),
        "start_date": date(subscription.started_at),
        "end_date": date(subscription.current_period_end),
        "current_period_start": instant(subscription.current_period_start),
        "current_period_end": instant(subscription.current_period_end),
        "trial_ends_at": optional_instant(subscription.trial_ends_at),
        "cancel_at_period_end": subscription.cancel_at_period_end,
        "canceled_at": optional_instant(subscription.canceled_at),
        **_while_waiting(subscription),
        "duration": store.variants[subscription.variant_id].duration,
        "order_id": subscription.order_id,
        "auto_renew": subscription.renews,
        "price": {
            "amount": subscription.price,
            "formatted": price_label(subscription.price),
            "currency": "SAR",
        },
        "metadata": assoc(metadata_of(subscription)),
        "product": {
            "id": product.id,
            "name": product.name,
            "slug": product.slug,
            "type": product.type,
        },
        "variant": _variant(store.variants[subscription.variant_id]),
        "payment_method": card and {"last_four": card.last_four, "scheme": card.scheme},
        "scheduled_variant": scheduled and _variant(store.variants[scheduled]),
        "features": _features(store.variants[subscription.variant_id]),
        "is_active": _is_active(subscription, store),
        "is_expired": subscription.status is Status.EXPIRED,
        "days_remaining": _days_remaining(subscription, now),
        "created_at": instant(subscription.started_at),
        "updated_at": instant(
            subscription.updated_at + timedelta(seconds=store.switches.updated_at_skew)
        ),
    }


def lookup_row(subscription: Subscription, store: Store, now: datetime) -> dict[str, object]:
    """Return what a lookup sends of a subscription."""
    return _without(full(subscription, store, now), ("payment_method", "scheduled_variant"))


def list_row(subscription: Subscription, store: Store, now: datetime) -> dict[str, object]:
    """Return what a list sends of a subscription, with its times in the list's own form."""
    return {
        **_without(full(subscription, store, now), ("scheduled_variant",)),
        "starts_at": row_time(subscription.started_at),
        "ends_at": row_time(subscription.current_period_end),
        "start_date": row_time(subscription.started_at),
        "end_date": row_time(subscription.current_period_end),
        "current_period_start": row_time(subscription.current_period_start),
        "current_period_end": row_time(subscription.current_period_end),
    }


def part(
    subscription: Subscription, store: Store, now: datetime, keys: Sequence[str]
) -> dict[str, object]:
    """Return only *keys*, as the examples of the calls that change a subscription do."""
    whole = full(subscription, store, now)
    return whole if store.switches.changes_answer_in_full else {key: whole[key] for key in keys}


def _while_waiting(subscription: Subscription) -> dict[str, object]:
    """Return the keys that are there only in one status."""
    match subscription.status:
        case Status.PAUSED:
            return {
                "paused_at": optional_instant(subscription.paused_at),
                "paused_remaining_days": subscription.paused_remaining_days,
            }
        case Status.PAST_DUE:
            return {"next_retry_at": optional_instant(subscription.next_retry_at)}
        case _:
            return {}


def metadata_of(subscription: Subscription) -> Mapping[str, object] | None:
    """Return what was attached; while paused the banked days stand among it, as a number."""
    if subscription.status is not Status.PAUSED:
        return subscription.metadata
    return {
        **(subscription.metadata or {}),
        "paused_remaining_days": subscription.paused_remaining_days,
    }


def _features(variant: Variant) -> list[dict[str, object]] | None:
    return [dict(feature) for feature in variant.features] or None


def _is_active(subscription: Subscription, store: Store) -> bool:
    if subscription.status is Status.PAST_DUE:
        return store.switches.past_due_is_active
    if subscription.status is Status.PAUSED:
        return store.switches.paused_is_active
    return subscription.status in _ENTITLED


def _variant(variant: Variant) -> dict[str, object]:
    return {
        "id": variant.id,
        "duration": variant.duration,
        "duration_text": variant.duration.label,
        "price": variant.price,
    }


def _days_remaining(subscription: Subscription, now: datetime) -> int:
    if subscription.paused_remaining_days is not None:
        return subscription.paused_remaining_days
    return max(0, (subscription.current_period_end - now).days)


def _without(whole: dict[str, object], keys: Sequence[str]) -> dict[str, object]:
    return {key: value for key, value in whole.items() if key not in keys}
