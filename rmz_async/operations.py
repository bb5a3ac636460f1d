"""The API as data: one row per call.

Whether a call may be sent again is a property of the call: RMZ takes no idempotency keys. The
transport obeys these rows, the documentation prints them, and the tests walk them.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

import attrs

__all__ = ("OPERATIONS", "Operation", "RetryRule")

_DOCS = "https://docs.rmz.gg/merchant-api"


class Reaction(Enum):
    """A step after one kind of failure."""

    RETRY = "retry"
    RETRY_ONCE = "retry once"
    READ_BACK = "read the object back"
    RAISE = "raise"


@attrs.frozen(kw_only=True, eq=False, repr=False)
class _Rule:
    words: str
    not_sent: Reaction
    ambiguous: Reaction
    throttled: Reaction
    refused: Reaction
    final: Reaction = Reaction.RAISE


class RetryRule(Enum):
    """The rule of a call: its step after each kind of failure."""

    SAFE = _Rule(
        words="retry it, with backoff",
        not_sent=Reaction.RETRY,
        ambiguous=Reaction.RETRY,
        throttled=Reaction.RETRY,
        refused=Reaction.RETRY_ONCE,
    )
    SETTLE = _Rule(
        words="read the object back, late enough for a replica to have caught up: done, return it; "
        "not done, perhaps retry once; else raise",
        not_sent=Reaction.RETRY,
        ambiguous=Reaction.READ_BACK,
        throttled=Reaction.RETRY,
        refused=Reaction.READ_BACK,
    )
    DEDUPED = _Rule(
        words="retry the same bytes within 4 minutes: for 5, RMZ takes them for the same order",
        not_sent=Reaction.RETRY,
        ambiguous=Reaction.RETRY,
        throttled=Reaction.RETRY,
        refused=Reaction.RAISE,
    )
    HARMLESS = _Rule(
        words="retry it once: a second session, or an unused file, costs nothing",
        not_sent=Reaction.RETRY,
        ambiguous=Reaction.RETRY_ONCE,
        throttled=Reaction.RETRY,
        refused=Reaction.RETRY_ONCE,
    )
    # A 429 that looks like the throttle's may come from the guard against duplicates.
    ONCE = _Rule(
        words="never retry it: compare with the object that the caller had read, if any, or raise",
        not_sent=Reaction.RETRY,
        ambiguous=Reaction.READ_BACK,
        throttled=Reaction.RAISE,
        refused=Reaction.READ_BACK,
    )

    @property
    def words(self) -> str:
        """The rule in a few words."""
        return self.value.words

    @property
    def not_sent(self) -> Reaction:
        """After a failure that surely did not reach RMZ."""
        return self.value.not_sent

    @property
    def ambiguous(self) -> Reaction:
        """After a failure that may have been applied."""
        return self.value.ambiguous

    @property
    def throttled(self) -> Reaction:
        """After a 429 of RMZ's throttle, which answers before anything is done."""
        return self.value.throttled

    @property
    def refused(self) -> Reaction:
        """After any other 429: a guard against duplicates, or a proxy."""
        return self.value.refused

    @property
    def final(self) -> Reaction:
        """After any other error.

        If an earlier attempt may have been applied, the object is read back, if it can be.
        """
        return self.value.final


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Operation:
    """A call of the API.

    Attributes:
        name: The call as it is written in Python, ``resource.method``.
        method: The HTTP method.
        path: The path below the base URL; ``{id}`` stands for the object's id.
        retry: The rule after a failure that may have reached RMZ.
        source: The page of RMZ's documentation.
        quota: Which of a token's two quotas it is counted in.
        per_minute: Requests a minute that RMZ allows in that quota.
        resend_within: Seconds after the first attempt in which a change that may have been applied
            can be sent again, if its rule allows that at all. A change that is read back first has
            ``RetryPolicy.replica_lag`` more.
        refuses_states: Whether a 422 that names no field sent means that the object's state forbids
            it.
        refused_advice: The next step after a 429, if that may come from a guard against duplicates.
        find_out: How the caller can learn whether the call was applied.
    """

    name: str
    method: Literal["GET", "POST", "PUT"]
    path: str
    retry: RetryRule
    source: str
    quota: Literal["shared", "lookup"] = "shared"
    per_minute: int = 60
    resend_within: float = 0.0
    refuses_states: bool = False
    refused_advice: str = ""
    find_out: str = ""


# Later the customer may have undone in the portal what the first attempt did.
_RESEND_WITHIN = 30.0

_READ_SUBSCRIPTION = "Read the subscription with subscriptions.get and compare"

