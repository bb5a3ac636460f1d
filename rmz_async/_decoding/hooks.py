"""The hooks by which cattrs reads models. No other module imports cattrs.

A single function configures both converters, so that they have the same rules. The fast converter
stops at the first value that it cannot read. The explaining converter names the value's path, and
keeps the value if no decision depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

import attrs
from cattrs import ClassValidationError, Converter, IterableValidationError, transform_error
from cattrs.errors import IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from rmz_async._decoding import values
from rmz_async._decoding.values import WrongValueError
from rmz_async.models import CompletedOrder, CreatedOrder, DuplicateOrder, PendingOrder
from rmz_async.models._json_object import JSON, JSONObject
from rmz_async.models._model import OWN_FIELDS, Model, wire_names
from rmz_async.models.products import Product
from rmz_async.pagination import Page

Hook = Callable[[Any, Any], Any]

# An order was made, and these say which: RMZ leaves one of them out, and neither may be lost.
_DECISIVE_IF_SENT: Mapping[type[Model], set[str]] = {DuplicateOrder: {"checkout_id", "order_id"}}


def converter(*, explaining: bool) -> Converter:
    """Return a converter that has all hooks of this project."""
    made = Converter(detailed_validation=explaining)
    made.register_structure_hook_factory(_is_model, _model_hook)
    made.register_structure_hook_factory(_is_page, _page_hook)
    made.register_structure_hook_factory(_is_sequence, _sequence_hook)
    made.register_structure_hook_factory(_is_union, _union_hook)
    made.register_structure_hook_factory(lambda wanted: wanted == CreatedOrder, _created_hook)
    made.register_structure_hook_func(lambda wanted: wanted is Any, values.anything)
    made.register_structure_hook_func(lambda wanted: wanted is NoneType, values.nothing)
    made.register_structure_hook_func(
        lambda wanted: wanted == Mapping[str, Any], values.decisive(values.json_object, "an object")
    )
    # Subclasses would get these hooks too, but an enum stands in no field without its union.
    made.register_structure_hook(bool, values.decisive(values.boolean, "true or false"))
    made.register_structure_hook(Decimal, values.decisive(values.money, "an amount"))
    made.register_structure_hook(int, values.decisive(values.integer, "an integer"))
    made.register_structure_hook(str, values.address)
    return made


def explain(error: Exception) -> str:
    """Return each path and rule of an error; none of them shows a value."""
    return "; ".join(transform_error(error, path="data", format_exception=_rule))


def _rule(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return "required field missing"
    return str(error) if isinstance(error, WrongValueError) else "not of the documented shape"


# The answer to a product that is made or replaced has another name for its plans than a read one.
_OTHER_NAMES: Mapping[type[Model], Mapping[str, str]] = {
    Product: {"subscriptionVariants": "subscription_variants"}
}


def _is_model(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, Model)


def _model_hook(cls: Any, converter: Converter, *, is_optional: bool = False) -> Hook:
    names = wire_names(cls)
    overrides = {name: override(rename=key) for name, key in names.items()}
    # RMZ's own key called "extra" is an unknown key like any other.
    overrides |= {name: override(omit=True) for name in OWN_FIELDS}
    read = cast("Hook", _reader(cls, converter, overrides))
    known = frozenset(names.values())

    def structure(value: JSON, _: object) -> Any:
        if type(value) is not dict:
            # PHP writes an empty associative array as a list.
            if is_optional and (value is None or value == []):
                return None
            raise WrongValueError("expected an object")
        found = read(value, cls)
        if not known.issuperset(value):
            extra = {key: item for key, item in value.items() if key not in known}
            # A second object of the frozen class would cost as much as the first.
            object.__setattr__(found, "extra", JSONObject(extra))
        return found

    hook = _tolerant(cls, structure, names) if converter.detailed_validation else structure
    return _with_other_names(hook, _OTHER_NAMES[cls]) if cls in _OTHER_NAMES else hook


def _with_other_names(hook: Hook, usual: Mapping[str, str]) -> Hook:
    """Return a hook that also reads keys under the other names that some answers have."""

    def renaming(value: JSON, wanted: object) -> Any:
        if isinstance(value, dict) and not usual.keys().isdisjoint(value):
            # If both are there, the usual one counts, and the other is an unknown key.
            names = {key: name for key, name in usual.items() if name not in value}
            value = {names.get(key, key): item for key, item in value.items()}
        return hook(value, wanted)

    return renaming


def _reader(cls: Any, converter: Converter, overrides: Mapping[str, Any]) -> Any:
    options: dict[str, Any] = {"_cattrs_use_linecache": False, **overrides}
    return make_dict_structure_fn(cls, converter, **options)


def _tolerant(cls: Any, structure: Hook, names: Mapping[str, str]) -> Hook:
    """Return a hook that leaves out what cannot be read, and keeps it in ``unreadable``."""
    decisive = {field.name for field in attrs.fields(cls) if field.default is attrs.NOTHING}
    decisive |= _DECISIVE_IF_SENT.get(cls, set())

    def hook(value: JSON, wanted: object) -> Any:
        try:
            return structure(value, wanted)
        except ClassValidationError as error:
            notes = [note for _, note in error.group_exceptions()[0]]
            failed = {note.name for note in notes}
            for note in notes:
                note.name = names[note.name]
            if not failed or failed & decisive:
                raise
        given = cast("dict[str, JSON]", value)
        left_out = {names[name] for name in failed}
        found = structure({key: given[key] for key in given.keys() - left_out}, wanted)
        kept = {name: given[names[name]] for name in names if name in failed}
        object.__setattr__(found, "unreadable", JSONObject(kept))
        return found

    return hook


def _is_page(wanted: Any) -> bool:
    return get_origin(wanted) is Page


def _page_hook(wanted: Any, converter: Converter) -> Hook:
    names = {"number": "current_page", "items": "data", "has_next": "next_page_url"}
    hooks = {
        "number": values.decisive(values.integer, "an integer"),
        "items": converter.get_structure_hook(cast("Any", tuple)[get_args(wanted)[0], ...]),
        "has_next": values.next_page,
        "per_page": values.size,
    }
    overrides = {
        name: override(rename=names.get(name, name), struct_hook=hook)
        for name, hook in hooks.items()
    }
    read = _reader(wanted, converter, overrides)

    def structure(value: JSON, _: object) -> Any:
        if type(value) is not dict:
            raise WrongValueError("expected an object")
        try:
            page = read(value, Page)
        except ClassValidationError as error:
            for _, note in error.group_exceptions()[0]:
                note.name = names.get(note.name, note.name)
            raise
        # RMZ does not document `last_page`: if its value cannot be read, it counts as missing.
        last = values.size(value.get("last_page"))
        if not page.has_next and last is not None and last > page.number:
            raise WrongValueError("no page follows, and last_page names a later one")
        return page

    return structure


def _is_sequence(wanted: Any) -> bool:
    return get_origin(wanted) is tuple


def _sequence_hook(wanted: Any, converter: Converter) -> Hook:
    kind = get_args(wanted)[0]
    inner = converter.get_structure_hook(kind)
    if not converter.detailed_validation:
        return lambda value, _: tuple([inner(item, kind) for item in values.listed(value)])

    def structure(value: JSON, _: object) -> tuple[Any, ...]:
        found: list[Any] = []
        for index, item in enumerate(values.listed(value)):
            try:
                found.append(inner(item, kind))
            except Exception as error:  # noqa: BLE001 - cattrs' errors share no narrower class
                # The first fault is enough: an answer has room for many thousands.
                error.add_note(IterableValidationNote("", index, kind))
                raise IterableValidationError("", [error], tuple) from None  # pyright: ignore[reportCallIssue] # of __new__ and __init__ it takes the wrong one
        return tuple(found)

    return structure


def _is_union(wanted: Any) -> bool:
    return get_origin(wanted) in (Union, UnionType)


def _union_hook(wanted: Any, converter: Converter) -> Hook:
    """Read ``X | None``, and an open enum: a member, or the value beside it."""
    members = get_args(wanted)
    for kind in members:
        if isinstance(kind, type) and issubclass(kind, Enum):
            return values.open_enum(kind, is_decisive=NoneType not in members)
    (kind,) = (member for member in members if member is not NoneType)
    if _is_model(kind):
        return _model_hook(kind, converter, is_optional=True)
    if kind in values.READERS:
        return values.READERS[kind]
    inner = converter.get_structure_hook(kind)
    return lambda value, _: None if value is None else inner(value, kind)


def _created_hook(_: Any, converter: Converter) -> Hook:
    pending, completed, duplicate = (
        converter.get_structure_hook(kind)
        for kind in (PendingOrder, CompletedOrder, DuplicateOrder)
    )

    def structure(value: JSON, _: object) -> Any:
        if type(value) is not dict:
            raise WrongValueError("expected an object")
        if value.get("duplicate") in (True, "1"):
            return duplicate(value, DuplicateOrder)
        # An order with an address to pay at is to be paid, whatever else RMZ says of it.
        free = value.get("checkout_url") is None and value.get("order_id") is not None
        return completed(value, CompletedOrder) if free else pending(value, PendingOrder)

    return structure
