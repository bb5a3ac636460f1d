"""Two states of a subscription, and the events that must have happened in between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rmz_async._calls.refusals import quoted
from rmz_async.models._model import wire_names
from rmz_async.models.subscriptions import Duration, Subscription, SubscriptionSnapshot
from rmz_async.webhooks.events import Event, EventType

# No month is shorter. A period that a pause has cut is shorter than a paid one.
MONTH = 28

_BY_STATUS: Mapping[str, EventType] = {
    "past_due": EventType.SUBSCRIPTION_PAST_DUE,
    "paused": EventType.SUBSCRIPTION_PAUSED,
    "canceled": EventType.SUBSCRIPTION_CANCELED,
    "expired": EventType.SUBSCRIPTION_EXPIRED,
}
# The event of a subscription that became active, by its status before.
_ACTIVE_AFTER: Mapping[str, EventType] = {
    "trialing": EventType.SUBSCRIPTION_ACTIVATED,
    "past_due": EventType.SUBSCRIPTION_RENEWED,
    "paused": EventType.SUBSCRIPTION_UNPAUSED,
    "canceled": EventType.SUBSCRIPTION_RESUMED,
}
_NOT_ENDING = (
    EventType.SUBSCRIPTION_CREATED,
    EventType.SUBSCRIPTION_ACTIVATED,
    EventType.SUBSCRIPTION_RENEWED,
    EventType.SUBSCRIPTION_RESUMED,
)


def state_of(subscription: Subscription | SubscriptionSnapshot) -> dict[str, Any]:
    """Return all that is compared, without what RMZ left out; JSON values."""
    variant = subscription.variant
    duration = subscription.duration
    state = {
        # A database refuses some characters that a new status could have.
        "status": quoted(subscription.status),
        "start": _text(subscription.current_period_start),
        "end": _text(subscription.current_period_end),
        "months": duration.months if isinstance(duration, Duration) else None,
        "auto_renew": subscription.auto_renew,
        "variant": None if variant is None else variant.id,
    }
    if isinstance(subscription, Subscription):
        state["is_ending"] = subscription.cancel_at_period_end
    return {key: value for key, value in state.items() if value is not None}


def state_of_event(event: Event) -> dict[str, Any]:
    """Return what an event shows of a subscription; empty for other events."""
    if event.subscription is None:
        return {}
    state = state_of(event.subscription)
    # Events do not say whether the subscription ends with its period, but they imply it.
    if event.event == EventType.SUBSCRIPTION_CANCELED:
        state["is_ending"] = True
    elif event.event in _NOT_ENDING or event.subscription.auto_renew:
        state["is_ending"] = False
    return state


def changes(known: Mapping[str, Any], state: Mapping[str, Any]) -> Sequence[EventType]:
    """Return the events that lead from one state to the other, in their order.

    An empty *known* is a subscription that did not exist. Several renewals are one event.
    """
    if not known:
        created = EventType.SUBSCRIPTION_CREATED
        since = _BY_STATUS.get(state["status"])
        return (created,) if since is None else (created, since)
    before, after = known["status"], state["status"]
    found: dict[EventType, None] = {}
    if before != "trialing" and _has_renewed(known, state):
        found[EventType.SUBSCRIPTION_RENEWED] = None
    if before != after:
        found[_reaching(before, after)] = None
    elif _differ(known, state, "is_ending"):
        is_ending = state["is_ending"]
        kind = EventType.SUBSCRIPTION_CANCELED if is_ending else EventType.SUBSCRIPTION_RESUMED
        found[kind] = None
    if _differ(known, state, "variant") or (
        not found and _differ(known, state, "start", "end", "auto_renew")
    ):
        found[EventType.SUBSCRIPTION_UPDATED] = None
    return tuple(found)


def body_of(kind: EventType, subscription: Subscription, state: Mapping[str, Any]) -> bytes:
    """Return an event in RMZ's form, whose id is the same in each run that finds the change."""
    plain = subscription.to_dict()
    # RMZ notes each change in updated_at, so that a state to which the subscription comes back
    # later has another id.
    marks = [plain[key] for key in ("updated_at", "canceled_at", "paused_at")]
    found = json.dumps([kind, dict(sorted(state.items())), *marks])
    digest = hashlib.sha256(found.encode()).hexdigest()[:32]
    product = subscription.product
    shown = {key: plain.get(key) for key in wire_names(SubscriptionSnapshot).values()}
    shown["product_id"] = None if product is None else product.id
    shown["product_name"] = None if product is None else product.name
    payload = {
        "event": kind,
        "event_id": f"reconciled:{kind}:{subscription.id}:{digest}",
        "data": {"subscription": shown},
    }
    return json.dumps(payload).encode()


def _reaching(before: str, after: str) -> EventType:
    if after == "active":
        return _ACTIVE_AFTER.get(before, EventType.SUBSCRIPTION_UPDATED)
    return _BY_STATUS.get(after, EventType.SUBSCRIPTION_UPDATED)


def _differ(known: Mapping[str, Any], state: Mapping[str, Any], *keys: str) -> bool:
    return any(key in known and key in state and known[key] != state[key] for key in keys)


def _has_renewed(known: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Say whether a new period was paid for; a period after a pause begins at another time."""
    if not ("end" in known and "start" in state and "end" in state):
        return False
    due = datetime.fromisoformat(known["end"])
    start, end = (datetime.fromisoformat(state[key]) for key in ("start", "end"))
    if start == due:
        return end > start
    return start > due and (end - start).days >= MONTH * state.get("months", 1)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
