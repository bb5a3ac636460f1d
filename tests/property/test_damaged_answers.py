"""A field of an answer or an event is damaged: only a decisive one may raise."""

from __future__ import annotations

import json
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from rmz_async import Model, Page, PayloadError, from_dict, models
from rmz_async._decoding.converter import decode
from tests.endpoints import ENDPOINTS
from tests.unit.deliveries import deliver
from tests.unit.documented import EVENTS
from tests.unit.payloads import FULL

DECISIVE: dict[type[Model], set[str]] = {
    # Models that only one call has: the fields without a default.
    **{
        kind: {field.name for field in attrs.fields(kind) if field.default is attrs.NOTHING}
        for endpoint in ENDPOINTS
        for kind in endpoint.models
    },
    models.CheckoutSession: {"checkout_url"},
    models.CompletedOrder: {"order_id"},
    models.DuplicateOrder: {"checkout_id", "duplicate", "order_id"},
    models.PendingOrder: {"checkout_id", "checkout_url"},
    models.PortalSession: {"url"},
    models.StoreStatistics: set(),
    models.Subscription: {"id", "status"},
    models.SubscriptionLookup: {"subscriptions"},
    models.SubscriptionSnapshot: {"id", "status"},
    **{kind: {"id"} for kind in (models.Category, models.Media, models.Order)},
    **{kind: {"id"} for kind in (models.Product, models.Store)},
}
LISTED = (models.Category, models.Order, models.Product, models.Subscription)

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each value within a value."""
    inner: list[Any] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    found = [path] if path else []
    for key, item in inner:
        found += places(item, (*path, key))
    return found


def unshared(value: object) -> object:
    """A copy in which no object stands in two places, as it would in a deep copy of a payload."""
    if isinstance(value, dict):
        return {key: unshared(item) for key, item in value.items()}
    return [unshared(item) for item in value] if isinstance(value, list) else value


def damaged(data: object, path: tuple[Any, ...], wrong: object) -> Any:
    """A copy with another value at a path; ``...`` takes the key away."""
    copied: Any = unshared(data)
    holder = copied
    for key in path[:-1]:
        holder = holder[key]
    if wrong is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = wrong
    return copied


@given(data=st.data())
def test_a_damaged_field_costs_no_answer(data: st.DataObject) -> None:
    """The answer arrives with everything that was not damaged, and nothing of it is lost."""
    model = data.draw(st.sampled_from(sorted(DECISIVE, key=lambda kind: kind.__name__)))
    whole = FULL[model]
    path = data.draw(st.sampled_from(places(whole)))
    answer = damaged(whole, path, data.draw(junk | st.just(...)))
    decisive = path[0] in DECISIVE[model] and (
        len(path) == 1
        or (path[0] == "subscriptions" and (len(path) == 2 or path[2] in ("id", "status")))
    )
    try:
        found = decode(answer, model)
    except ValueError:
        assert decisive
        return

    reference = decode(whole, model).to_dict()
    plain = found.to_dict()
    assert {
        key for key in reference if key != path[0] and plain.get(key) != reference[key]
    } == set()
    assert from_dict(model, json.loads(json.dumps(plain))).to_dict() == plain


@given(data=st.data())
def test_a_damaged_item_costs_no_page(data: st.DataObject) -> None:
    """Each item of a list is as tolerant as the single object."""
    model = data.draw(st.sampled_from(LISTED))
    whole = FULL[model]
    path = data.draw(st.sampled_from(places(whole)))
    item = damaged(whole, path, data.draw(junk | st.just(...)))
    frame = {"current_page": 1, "data": [whole, item], "next_page_url": None, "per_page": 15}
    kind: Any = model
    try:
        found = decode(frame, Page[kind])
    except ValueError:
        assert path[0] in DECISIVE[model]
        assert len(path) == 1
        return

    assert found.items[0] == decode(whole, model)


@given(data=st.data())
def test_a_damaged_field_costs_no_event(data: st.DataObject) -> None:
    """The event arrives, and RMZ's own data with it, so that a handler can read them there."""
    name = data.draw(st.sampled_from(sorted(EVENTS)))
    whole = {"event": name, "event_id": "a7b8", "data": EVENTS[name]}
    path = data.draw(st.sampled_from(places(whole)))
    payload = damaged(whole, path, data.draw(junk | st.just(...)))
    try:
        found = deliver(json.dumps(payload, default=str).encode())
    except PayloadError:
        assert path == ("event",)
        return

    assert found.event == payload["event"]
    if path[0] == "event_id":
        assert found.data == deliver(whole).data


def test_every_answer_is_damaged() -> None:
    """A model that an answer is made of is added here as well."""
    inner = {"Code", "Customer", "OrderItem", "OrderStatusChange", "OrderedProduct"}
    inner |= {"PaymentMethod", "Price", "ProductImage", "ProductVariant", "SubscriptionProduct"}
    inner |= {"Transaction", "Variant", "Event"}

    assert {kind.__name__ for kind in FULL} - inner == {kind.__name__ for kind in DECISIVE}
