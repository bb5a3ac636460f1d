"""A value that no decision depends on never costs the answer that it came in."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from rmz_async import (
    CheckoutSession,
    Duration,
    Model,
    Order,
    Page,
    Subscription,
    SubscriptionLookup,
    _decoding,
    from_dict,
    models,
)
from rmz_async._decoding import converter, hooks
from rmz_async._decoding.converter import decode
from rmz_async._decoding.strict_json import parse
from tests.seams import Part, Setting, inside, replace

MINIMAL: dict[str, Any] = {"id": 501, "status": "active"}


def subscription(**fields: Any) -> Subscription:
    """A subscription with these keys on the wire."""
    return decode({**MINIMAL, **fields}, Subscription)


@pytest.mark.parametrize(
    ("wire", "field", "read"),
    [
        ({"duration": 30}, "duration", Duration.MONTHLY),
        ({"days_remaining": Decimal("12.0")}, "days_remaining", 12),
        ({"metadata": ["gold"]}, "metadata", {"0": "gold"}),
        ({"current_period_end": ""}, "current_period_end", None),
        ({"trial_ends_at": "0000-00-00 00:00:00"}, "trial_ends_at", None),
        ({"external_customer_id": 77}, "external_customer_id", "77"),
    ],
)
def test_a_form_that_means_one_thing_only_is_read(
    wire: dict[str, Any], field: str, read: object
) -> None:
    """PHP and MySQL write such forms."""
    found = subscription(**wire)

    assert getattr(found, field) == read
    assert not found.unreadable


def test_a_form_that_means_nothing_is_kept_as_it_came() -> None:
    """Half a day is no whole number of days: the field is None, and the value is not lost."""
    found = subscription(days_remaining=Decimal("254.72"), order_id=7)

    assert found.days_remaining is None
    assert found.unreadable == {"days_remaining": Decimal("254.72")}
    assert found.order_id == 7
    assert found.to_dict()["days_remaining"] == 254.72


def test_a_scheduled_variant_of_another_shape_is_kept() -> None:
    """None would say that no change of plan is scheduled."""
    found = subscription(scheduled_variant={"variant_id": 20})

    assert found.scheduled_variant is not None
    assert found.scheduled_variant.extra == {"variant_id": 20}


def test_a_customer_without_an_id_is_kept() -> None:
    """RMZ documents no shape of a subscription's customer."""
    found = subscription(customer={"email": "sara@example.com"}, order_id=7)

    assert found.customer is not None
    assert found.customer.email == "sara@example.com"


def test_an_ordered_subscription_without_a_status_costs_nothing_else() -> None:
    """An older page of RMZ's shows a raw row there."""
    row = {"id": 5, "is_active": 1, "durationText": "شهر"}
    found = decode({"id": 1, "items": [{"id": 2, "quantity": 3, "subscription": row}]}, Order)

    assert found.items is not None
    assert found.items[0].quantity == 3
    assert found.items[0].subscription is None
    assert found.items[0].unreadable == {"subscription": row}


def test_a_checkout_session_arrives_with_its_address() -> None:
    """The customer can pay, whatever else cannot be read."""
    found = decode(
        {"session_id": [], "checkout_url": "https://pay.rmz.gg/cs_1", "expires_at": ""},
        CheckoutSession,
    )

    assert found.checkout_url == "https://pay.rmz.gg/cs_1"
    assert found.expires_at is None
    assert found.unreadable == {"session_id": []}


def test_a_lookup_without_its_count_arrives() -> None:
    """Access depends on the subscriptions, not on how many RMZ says they are."""
    found = decode({"subscriptions": [MINIMAL]}, SubscriptionLookup)

    assert found.count is None
    assert found.subscriptions[0].grants_access


@pytest.mark.parametrize(
    ("data", "into"),
    [
        ({"id": "x", "status": "active"}, Subscription),
        ({"id": 1, "status": 5}, Subscription),
        ({"id": 1, "status": None}, Subscription),
        ({"checkout_url": 5, "session_id": "cs_1"}, CheckoutSession),
        ({"count": 1, "has_active": True, "subscriptions": None}, SubscriptionLookup),
        ({"count": 1, "has_active": True, "subscriptions": [{"id": 1}]}, SubscriptionLookup),
        ({"duplicate": True, "checkout_id": "x"}, models.DuplicateOrder),
    ],
)
def test_a_decisive_value_is_never_guessed(data: dict[str, Any], into: type[Model]) -> None:
    """An answer without it decides nothing, and a default could lock a paying customer out."""
    with pytest.raises(ValueError, match=" @ data"):
        decode(data, into)


