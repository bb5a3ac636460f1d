from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import pytest

from rmz_async import _json, operations, webhooks
from rmz_async._converter import decode
from rmz_async._wire import Answer, data_of, error_of
from rmz_async.models import (
    CheckoutSession,
    Model,
    PortalSession,
    Subscription,
    SubscriptionLookup,
)

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"

MODELS: dict[str, type[Model]] = {
    "checkout_session.created": CheckoutSession,
    "portal_session.created": PortalSession,
    "subscription.cancel": Subscription,
    "subscription.get": Subscription,
    "subscription.lookup": SubscriptionLookup,
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
        return
    answer = Answer(200, {"content-type": "application/json"}, path.read_bytes())
    if kind == "error":
        status = STATUSES[path.stem.removeprefix("error.")]
        refused = attrs.evolve(answer, status=status)
        error = error_of(operations.SUBSCRIPTIONS_GET, refused, sent=(), now=0.0)
        assert error.message
        return
    data = data_of(answer)
    if path.stem in MODELS:
        found = decode(data, MODELS[path.stem])
        assert isinstance(data, dict)
        assert set(found.to_dict()) >= set(data)
        assert not found.extra
