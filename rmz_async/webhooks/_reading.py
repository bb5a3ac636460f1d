"""Signed bytes to an event."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any, cast

from rmz_async._decoding import strict_json
from rmz_async._decoding.converter import decode
from rmz_async._decoding.values import integer
from rmz_async.errors import PayloadError
from rmz_async.models._json_object import EMPTY, JSONObject
from rmz_async.models.orders import Order
from rmz_async.models.subscriptions import SubscriptionSnapshot
from rmz_async.webhooks import events
from rmz_async.webhooks._keys import storable
from rmz_async.webhooks.events import AnyEvent, EventType, UnknownEvent

logger = logging.getLogger("rmz_async")

DISCORD = (
    "this is Discord's format: RMZ sends it to every URL that contains the word discord, so give "
    "the webhook another URL"
)

_SUBSCRIPTION_EVENTS: Mapping[str, type[Any]] = {
    EventType.SUBSCRIPTION_CREATED: events.SubscriptionCreated,
    EventType.SUBSCRIPTION_ACTIVATED: events.SubscriptionActivated,
    EventType.SUBSCRIPTION_RENEWED: events.SubscriptionRenewed,
    EventType.SUBSCRIPTION_RENEWAL_FAILED: events.SubscriptionRenewalFailed,
    EventType.SUBSCRIPTION_PAST_DUE: events.SubscriptionPastDue,
    EventType.SUBSCRIPTION_EXPIRED: events.SubscriptionExpired,
    EventType.SUBSCRIPTION_CANCELED: events.SubscriptionCanceled,
    EventType.SUBSCRIPTION_PAUSED: events.SubscriptionPaused,
    EventType.SUBSCRIPTION_UNPAUSED: events.SubscriptionUnpaused,
    EventType.SUBSCRIPTION_RESUMED: events.SubscriptionResumed,
    EventType.SUBSCRIPTION_UPDATED: events.SubscriptionUpdated,
}
_ORDER_EVENTS: Mapping[str, type[Any]] = {
    EventType.ORDER_CREATED: events.OrderCreated,
    EventType.ORDER_STATUS_CHANGED: events.OrderStatusChanged,
}
_MEMBERS: Mapping[str, EventType] = {kind.value: kind for kind in EventType}


RECONCILED = -1
"""The place of the secret for an event that no secret signed: `Receiver.reconcile` made it. No
delivery can have it."""


def event_of(body: bytes, request_id: str | None, secret_index: int | None) -> AnyEvent:
    """Return the event of a delivery that was verified.

    Raises:
        PayloadError: The body is not JSON, or names no event.
    """
    name, rest = _parsed(body)
    given: Any = rest.pop("data", None)
    event_id: Any = rest.pop("event_id", None)
    data = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    faults: list[str] = []
    if event_id is not None and not isinstance(event_id, str):
        rest["event_id"], event_id = event_id, None
        faults.append("event_id: expected a string")
    # PHP writes an empty object as a list.
    if not isinstance(given, dict) and given != []:
        faults.append("data: expected an object")
        if given is not None:
            rest["data"] = given
    subscription = order = None
    kind: type[Any] | None = _ORDER_EVENTS.get(name)
    try:
        if kind is not None:
            order = decode(data, Order)
        elif name.startswith("subscription."):
            kind = _SUBSCRIPTION_EVENTS.get(name)
            if kind is not None or isinstance(data.get("subscription"), dict):
                subscription = decode(data.get("subscription"), SubscriptionSnapshot)
    except ValueError as error:
        place = "@ data" if kind in _ORDER_EVENTS.values() else "@ data.subscription"
        faults.append(str(error).replace("@ data", place))
    key = event_id or _order_key(name, data) or hashlib.sha256(body).hexdigest()
    common: dict[str, Any] = {
        "event": _MEMBERS.get(name, name),
        "event_id": event_id,
        "dedupe_key": storable(key),
        "data": JSONObject(data),
        "request_id": request_id,
        "secret_index": None if secret_index == RECONCILED else secret_index,
        "is_reconciled": secret_index == RECONCILED,
        "subscription": subscription,
        "order": order,
        "extra": JSONObject(rest) if rest else EMPTY,
    }
    if kind is not None and (subscription or order):
        known: AnyEvent = kind(**common)
        return known
    fault = "; ".join(faults) if kind is not None else None
    if fault:
        logger.warning("a delivery of %s cannot be read: %s", name, fault)
    return UnknownEvent(fault=fault, **common)


def _parsed(body: bytes) -> tuple[str, dict[str, Any]]:
    """Return the event's name, and the other keys of the body."""
    try:
        payload: Any = strict_json.parse(body, unique_keys=True)
    except ValueError as error:
        raise PayloadError(f"the delivery is not an event: {error}") from None
    if not isinstance(payload, dict):
        raise PayloadError("the delivery is not an event: the body must be a JSON object")
    content = cast("dict[str, Any]", payload)
    name = content.pop("event", None)
    if not isinstance(name, str):
        reason = DISCORD if "embeds" in content else "event must be a string"
        raise PayloadError(f"the delivery is not an event: {reason}")
    return name, content


def _order_key(name: str, data: Mapping[str, Any]) -> str | None:
    """Return a key that all deliveries of one order event share.

    Their bodies differ, because they hold labels such as "a second ago".
    """
    source: Any = data
    if name == EventType.ORDER_STATUS_CHANGED:
        source = data.get("status")
    elif name != EventType.ORDER_CREATED:
        return None
    found = cast("dict[str, Any]", source) if isinstance(source, dict) else {}
    # An id that is no number would be shared by events that have nothing in common; 7, 7.0 and "7"
    # are one, as they are for the model.
    try:
        number = integer(found.get("id"))
    except ValueError:
        number = None
    return None if number is None else f"{name}:{number}"
