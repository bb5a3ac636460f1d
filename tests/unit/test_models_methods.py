"""The methods that all models share: equality, their hash, and how they are shown."""

from __future__ import annotations

from decimal import Decimal
from typing import cast
from unittest.mock import ANY

import attrs
import pytest

from rmz_async import (
    Customer,
    Event,
    JSONObject,
    Model,
    NewCustomer,
    PhoneNumber,
    PortalSession,
    Price,
    Subscription,
)
from rmz_async._decoding.converter import decode
from rmz_async.models import PaymentMethod, SubscriptionProduct
from rmz_async.models._model import OWN_FIELDS, model
from tests.unit.payloads import FULL

MODELS = sorted(Model.__subclasses__(), key=lambda model: model.__name__)

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@model(kw_only=True)
class Cash(PaymentMethod):
    """Another model with the same fields."""


def test_equal_models_have_one_hash() -> None:
    """Equal fields make equal models, with one hash."""
    assert Price(amount=Decimal("49.0")) == Price(amount=Decimal(49))
    assert hash(Price(amount=Decimal("49.0"))) == hash(Price(amount=Decimal(49)))


@pytest.mark.parametrize(
    "other",
    [
        Price(amount=Decimal(48)),
        Price(amount=Decimal(49), currency="SAR"),
        Price(amount=Decimal(49), extra=JSONObject({"vat": 1})),
    ],
)
def test_models_with_a_differing_field_are_not_equal(other: Price) -> None:
    """A field that differs is enough, the unknown keys included, and the hash shows it too."""
    assert Price(amount=Decimal(49)) != other
    assert hash(Price(amount=Decimal(49))) != hash(other)


def test_models_of_another_class_are_not_equal() -> None:
    """The same values in another class, be it derived, are another object."""
    assert Customer(id=1) != cast("object", SubscriptionProduct(id=1))
    assert PaymentMethod() != Cash()
    assert Cash() != PaymentMethod()


def test_equality_with_another_kind_is_left_to_it() -> None:
    """An object of another kind may still say that it equals a model."""
    assert Customer(id=1) != cast("object", 1)
    assert Customer(id=1) == ANY
    assert Customer(id=1).__eq__(1) is NotImplemented


def test_undocumented_values_are_left_out_of_the_hash() -> None:
    """Undocumented values count for equality and not for the hash: they may be lists."""
    one, other = (Subscription(id=1, status="active", features=[text]) for text in "ab")

    assert one != other
    assert hash(one) == hash(other)


def test_a_models_repr_shows_its_fields_in_order() -> None:
    """Each field by name, in order, without the unknown keys."""
    assert repr(Price(amount=Decimal("1.50"), currency="SAR", extra=JSONObject({"vat": 1}))) == (
        "Price(amount=Decimal('1.50'), currency='SAR', formatted=None)"
    )


def test_a_repr_leaves_secrets_out() -> None:
    """A field that must not be shown is left out."""
    assert repr(PortalSession(url="https://billing.rmz.gg/s/x")) == "PortalSession(expires_at=None)"


@pytest.mark.parametrize("kind", FULL, ids=lambda kind: kind.__name__)
def test_no_repr_shows_personal_data_or_goods(kind: type[Model]) -> None:
    """A repr lands in logs: it has no address, number, code, bank data or checkout."""
    shown = repr(decode(FULL[kind], kind))

    for secret in (
        "sara@",
        "99887766",
        "Omar",
        "C0DE",
        "IBAN",
        "/checkout/",
        "pay.rmz.gg",
        "T0KEN",
    ):
        assert secret not in shown


def test_a_customer_of_the_callers_own_is_not_shown_either() -> None:
    """A caller logs what it passes in."""
    customer = NewCustomer(
        country_code="966", phone="512345678", first_name="Sara", last_name="Omar", email="s@o.kw"
    )

    assert repr(customer) == "NewCustomer(country_code='966')"
    assert "512345678" not in repr(PhoneNumber(country_code="966", phone="512345678"))


@every_model
def test_the_methods_stand_once(model: type[Model]) -> None:
    """No model has its own: each would be compiled whenever the package is imported."""
    assert not {"__eq__", "__ne__", "__hash__", "__repr__"} & set(vars(model))


@every_model
def test_models_have_no_rules_or_defaults_of_their_own(model: type[Model]) -> None:
    """Decoding fills the fields itself: a model has no other rules, and no default but None.

    A flag that RMZ does not send is False.
    """
    assert not hasattr(model, "__attrs_post_init__")
    for field in attrs.fields(model):
        assert field.validator is None
        assert field.converter is None
        assert field.name in OWN_FIELDS or field.default in (None, False, attrs.NOTHING)


@every_model
def test_the_types_of_fields_are_known_when_the_class_is_made(model: type[Model]) -> None:
    """A name that is looked up later may mean another class by then, as in a frozen clock's."""
    assert not [field.name for field in attrs.fields(model) if isinstance(field.type, str)]


def test_these_are_models() -> None:
    """The list that is walked above is not empty."""
    assert {Subscription, Event} <= set(MODELS)