CHECKOUT_SESSIONS_CREATE = Operation(
    name="checkout_sessions.create",
    method="POST",
    path="/subscriptions/checkout-sessions",
    retry=RetryRule.HARMLESS,
    source=f"{_DOCS}/subscriptions/create-checkout-session",
    find_out="Create another session: an unpaid one ends after 7 minutes and costs nothing",
)
PORTAL_SESSIONS_CREATE = Operation(
    name="portal_sessions.create",
    method="POST",
    path="/portal-sessions",
    retry=RetryRule.HARMLESS,
    source=f"{_DOCS}/portal-sessions/create-portal-session",
    find_out="Create another session: an unused one ends by itself",
)
SUBSCRIPTIONS_GET = Operation(
    name="subscriptions.get",
    method="GET",
    path="/subscriptions/{id}",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/subscriptions/get-subscription",
)
SUBSCRIPTIONS_LIST = Operation(
    name="subscriptions.list",
    method="GET",
    path="/subscriptions",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/subscriptions/list-subscriptions",
)
SUBSCRIPTIONS_LOOKUP = Operation(
    name="subscriptions.lookup",
    method="GET",
    path="/subscriptions/lookup",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/subscriptions/lookup-subscriptions",
    quota="lookup",
    per_minute=120,
)
SUBSCRIPTIONS_CANCEL = Operation(
    name="subscriptions.cancel",
    method="POST",
    path="/subscriptions/{id}/cancel",
    retry=RetryRule.SETTLE,
    source=f"{_DOCS}/subscriptions/cancel-subscription",
    resend_within=_RESEND_WITHIN,
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} cancel_at_period_end and status",
)
SUBSCRIPTIONS_PAUSE = Operation(
    name="subscriptions.pause",
    method="POST",
    path="/subscriptions/{id}/pause",
    retry=RetryRule.SETTLE,
    source=f"{_DOCS}/subscriptions/pause-subscription",
    resend_within=_RESEND_WITHIN,
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} status",
)
SUBSCRIPTIONS_UNPAUSE = Operation(
    name="subscriptions.unpause",
    method="POST",
    path="/subscriptions/{id}/unpause",
    retry=RetryRule.SETTLE,
    source=f"{_DOCS}/subscriptions/unpause-subscription",
    resend_within=_RESEND_WITHIN,
    refuses_states=True,
    find_out=f"{_READ_SUBSCRIPTION} status",
)
SUBSCRIPTIONS_EXTEND = Operation(
    name="subscriptions.extend",
    method="POST",
    path="/subscriptions/{id}/extend",
    retry=RetryRule.ONCE,
    source=f"{_DOCS}/subscriptions/extend-subscription",
    refuses_states=True,
    refused_advice="an equal extension less than 10 seconds ago is refused like this; read the "
    "subscription before you extend it again",
    find_out=f"{_READ_SUBSCRIPTION} current_period_end with what it was; extending again adds up",
)
ORDERS_CREATE = Operation(
    name="orders.create",
    method="POST",
    path="/orders",
    retry=RetryRule.DEDUPED,
    # RMZ remembers it for 300 s; a minute is left for its own clock and for the way.
    resend_within=240.0,
    source=f"{_DOCS}/orders/create-order",
    find_out="Within 5 minutes of the first time create the same order again: RMZ answers with the "
    "first one; later look for it with orders.list, which never shows an unpaid order",
)
ORDERS_GET = Operation(
    name="orders.get",
    method="GET",
    path="/orders/{id}",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/orders/get-order",
)
ORDERS_LIST = Operation(
    name="orders.list",
    method="GET",
    path="/orders",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/orders/list-orders",
)
ORDERS_UPDATE = Operation(
    name="orders.update",
    method="PUT",
    path="/orders/{id}",
    retry=RetryRule.SETTLE,
    source=f"{_DOCS}/orders/update-order",
    find_out="Read the order with orders.get and compare current_status",
)
PRODUCTS_GET = Operation(
    name="products.get",
    method="GET",
    path="/products/{id}",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/products/get-product",
)
PRODUCTS_LIST = Operation(
    name="products.list",
    method="GET",
    path="/products",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/products/list-products",
)
PRODUCTS_CREATE = Operation(
    name="products.create",
    method="POST",
    path="/products",
    retry=RetryRule.ONCE,
    source=f"{_DOCS}/products/create-product",
    find_out="Look for it with products.list: creating it again would make a second product, "
    "unless you pass a slug, of which RMZ takes one only",
)
PRODUCTS_UPDATE = Operation(
    name="products.update",
    method="PUT",
    path="/products/{id}",
    retry=RetryRule.ONCE,
    source=f"{_DOCS}/products/update-product",
    find_out="Read the product with products.get and compare: updating it again would put codes "
    "back on sale that were sold meanwhile",
)
PRODUCTS_UPLOAD = Operation(
    name="products.upload",
    method="POST",
    path="/products/upload",
    retry=RetryRule.HARMLESS,
    source=f"{_DOCS}/products/upload-media",
    find_out="Upload it again: a file that no product names costs nothing",
)
CATEGORIES_LIST = Operation(
    name="categories.list",
    method="GET",
    path="/categories",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/categories",
)
STORE_GET = Operation(
    name="store.get",
    method="GET",
    path="/store",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/store",
)
STORE_STATISTICS = Operation(
    name="store.statistics",
    method="GET",
    path="/store/statics",
    retry=RetryRule.SAFE,
    source=f"{_DOCS}/store",
)

OPERATIONS = tuple(row for row in globals().values() if isinstance(row, Operation))
"""Every call, in the order of the documentation."""
