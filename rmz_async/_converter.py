"""Plain data to models: the only importer of cattrs, and the home of every quirk of the wire.

What PHP and MySQL make of a value is accepted where it can mean one thing only; anything else is
refused with its path. No message shows a value: an answer may hold personal data.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, TypeVar, Union, cast, get_args, get_origin

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn, override

from rmz_async._json import JSON
from rmz_async.models._model import EMPTY, JSONObject, Model
from rmz_async.models._wire_names import WIRE_NAMES
from rmz_async.pagination import Page

T = TypeVar("T")
Structure = Callable[[Any, Any], Any]

# ASCII only: int() and Decimal() would read Arabic digits, which stand in labels alone.
_INTEGER = re.compile(r"-?[0-9]{1,19}")
# Whatever Decimal writes can be read again: PHP writes tiny and huge numbers with an exponent.
_AMOUNT = re.compile(r"-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]{1,18})?", re.IGNORECASE)


def decode(data: object, into: type[T]) -> T:
    """Return *data*, parsed JSON, as an object of the class *into*.

    Raises:
        ValueError: It is not of the documented shape. The message names each path and rule.
    """
    try:
        return cast("T", _FAST.get_structure_hook(into)(data, into))
    except Exception:  # noqa: BLE001 - whatever went wrong, the careful converter says where
        return _decode_carefully(data, into)


def from_dict(model: type[T], data: Mapping[str, Any]) -> T:
    """Return the model that :meth:`Model.to_dict <rmz_async.models.Model.to_dict>` made *data* of.

    Args:
        model: The model's class, for example ``Subscription``.
        data: What ``to_dict()`` or ``json.loads`` returned.

    Raises:
        ValueError: It is not such a model's data. The message names each path and rule.
    """
    return decode(_with_decimals(dict(data)), model)


def _decode_carefully(data: object, into: type[T]) -> T:
    try:
        return _CAREFUL.structure(data, into)
    except Exception as error:  # noqa: BLE001 - cattrs' errors share no narrower class
        lines = transform_error(error, path="data", format_exception=_reason)
        raise ValueError("; ".join(lines)) from None


def _reason(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return "required field missing"
    # Only the hooks below raise these, and they show no value.
    return str(error) if isinstance(error, _WrongValueError) else "not of the documented shape"


class _WrongValueError(ValueError):
    """A hook refused a value; the text does not show it."""


def _integer(value: Any, _: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise _WrongValueError("expected an integer")


def _boolean(value: Any, _: Any) -> bool:
    if type(value) is bool:
        return value
    if value in (0, 1, "0", "1"):
        return value in (1, "1")
    raise _WrongValueError("expected true or false")


def _text(value: Any, _: Any) -> str:
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    raise _WrongValueError("expected a text")


def _money(value: Any, _: Any) -> Decimal:
    if type(value) is int or (type(value) is Decimal and value.is_finite()):
        return Decimal(value)
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return Decimal(value)
    raise _WrongValueError("expected an amount")


def _time(value: Any, _: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _WrongValueError("expected a time") from None
    # What has no offset is UTC.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _date_or_time(value: Any, _: Any) -> date:
    if isinstance(value, str) and len(value) == len("2024-01-01"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _WrongValueError("expected a date") from None
    return _time(value, None)


def _json_object(value: JSON, _: Any) -> JSONObject:
    # PHP writes an empty associative array as a list.
    if value == []:
        return EMPTY
    if isinstance(value, dict):
        return JSONObject(value)
    raise _WrongValueError("expected an object")


def _open_enum(members: Mapping[Any, Enum]) -> Structure:
    def structure(value: Any, _: Any) -> Any:
        # An unhashable value cannot be looked up, and is not a text either.
        if type(value) is str:
            return members.get(value, value)
        raise _WrongValueError("expected a text")

    return structure


def _optional(inner: Structure) -> Structure:
    def structure(value: Any, wanted: Any) -> Any:
        return None if value is None else inner(value, wanted)

    return structure


def _optional_model(inner: Structure) -> Structure:
    def structure(value: Any, wanted: Any) -> Any:
        # PHP writes an empty associative array as a list.
        return None if value is None or value == [] else inner(value, wanted)

    return structure


def _sequence(inner: Structure) -> Structure:
    def structure(value: JSON, _: Any) -> tuple[Any, ...]:
        if isinstance(value, dict):
            # PHP writes a list with a gap in its keys as an object.
            value = list(value.values())
        if not isinstance(value, list):
            raise _WrongValueError("expected a list")
        return tuple([inner(item, None) for item in value])

    return structure


def _union_hook(wanted: Any, converter: Converter) -> Structure:
    members = set(get_args(wanted))
    enums = [member for member in members if isinstance(member, type) and issubclass(member, Enum)]
    if enums:
        inner = _open_enum(cast("Mapping[Any, Enum]", enums[0]._value2member_map_))
    elif members >= {date, datetime}:
        inner = _date_or_time
    else:
        (only,) = members - {types.NoneType}
        inner = _hook(only, converter)
        if _is_model(only):
            return _optional_model(inner)
    return _optional(inner) if types.NoneType in members else inner


def _model_hook(cls: type[Model], converter: Converter) -> Structure:
    """Walk the keys that came, once: most of their values need no conversion."""
    names = WIRE_NAMES.get(cls.__name__, {})
    fields = attrs.fields(attrs.resolve_types(cls))
    plan = {
        names.get(field.name, field.name): (
            field.name,
            _UNCHANGED.get(_without_none(field.type)),
            _hook(field.type, converter),
        )
        for field in fields
        if field.name != "extra"
    }

    def structure(value: JSON, _: Any) -> Any:
        if type(value) is not dict:
            raise _WrongValueError("expected an object")
        known: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, item in value.items():
            field = plan.get(key)
            if field is None:
                extra[key] = item
                continue
            name, unchanged, hook = field
            known[name] = item if type(item) is unchanged else hook(item, None)
        return cls(**known, extra=JSONObject(extra)) if extra else cls(**known)

    return structure


def _careful_model_hook(cls: type[Model], converter: Converter) -> Structure:
    """Do the same with the code that cattrs writes, which notes the path of each error."""
    names = WIRE_NAMES.get(cls.__name__, {})
    fields = [field for field in attrs.fields(attrs.resolve_types(cls)) if field.name != "extra"]
    known = {names.get(field.name, field.name) for field in fields}
    # The hooks are given by name, as cattrs would ask its own for int, str and bool before ours.
    overrides = {
        field.name: override(
            rename=names.get(field.name, field.name), struct_hook=_hook(field.type, converter)
        )
        for field in fields
    }
    # A key that RMZ calls "extra" is an unknown key like any other.
    overrides["extra"] = override(omit=True)
    inner = make_dict_structure_fn(cls, converter, **overrides)  # type: ignore[arg-type] # options and overrides share **kwargs

    def structure(value: JSON, _: Any) -> Any:
        if type(value) is not dict:
            raise _WrongValueError("expected an object")
        model = inner(value, cls)
        extra = {key: item for key, item in value.items() if key not in known}
        return attrs.evolve(model, extra=JSONObject(extra))

    return structure


def _page_hook(wanted: Any, converter: Converter) -> Structure:
    items = _sequence(_hook(get_args(wanted)[0], converter))

    def structure(value: JSON, _: Any) -> Any:
        if type(value) is not dict:
            raise _WrongValueError("expected an object")
        per_page = value.get("per_page")
        return Page(
            number=_integer(value.get("current_page"), int),
            items=items(value.get("data"), None),
            # Only ever tested for null: the address itself may point anywhere.
            has_next=value.get("next_page_url") is not None,
            per_page=None if per_page is None else _integer(per_page, int),
        )

    return structure


def _with_decimals(value: JSON) -> JSON:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _with_decimals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_decimals(item) for item in value]
    return value


def _anything(value: Any, _: Any) -> Any:
    return value


# By identity: a hook registered for a class would also catch its subclasses, and so each str enum.
_EXACT: Mapping[Any, Structure] = {
    Any: _anything,
    int: _integer,
    bool: _boolean,
    str: _text,
    Decimal: _money,
    datetime: _time,
    Mapping[str, Any]: _json_object,
}

_UNCHANGED: Mapping[Any, type] = {int: int, bool: bool, str: str}


def _without_none(wanted: Any) -> Any:
    members = [member for member in get_args(wanted) if member is not types.NoneType]
    return members[0] if len(members) == 1 else wanted


def _is_model(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, Model)


def _is_page(wanted: Any) -> bool:
    return get_origin(wanted) is Page


def _hook(wanted: Any, converter: Converter) -> Structure:
    if wanted in _EXACT:
        return _EXACT[wanted]
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _union_hook(wanted, converter)
    if origin is tuple:
        return _sequence(_hook(get_args(wanted)[0], converter))
    return converter.get_structure_hook(wanted)


def _build(*, careful: bool) -> Converter:
    converter = Converter(detailed_validation=careful)
    model_hook = _careful_model_hook if careful else _model_hook
    converter.register_structure_hook_factory(_is_model, partial(model_hook, converter=converter))
    converter.register_structure_hook_factory(_is_page, partial(_page_hook, converter=converter))
    return converter


_FAST = _build(careful=False)
_CAREFUL = _build(careful=True)
