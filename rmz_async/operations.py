"""The API as data: one row per call.

Whether a call may be sent again is a property of the call: RMZ takes no idempotency keys. The
transport obeys these rows, the documentation prints them, and the tests walk them.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

import attrs

__all__ = ("OPERATIONS", "Operation", "Repeat")

_DOCS = "https://docs.rmz.gg/merchant-api"


class Repeat(Enum):
    """What to do after a failure that may have reached RMZ."""

    SAFE = "repeat it, with backoff"
    SETTLE = "read the object back: done, return it; not done, repeat once; cannot tell, raise"
    HARMLESS = "repeat it once: a second session costs nothing"
    ONCE = "never repeat it: compare with what the caller had read, or raise"


@attrs.frozen(kw_only=True, eq=False)
class Operation:
    """One call of the API.

    Attributes:
        name: The call as it is written in Python, ``resource.method``.
        method: The HTTP method.
        path: The path below the base URL; ``{id}`` stands for the object's id.
        repeat: What to do after a failure that may have reached RMZ.
        source: The page of RMZ's documentation.
        per_minute: Requests a minute that RMZ allows for each token.
        refuses_states: Whether a 422 that names no field sent means that the object's state forbids
            it.
        find_out: What the caller can do to learn whether the call was applied.
    """

    name: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    repeat: Repeat
    source: str
    per_minute: int = 60
    refuses_states: bool = False
    find_out: str = ""


_READ_SUBSCRIPTION = "Read the subscription with subscriptions.get and compare"

CHECKOUT_SESSIONS_CREATE = Operation(
    name="checkout_sessions.create",
    method="POST",
    path="/subscriptions/checkout-sessions",
    repeat=Repeat.HARMLESS,
    source=f"{_DOCS}/subscriptions/create-checkout-session",
    find_out="Create another session: an unpaid one ends after 7 minutes and costs nothing",
)
PORTAL_SESSIONS_CREATE = Operation(
    name="portal_sessions.create",
    method="POST",
    path="/portal-sessions",
    repeat=Repeat.HARMLESS,
    source=f"{_DOCS}/portal-sessions/create-portal-session",
    find_out="Create another session: an unused one ends by itself",
)
SUBSCRIPTIONS_GET = Operation(
    name="subscriptions.get",
    method="GET",
    path="/subscriptions/{id}",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/subscriptions/get-subscription",
)
SUBSCRIPTIONS_LIST = Operation(
    name="subscriptions.list",
    method="GET",
    path="/subscriptions",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/subscriptions/list-subscriptions",
)
SUBSCRIPTIONS_LOOKUP = Operation(
    name="subscriptions.lookup",
    method="GET",
    path="/subscriptions/lookup",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/subscriptions/lookup-subscriptions",
    per_minute=120,
)
SUBSCRIPTIONS_CANCEL = Operation(
    name="subscriptions.cancel",
    method="POST",
    path="/subscriptions/{id}/cancel",
    repeat=Repeat.SETTLE,
    source=f"{_DOCS}/subscriptions/cancel-subscription",
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} cancel_at_period_end and status",
)
SUBSCRIPTIONS_PAUSE = Operation(
    name="subscriptions.pause",
    method="POST",
    path="/subscriptions/{id}/pause",
    repeat=Repeat.SETTLE,
    source=f"{_DOCS}/subscriptions/pause-subscription",
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} status",
)
SUBSCRIPTIONS_UNPAUSE = Operation(
    name="subscriptions.unpause",
    method="POST",
    path="/subscriptions/{id}/unpause",
    repeat=Repeat.SETTLE,
    source=f"{_DOCS}/subscriptions/unpause-subscription",
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} status",
)
SUBSCRIPTIONS_EXTEND = Operation(
    name="subscriptions.extend",
    method="POST",
    path="/subscriptions/{id}/extend",
    repeat=Repeat.ONCE,
    source=f"{_DOCS}/subscriptions/extend-subscription",
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} current_period_end with what it was; extending again adds up",
)

OPERATIONS = (
    CHECKOUT_SESSIONS_CREATE,
    PORTAL_SESSIONS_CREATE,
    SUBSCRIPTIONS_GET,
    SUBSCRIPTIONS_LIST,
    SUBSCRIPTIONS_LOOKUP,
    SUBSCRIPTIONS_CANCEL,
    SUBSCRIPTIONS_PAUSE,
    SUBSCRIPTIONS_UNPAUSE,
    SUBSCRIPTIONS_EXTEND,
)
"""Every call, in the order of the documentation."""
