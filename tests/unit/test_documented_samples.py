from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from rmz_async import operations, webhooks
from rmz_async._calls.outcome import Answer
from rmz_async._calls.wire import envelope_of, error_of
from rmz_async._decoding import strict_json as _json
from rmz_async._decoding.converter import decode
from rmz_async.models import (
    Category,
    CheckoutSession,
    CompletedOrder,
    CreatedOrder,
    DuplicateOrder,
    Model,
    Order,
    PendingOrder,
    PortalSession,
    Subscription,
    SubscriptionLookup,
)
from rmz_async.pagination import Page

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"

MODELS: dict[str, type[Model]] = {
    "checkout_session.created": CheckoutSession,
    "portal_session.created": PortalSession,
    "subscription.cancel": Subscription,
    "subscription.get": Subscription,
    "subscription.lookup": SubscriptionLookup,
}
ITEMS: dict[str, type[Model]] = {"category.list": Category, "order.list": Order}
CREATED: dict[str, type[Model]] = {
    "order.create.duplicate": DuplicateOrder,
    "order.create.free": CompletedOrder,
    "order.create.paid": PendingOrder,
}
STATUSES = {"general": 400, "rate_limited": 429, "unauthenticated": 401, "validation": 422}


def samples(prefix: str = "") -> list[Any]:
    """The files there are, or one case that skips and says why."""
    paths = sorted(SAMPLES.glob(f"{prefix}*.json"))
    missing = pytest.mark.skip(reason=f"there is no {SAMPLES}")
    return [pytest.param(path, id=path.stem) for path in paths] or [
        pytest.param(SAMPLES, marks=missing)
    ]


@pytest.mark.parametrize("path", samples())
def test_every_sample_is_json(path: Path) -> None:
    """Each documented payload can be read, with each key once, and no number becomes a float."""
    parsed = _json.parse(path.read_bytes(), unique_keys=True)

    assert parsed == json.loads(path.read_text("utf-8"), parse_float=_decimal)


def _decimal(text: str) -> object:
    return _json.parse(text.encode())


@pytest.mark.parametrize("path", samples())
def test_every_sample_is_decoded(path: Path) -> None:
    """Each documented answer and delivery of a model that exists gives it, and loses no key."""
    kind, _, _ = path.stem.partition(".")
    if kind == "webhook":
        event = webhooks.verify(path.read_bytes(), {}, secrets=["x" * 28], allow_unsigned=True)
        assert type(event.event) is webhooks.EventType
        assert (event.subscription is not None) == event.event.startswith("subscription.")
        assert (event.order is not None) == event.event.startswith("order.")
        assert event.order is None or not event.order.extra
        return
    answer = Answer(200, {"content-type": "application/json"}, path.read_bytes())
    if kind == "error":
        status = STATUSES[path.stem.removeprefix("error.")]
        refused = attrs.evolve(answer, status=status)
        error = error_of(operations.SUBSCRIPTIONS_GET, refused, sent=(), now=0.0)
        assert error.message
        return
    data = envelope_of(answer)["data"]
    assert isinstance(data, dict)
    found: Any
    if path.stem in ITEMS:
        pages: Any = Page
        found = decode(data, pages[ITEMS[path.stem]])
        for item, row in zip(found.items, cast("list[dict[str, Any]]", data["data"]), strict=True):
            assert set(item.to_dict()) >= set(row)
            assert not item.extra
        return
    into: Any = CreatedOrder if path.stem in CREATED else MODELS[path.stem]
    found = decode(data, into)
    assert type(found) is (CREATED | MODELS)[path.stem]
    assert set(found.to_dict()) >= set(data)
    assert not found.extra