def test_one_warning_names_what_cannot_be_read_and_shows_no_value(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A log is read by more people than an answer is."""
    damaged = {**MINIMAL, "order_id": "sara@o.kw", "price": {"amount": "sara"}}
    page = {"current_page": 1, "data": [MINIMAL, damaged], "next_page_url": None, "per_page": 15}

    decode(page, Page[Subscription])

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.name == "rmz_async"
    assert "data.data[1].order_id, data.data[1].price" in record.getMessage()
    assert "sara" not in record.getMessage()


def test_a_warning_has_room_for_so_many_names_only(caplog: pytest.LogCaptureFixture) -> None:
    """An answer has room for many thousands of them."""
    damaged = {**MINIMAL, "customer": {"firstName": {}}}
    rows = (inside(converter, Part.MAX_NAMED) + 5) * [damaged]

    decode({"subscriptions": rows}, SubscriptionLookup)

    assert "data.subscriptions[0].customer.firstName" in caplog.text
    assert caplog.text.count("firstName") == inside(converter, Part.MAX_NAMED)
    assert "and 5 more" in caplog.text


def test_a_sound_answer_warns_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Nor does data of the caller's own, which was named when it came."""
    found = subscription(color="red")
    from_dict(Subscription, {**found.to_dict(), "order_id": "x"})

    assert not caplog.records


@pytest.mark.parametrize(
    "travel",
    [
        copy.deepcopy,
        lambda found: pickle.loads(pickle.dumps(found)),  # noqa: S301 - our own bytes
        lambda found: from_dict(Subscription, json.loads(json.dumps(found.to_dict()))),
    ],
    ids=["deepcopy", "pickle", "json"],
)
def test_an_unreadable_value_survives(travel: Any) -> None:
    """Nothing that RMZ sent is lost on the way through a queue."""
    wire = b'{"id": 1, "status": "active", "order_id": {"n": 1.5}, "variant": {"price": "?"}}'
    found = decode(parse(wire), Subscription)
    twin = travel(found)

    assert twin == found
    assert twin.unreadable == {"order_id": {"n": Decimal("1.5")}}
    assert twin.variant.unreadable == {"price": "?"}


def test_a_value_of_the_callers_own_replaces_an_unreadable_one() -> None:
    """``to_dict`` says what the evolved copy says."""
    found = attrs.evolve(subscription(order_id="x", product="?"), order_id=7)

    assert found.to_dict()["order_id"] == 7
    assert found.to_dict()["product"] == "?"


def test_unreadable_values_are_read_only() -> None:
    """The mapping is the answer's, and not the caller's."""
    found = subscription(order_id="x")

    with pytest.raises(TypeError):
        found.unreadable["order_id"] = 1  # type: ignore[index] # pyright: ignore[reportIndexIssue] # the very mistake


class FrozenDate(date):
    """A class in the place of ``date``, as a library that freezes the clock puts there."""


class FrozenTime(datetime):
    """A class in the place of ``datetime``."""


def test_a_first_answer_under_a_frozen_clock_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Libraries that freeze the clock put other classes into every module while they do."""
    replace(monkeypatch, Setting.CONVERTER, inside(converter, Part.CONVERTER).__wrapped__)
    inside(converter, Part.STRUCTURE).cache_clear()
    with monkeypatch.context() as frozen:
        frozen.setattr("datetime.datetime", FrozenTime)
        frozen.setattr("datetime.date", FrozenDate)
        replace(frozen, Setting.DATETIME_OF_VALUES, FrozenTime)
        # The first answer imports this module, so it sees the other class from its beginning.
        frozen.setattr(_decoding, "hooks", hooks)
        frozen.delitem(sys.modules, hooks.__name__)
        frozen.setattr("rmz_async.models.subscriptions.datetime", FrozenTime)
        during = subscription(current_period_end="2026-01-01 10:00:00", ends_at="2026-01-01")
    after = subscription(current_period_end="2026-01-01 10:00:00", ends_at="2026-01-01")
    inside(converter, Part.STRUCTURE).cache_clear()

    assert during == after
    assert type(during.ends_at) is datetime
    assert after.current_period_end == datetime(2026, 1, 1, 10, tzinfo=UTC)
