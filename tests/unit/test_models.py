"""Rules that hold for every model, walked over all of them."""

from __future__ import annotations

import ast
import copy
import inspect
import itertools
import json
import pickle
import textwrap
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import attrs
import pytest

import rmz_async
from rmz_async import Model, from_dict, models
from rmz_async._decoding.converter import decode
from rmz_async.models._model import WIRE_NAMES
from tests.unit.payloads import FULL, SUBSCRIPTION

every_model = pytest.mark.parametrize("model", FULL, ids=lambda model: model.__name__)


def complete(model: type[Model]) -> Model:
    """An object of which no field is empty."""
    return decode(FULL[model], model)


def test_every_model_is_tested() -> None:
    """A model that is added is added here as well."""
    public = {
        value
        for value in (getattr(rmz_async, name) for name in rmz_async.__all__)
        if isinstance(value, type) and issubclass(value, Model)
    }

    assert set(FULL) == public - {Model}


@every_model
def test_the_examples_fill_every_field(model: type[Model]) -> None:
    """The tests below say nothing about a field that is empty."""
    found = complete(model)
    empty = {
        field.name for field in attrs.fields(model) if getattr(found, field.name) in (None, {}, ())
    }
    # Values that cannot be read have tests of their own.
    empty -= {"unreadable"}

    assert empty <= {"external_customer_id", "metadata"} & {
        key for key, value in FULL[model].items() if not value
    }


TRAVELS: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))  # noqa: S301 - our own bytes
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ),
]


@every_model
@pytest.mark.parametrize("travel", TRAVELS)
def test_models_survive_a_queue(model: type[Model], travel: Callable[[Any], Any]) -> None:
    """A copy and a pickle are equal to what they were made of."""
    found = complete(model)
    twin = travel(found)

    assert type(twin) is model
    assert twin == found
    assert twin.extra == found.extra
    assert hash(twin) == hash(found)


def types_of(value: object) -> object:
    """The types of an object's fields, as deep as it has some."""
    if isinstance(value, Model):
        return {
            field.name: types_of(getattr(value, field.name)) for field in attrs.fields(type(value))
        }
    return type(value)


@every_model
def test_models_survive_json(model: type[Model]) -> None:
    """Through ``to_dict``, JSON and ``from_dict`` nothing is lost, not even a type."""
    found = complete(model)
    twin = from_dict(model, json.loads(json.dumps(found.to_dict())))

    assert twin == found
    assert types_of(twin) == types_of(found)


@every_model
def test_models_survive_a_dict(model: type[Model]) -> None:
    """Without JSON in between as well, and a second time."""
    found = complete(model)
    plain = found.to_dict()

    assert from_dict(model, plain) == found
    assert from_dict(model, plain).to_dict() == plain


@every_model
def test_wire_names_come_back(model: type[Model]) -> None:
    """``to_dict`` uses RMZ's names, and every key that came is there."""
    assert set(complete(model).to_dict()) >= set(FULL[model])


@every_model
def test_models_are_frozen(model: type[Model]) -> None:
    """No field of a model can be set, and none added."""
    found = complete(model)

    for field in attrs.fields(model):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(found, field.name, None)
    with pytest.raises(AttributeError):
        found.new = 1  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] # the very mistake


@every_model
def test_models_are_hashable(model: type[Model]) -> None:
    """Equal objects are one member of a set, whatever they hold."""
    assert isinstance(complete(model), Hashable)
    assert len({complete(model), complete(model)}) == 1


@every_model
def test_models_are_made_by_name(model: type[Model]) -> None:
    """Fields are added over time, and so none has a place."""
    with pytest.raises(TypeError):
        model(1)  # type: ignore[call-arg,arg-type] # pyright: ignore[reportCallIssue] # the very mistake


