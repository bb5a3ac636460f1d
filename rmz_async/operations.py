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


class Reaction(Enum):
    """What to do after one kind of failure."""

    REPEAT = "repeat"
    REPEAT_ONCE = "repeat once"
    READ_BACK = "read the object back"
    RAISE = "raise"


class Repeat(Enum):
    """What to do after each kind of failure: the rule of a call.

    Attributes:
        words: The rule in a few words.
        not_sent: After what surely did not reach RMZ.
        ambiguous: After what may have been applied.
        throttled: After a 429 of RMZ's throttle, which answers before anything is done.
        refused: After any other 429: a guard against duplicates, or a proxy.
        final: After any other error; where an earlier try may have been applied, all rules but
            ``SAFE`` and ``HARMLESS`` read the object back, if they can.
    """

    SAFE = (
        "repeat it, with backoff",
        Reaction.REPEAT,
        Reaction.REPEAT,
        Reaction.REPEAT,
        Reaction.REPEAT_ONCE,
    )
    SETTLE = (
        "read the object back: done, return it; not done, perhaps repeat once; else raise",
        Reaction.REPEAT,
        Reaction.READ_BACK,
        Reaction.REPEAT,
        Reaction.READ_BACK,
    )
    DEDUPED = (
        "repeat the same bytes within 4 minutes: for 5, RMZ takes them for the same order",
        Reaction.REPEAT,
        Reaction.REPEAT,
        Reaction.REPEAT,
        Reaction.RAISE,
    )
    HARMLESS = (
        "repeat it once: a second session costs nothing",
        Reaction.REPEAT,
        Reaction.REPEAT_ONCE,
        Reaction.REPEAT,
        Reaction.REPEAT_ONCE,
    )
    # Even a 429 that looks like the throttle's may be that of the guard against duplicates.
    ONCE = (
        "never repeat it: compare with what the caller had read, or raise",
        Reaction.REPEAT,
        Reaction.READ_BACK,
        Reaction.RAISE,
        Reaction.READ_BACK,
    )

    def __init__(
        self,
        words: str,
        not_sent: Reaction,
        ambiguous: Reaction,
        throttled: Reaction,
        refused: Reaction,
    ) -> None:
        self.words = words
        self.not_sent = not_sent
        self.ambiguous = ambiguous
        self.throttled = throttled
        self.refused = refused
        self.final = Reaction.RAISE


@attrs.frozen(kw_only=True, eq=False)
class Operation:
    """One call of the API.

    Attributes:
        name: The call as it is written in Python, ``resource.method``.
        method: The HTTP method.
        path: The path below the base URL; ``{id}`` stands for the object's id.
        repeat: What to do after a failure that may have reached RMZ.
        source: The page of RMZ's documentation.
        quota: Which of a token's two quotas it is counted in.
        per_minute: Requests a minute that RMZ allows in that quota.
        resend_within: Seconds after the first try in which a change that may have been applied can
            be sent again, where its rule allows that at all.
        refuses_states: Whether a 422 that names no field sent means that the object's state forbids
            it.
        find_out: What the caller can do to learn whether the call was applied.
    """

    name: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    repeat: Repeat
    source: str
    quota: Literal["shared", "lookup"] = "shared"
    per_minute: int = 60
    resend_within: float = 0.0
    refuses_states: bool = False
    find_out: str = ""


# Later the customer may have undone in the portal what the first try did.
_RESEND_WITHIN = 30.0

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
    quota="lookup",
    per_minute=120,
)
SUBSCRIPTIONS_CANCEL = Operation(
    name="subscriptions.cancel",
    method="POST",
    path="/subscriptions/{id}/cancel",
    repeat=Repeat.SETTLE,
    source=f"{_DOCS}/subscriptions/cancel-subscription",
    resend_within=_RESEND_WITHIN,
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} cancel_at_period_end and status",
)
SUBSCRIPTIONS_PAUSE = Operation(
    name="subscriptions.pause",
    method="POST",
    path="/subscriptions/{id}/pause",
    repeat=Repeat.SETTLE,
    source=f"{_DOCS}/subscriptions/pause-subscription",
    resend_within=_RESEND_WITHIN,
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} status",
)
SUBSCRIPTIONS_UNPAUSE = Operation(
    name="subscriptions.unpause",
    method="POST",
    path="/subscriptions/{id}/unpause",
    repeat=Repeat.SETTLE,
    source=f"{_DOCS}/subscriptions/unpause-subscription",
    resend_within=_RESEND_WITHIN,
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
ORDERS_CREATE = Operation(
    name="orders.create",
    method="POST",
    path="/orders",
    repeat=Repeat.DEDUPED,
    # RMZ remembers it for 300 s; a minute is left for its own clock and for the way.
    resend_within=240.0,
    source=f"{_DOCS}/orders/create-order",
    find_out="Within 5 minutes of the first time create the same order again: RMZ answers with the "
    "first one; later look for it with orders.list, where one that nobody paid for never comes",
)
ORDERS_GET = Operation(
    name="orders.get",
    method="GET",
    path="/orders/{id}",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/orders/get-order",
)
ORDERS_LIST = Operation(
    name="orders.list",
    method="GET",
    path="/orders",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/orders/list-orders",
)
ORDERS_UPDATE = Operation(
    name="orders.update",
    method="PUT",
    path="/orders/{id}",
    repeat=Repeat.SETTLE,
    source=f"{_DOCS}/orders/update-order",
    find_out="Read the order with orders.get and compare current_status",
)
PRODUCTS_GET = Operation(
    name="products.get",
    method="GET",
    path="/products/{id}",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/products/get-product",
)
PRODUCTS_LIST = Operation(
    name="products.list",
    method="GET",
    path="/products",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/products/list-products",
)
CATEGORIES_LIST = Operation(
    name="categories.list",
    method="GET",
    path="/categories",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/categories",
)
STORE_GET = Operation(
    name="store.get",
    method="GET",
    path="/store",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/store",
)
STORE_STATISTICS = Operation(
    name="store.statistics",
    method="GET",
    path="/store/statics",
    repeat=Repeat.SAFE,
    source=f"{_DOCS}/store",
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
    ORDERS_CREATE,
    ORDERS_GET,
    ORDERS_LIST,
    ORDERS_UPDATE,
    PRODUCTS_GET,
    PRODUCTS_LIST,
    CATEGORIES_LIST,
    STORE_GET,
    STORE_STATISTICS,
)
"""Every call, in the order of the documentation."""
