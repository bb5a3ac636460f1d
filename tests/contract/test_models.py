"""The models and the schemas of the same names, held against each other field by field."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any

import attrs
import pytest

from rmz_async import models, webhooks
from rmz_async.models._model import OWN_FIELDS, WIRE_NAMES
from rmz_async.sandbox.serving.reference import contract

SCHEMAS: Mapping[str, Mapping[str, Any]] = contract()["components"]["schemas"]

# An object that a caller passes in may have other fields than a body: test_requests walks those.
PLAIN = {
    *("JSONObject", "Model", "OrderLine", "CreatedOrder", "ProductKind"),
    *("CodeStock", "Course", "FieldOption", "LicenseTerms", "NewVariant", "SelectField"),
    *("SubscriptionPlans", "VariantFeature"),
}
CLASSES = {name: getattr(models, name) for name in models.__all__ if name not in PLAIN}
MODELS = {name: cls for name, cls in CLASSES.items() if attrs.has(cls)}
ENUMS = {
    **{name: cls for name, cls in CLASSES.items() if name not in MODELS},
    "EventType": webhooks.EventType,
}

# Schemas of bodies, of envelopes, and of parts of answers.
OTHERS = {
    "CancelRequest",
    "CheckoutSessionRequest",
    "CustomerId",
    "DuplicateOrderAnswer",
    "ExtendRequest",
    "FieldOption",
    "GeneralError",
    "InvalidFields",
    "InvalidProductFields",
    "LicenseConfig",
    "MediaReference",
    "NewCode",
    "NewVariant",
    "NoRoute",
    "OrderEvent",
    "OrderLine",
    "OrderRequest",
    "OrderUpdate",
    "OrderingCustomer",
    "Page",
    "ProductRequest",
    "ProductUpdate",
    "ProductWhenWritten",
    "SelectField",
    "PortalSessionRequest",
    "Refusal",
    "ServerError",
    "SubscriptionEvent",
    "Success",
    "TooManyRequests",
    "Unauthenticated",
    "VariantFeature",
}
VALUES = {
    "Amount": "number",
    # A date is read as its first moment, so that both have one type.
    "DateOrTime": "time",
    "DecimalText": "decimal",
    "Id": "integer",
    "JsonObject": "object",
    "Labels": "object",
    "Money": "number decimal",
    "NullableId": "integer null",
    "NullableJsonObject": "object null",
    "NullableMoney": "number decimal null",
    "NullableTime": "time null",
    "Time": "time",
}
# Narrower forms of a model, each for one kind of answer.
FORMS = ("InFull", "InList", "InLookup", "InWebhook")

PYTHON = {
    bool: {"boolean"},
    date: {"date"},
    datetime: {"time"},
    int: {"integer"},
    str: {"string"},
    type(None): {"null"},
}


def fields(model: type[Any]) -> list[attrs.Attribute[Any]]:
    """Return what a model has, but for the keys that it does not know."""
    return [field for field in attrs.fields(model) if field.name not in OWN_FIELDS]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_fields_of_its_schema(name: str) -> None:
    """Under the names that are written on the wire, none more and none less."""
    names = WIRE_NAMES.get(name, {})
    held = {names.get(field.name, field.name) for field in fields(MODELS[name])}
    assert held == set(SCHEMAS[name]["properties"])


@pytest.mark.parametrize("name", MODELS)
def test_a_model_demands_no_more_than_its_schema_promises(name: str) -> None:
    """A field without a default is decisive, and RMZ promises to send it."""
    names = WIRE_NAMES.get(name, {})
    demanded = {
        names.get(field.name, field.name)
        for field in fields(MODELS[name])
        if field.default is attrs.NOTHING
    }
    assert demanded <= set(SCHEMAS[name].get("required", ()))


@pytest.mark.parametrize(
    ("name", "field"),
    [(name, field.name) for name in MODELS for field in fields(MODELS[name])],
)
def test_a_field_takes_what_its_schema_allows(name: str, field: str) -> None:
    """Nothing that may come has no place in the model, and the model is no wider."""
    taken = _of_annotation(typing.get_type_hints(MODELS[name])[field])
    wire_name = WIRE_NAMES.get(name, {}).get(field, field)
    allowed = _of_schema(SCHEMAS[name]["properties"][wire_name])
    if (name, field) == ("Customer", "country_code"):
        # An integer in webhooks, and one type for the user.
        allowed -= {"integer"}
    if field == "country_code" and name in ("NewCustomer", "PhoneNumber"):
        # A caller may write it as an integer, which is sent as a string.
        taken -= {"integer"}
    if wire_name in SCHEMAS[name].get("required", ()):
        assert "null" not in allowed
    if "money" in taken:
        assert allowed & {"number", "decimal"}
        assert allowed <= {"number", "decimal", "null"}
    elif "anything" not in taken:
        assert allowed - {"null"} == taken - {"null"}


@pytest.mark.parametrize("name", ENUMS)
def test_an_enum_has_the_values_of_its_schema(name: str) -> None:
    """In the same order; and a value that is newer is allowed."""
    known, newer = SCHEMAS[name]["anyOf"]
    assert [member.value for member in ENUMS[name]] == known["enum"]
    assert "enum" not in newer
    assert newer["type"] == {str: "string", int: "integer"}[type(known["enum"][0])]


def test_every_schema_is_accounted_for() -> None:
    """A schema that is no model, form of one, value or request is a model that is missing."""
    forms = {name for name in SCHEMAS if name.endswith(FORMS)}
    assert {name.removesuffix(form) for name in forms for form in FORMS if name.endswith(form)} <= (
        set(MODELS)
    )
    assert set(SCHEMAS) == set(MODELS) | set(ENUMS) | set(VALUES) | OTHERS | forms


def _of_annotation(annotation: Any) -> set[str]:
    """Return what a field takes, in the words of `_of_schema`."""
    if annotation is Any:
        return {"anything"}
    if annotation is Decimal:
        return {"money"}
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, UnionType):
        words = set[str]().union(*map(_of_annotation, arguments))
        # Beside an enum, the plain type is for what is newer than the enum.
        enums = [kind for kind in arguments if isinstance(kind, type) and issubclass(kind, Enum)]
        return words - {"string", "integer"} if enums else words
    if origin is tuple:
        return {f"[{arguments[0].__name__}]"}
    if origin is not None:
        assert issubclass(origin, Mapping)
        return {"object"}
    return PYTHON.get(annotation) or {annotation.__name__}


def _of_schema(schema: Mapping[str, Any]) -> set[str]:
    """Return what a schema allows, in words: kinds of values and names of models."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return set(VALUES[name].split()) if name in VALUES else {name}
    if "anyOf" in schema:
        return set[str]().union(*map(_of_schema, schema["anyOf"]))
    kinds = schema.get("type", "anything")
    words = {kinds} if isinstance(kinds, str) else set(kinds)
    if words == {"array"}:
        (item,) = _of_schema(schema["items"])
        return {f"[{item}]"}
    return words