@every_model
def test_every_field_is_documented_where_it_stands(model: type[Model]) -> None:
    """An editor shows the string below a field when the mouse points at the field."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(node, ast.ClassDef)
    documented = {
        ast.unparse(field.target)
        for field, below in itertools.pairwise(node.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
    }
    inherited = {field.name for field in attrs.fields(model) if field.inherited}

    assert {field.name for field in attrs.fields(model)} - inherited <= documented


@every_model
def test_unknown_keys_are_not_in_the_repr(model: type[Model]) -> None:
    """Keys that RMZ adds may be personal, and a repr lands in logs."""
    assert "extra" not in repr(complete(model))


def test_objects_that_differ_are_not_equal() -> None:
    """Unknown keys and undocumented values count."""
    found = decode(SUBSCRIPTION, models.Subscription)

    assert found != decode({**SUBSCRIPTION, "color": "blue"}, models.Subscription)
    assert found != decode({**SUBSCRIPTION, "features": []}, models.Subscription)


def test_objects_of_other_classes_are_not_equal() -> None:
    """A customer is no product, though both have the same fields set."""
    assert models.Customer(id=1) != cast("object", models.SubscriptionProduct(id=1))
    assert models.Customer(id=1) != cast("object", {"id": 1})


def test_a_repr_names_the_class_and_its_fields() -> None:
    """A model shows how it could be made."""
    found = models.PaymentMethod(last_four="4242")

    assert repr(found) == "PaymentMethod(last_four='4242', scheme=None)"


def test_a_portal_sessions_address_is_not_shown() -> None:
    """Anyone who has the address is half way into a customer's account."""
    assert "T0KEN" not in repr(complete(models.PortalSession))


def test_wire_names_are_of_real_fields() -> None:
    """A row of the table of names that fits no field would do nothing."""
    for name, fields in WIRE_NAMES.items():
        model = getattr(models, name)
        assert set(fields) <= {field.name for field in attrs.fields(model)}


def test_the_forms_that_to_dict_writes() -> None:
    """Money is an exact string, times and dates are ISO 8601 in UTC, and lists are lists."""
    plain = decode(SUBSCRIPTION, models.Subscription).to_dict()

    assert plain["price"]["amount"] == "199.90"
    assert plain["trial_ends_at"] == "2025-12-31T18:00:00Z"
    assert plain["paused_at"] == "2026-01-05T00:00:00.000001Z"
    assert plain["ends_at"] == "2026-12-31T00:00:00Z"
    assert plain["end_date"] == "2026-12-31T00:00:00Z"
    assert type(plain["status"]) is str
    assert plain["scheduled_variant"]["duration"] == "weekly"
    assert plain["cancel_at_period_end"] is False
    assert plain["customer"]["firstName"] == "Sara"
    assert "first_name" not in plain["customer"]
    assert plain["metadata"] == {"plan": "pro", "limits": [1, {"n": 0.5}]}
    assert plain["features"] == ["a", {"b": 1.25}]
    assert plain["color"] == {"deep": [1, 2.5, None]}
    assert plain["extra"] == "a key like any other"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("0.1", 0.1),
        ("99.00", 99.0),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("1E+400", "1E+400"),
        ("9007199254740993.5", "9007199254740993.5"),
    ],
)
def test_unknown_numbers_keep_their_digits(written: str, plain: object) -> None:
    """An unknown number stays one if a float has its digits, and else becomes a string."""
    found = models.Price(amount=Decimal(1), extra={"n": Decimal(written)}).to_dict()["n"]

    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize("written", ["12.0", "0.5", "9007199254740993.5"])
def test_a_number_of_no_documented_shape_stays_one(written: str) -> None:
    """A number that no money is comes back from JSON as what it was, as it does in ``extra``."""
    number = Decimal(written)
    found = models.Subscription(id=1, status="active", features=number, extra={"n": number})

    plain = json.loads(json.dumps(found.to_dict()))

    assert type(plain["features"]) is type(plain["n"])
    assert from_dict(models.Subscription, plain).features == plain["n"]


def test_to_dict_gives_new_data() -> None:
    """Changing what ``to_dict`` gave changes no model."""
    found = decode(SUBSCRIPTION, models.Subscription)

    found.to_dict()["metadata"]["limits"].append("changed")
    found.to_dict()["color"]["deep"].append("changed")

    assert found == decode(SUBSCRIPTION, models.Subscription)


def test_a_caller_may_build_models_from_plain_values() -> None:
    """A caller's tests may build models from plain values."""
    found = models.Subscription(
        id=1,
        status="active",
        metadata={"plan": "pro"},
        ends_at=datetime(2026, 1, 1, tzinfo=UTC),
        current_period_end=datetime(2026, 1, 1, tzinfo=UTC),
    )

    assert from_dict(models.Subscription, found.to_dict()) == found
