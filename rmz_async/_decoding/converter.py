"""Plain data to models, and the only importer of cattrs.

What one value means is decided in :mod:`rmz_async._decoding.values`. What is refused is refused
with its path, and no message shows a value: an answer may hold personal data.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin

import attrs

from rmz_async._decoding import values as _values
from rmz_async.models._json_object import EMPTY, JSON, JSONObject
from rmz_async.models._model import WIRE_NAMES, Model
from rmz_async.pagination import Page

if TYPE_CHECKING:
    from cattrs import BaseValidationError

T = TypeVar("T")
Structure = Callable[[Any], Any]
ModelHook = Callable[[Any], Structure]


def decode(data: object, into: type[T]) -> T:
    """Return *data*, parsed JSON, as an object of the class *into*.

    Raises:
        ValueError: It is not of the documented shape. The message names each path and rule.
    """
    try:
        found: T = _structure(into)(data)  # type: ignore[arg-type] # every class is hashable
    except Exception:  # noqa: BLE001 - whatever went wrong, the careful converter says where
        return _decode_carefully(data, into)
    return found


def from_dict(model: type[T], data: Mapping[str, Any]) -> T:
    """Return the model that :meth:`Model.to_dict <rmz_async.Model.to_dict>` made *data* of.

    Args:
        model: The model's class, for example ``Subscription``. ``CreatedOrder`` is none: give the
            one of its three that it was.
        data: What ``to_dict()`` or ``json.loads`` returned.

    Raises:
        ValueError: It is not such a model's data. The message names each path and rule.
    """
    # A caller without a type checker passes what json.loads has returned.
    is_mapping = isinstance(cast("object", data), Mapping)
    return decode(_with_decimals(dict(data)) if is_mapping else data, model)


@functools.cache
def _structure(into: type[Any]) -> Structure:
    return _hook(into, _model_hook)


def _decode_carefully(data: object, into: type[T]) -> T:
    # Only where something is wrong: its import would be a tenth of that of the whole client.
    from cattrs import transform_error

    try:
        return cast("T", _hook(into, _careful_model_hook)(data))
    except Exception as error:  # noqa: BLE001 - cattrs' errors share no narrower class
        lines = transform_error(error, path="data", format_exception=_reason)
        raise ValueError("; ".join(lines)) from None


def _reason(error: BaseException, _: type | None) -> str:
    if isinstance(error, KeyError):
        return "required field missing"
    # These show no value.
    is_ours = isinstance(error, _values.WrongValueError)
    return str(error) if is_ours else "not of the documented shape"


def _created_order(model_hook: ModelHook) -> Structure:
    from rmz_async.models.new_orders import CompletedOrder, DuplicateOrder, PendingOrder

    pending, completed, duplicate = map(model_hook, (PendingOrder, CompletedOrder, DuplicateOrder))

    def structure(value: JSON) -> Any:
        if type(value) is not dict:
            raise _values.WrongValueError("expected an object")
        if value.get("duplicate") in (True, "1"):
            return duplicate(value)
        # What has an address to pay at is to be paid, whatever else RMZ says of it.
        free = value.get("checkout_url") is None and value.get("order_id") is not None
        return completed(value) if free else pending(value)

    return structure


def _perhaps_empty(inner: Structure) -> Structure:
    # PHP writes an empty associative array as a list.
    return lambda value: inner(value) if value or type(value) is not list else None


def _sequence(wanted: Any, model_hook: ModelHook) -> Structure:
    inner = _hook(wanted, model_hook)
    if model_hook is _careful_model_hook:
        return _careful_sequence(inner)
    return lambda value: tuple([inner(item) for item in _values.listed(value)])


def _careful_sequence(inner: Structure) -> Structure:
    from cattrs import IterableValidationError
    from cattrs.errors import IterableValidationNote

    def structure(value: JSON) -> tuple[Any, ...]:
        items: list[Any] = []
        for index, item in enumerate(_values.listed(value)):
            try:
                items.append(inner(item))
            except Exception as error:  # noqa: BLE001 - cattrs' errors share no narrower class
                # The first one tells enough: an answer has room for many thousands.
                note = IterableValidationNote("", index, None)
                raise _grouped(IterableValidationError, error, note) from None
        return tuple(items)

    return structure


def _grouped(group: type[BaseValidationError], error: Exception, note: str) -> Exception:
    error.add_note(note)
    return group("", [error], tuple)  # pyright: ignore[reportCallIssue] # of __new__ and __init__ it takes the wrong one


@functools.cache
def _model_hook(cls: type[Model]) -> Structure:
    """Write the code that one would write by hand, as attrs does for a constructor.

    The constructor of a frozen class would take as long as all the rest, and a loop over the fields
    half as long again.
    """
    # What it makes can be assigned to, and becomes a frozen model at the end.
    open_class = type(
        cls.__name__,
        (cls,),
        {
            "__slots__": (),
            "__setattr__": object.__setattr__,
            # Python assigns in the fast way only where both are its own.
            "__delattr__": object.__delattr__,
        },
    )
    known: dict[str, Any] = {"new": object.__new__, "open_class": open_class, "frozen_class": cls}
    known |= {"JSONObject": JSONObject, "EMPTY": EMPTY, "wrong": _values.WrongValueError}
    take: list[str] = []
    fill: list[str] = []
    for field in _fields(cls):
        name = field.name
        known[f"read_{name}"] = _hook(field.type, _model_hook)
        take.append(f"{name}_ = pop({_wire_name(cls, field)!r}, None)")
        enum = _enum_of(field.type)
        if enum is not None:
            known[f"member_{name}"] = enum._value2member_map_.get
        take.append(f"if {_is_to_read(field)}: {name}_ = {_reading(field)}")
        fill.append(f"model.{name} = {name}_")
    lines = (
        "def structure(value):",
        "if type(value) is not dict: raise wrong('expected an object')",
        "rest = value.copy()",
        "pop = rest.pop",
        *take,
        # Made last, so that no traceback of a hook shows a model that is half empty.
        "model = new(open_class)",
        *fill,
        "model.extra = JSONObject(rest) if rest else EMPTY",
        "model.__class__ = frozen_class",
        "return model",
    )
    exec("\n    ".join(lines), known)  # noqa: S102 - of our own names alone
    return cast("Structure", known["structure"])


def _is_to_read(field: attrs.Attribute[Any]) -> str:
    """Return the condition under which a field's value is not kept as it came."""
    unchanged = _UNCHANGED.get(_without_none(field.type))
    tests = ["True"] if unchanged is None else [f"type({field.name}_) is not {unchanged.__name__}"]
    # A key that is missing is null here.
    return " and ".join([f"{field.name}_ is not None", *tests] if _may_miss(field) else tests)


def _reading(field: attrs.Attribute[Any]) -> str:
    """Return the expression that reads a field; the forms that RMZ writes cost no call."""
    value, read = f"{field.name}_", f"read_{field.name}({field.name}_)"
    enum = _enum_of(field.type)
    if enum is not None and issubclass(enum, str):
        return f"member_{field.name}({value}, {value}) if type({value}) is str else {read}"
    if _without_none(field.type) == Mapping[str, Any]:
        return f"JSONObject({value}) if type({value}) is dict else {read}"
    return read


def _may_miss(field: attrs.Attribute[Any]) -> bool:
    return field.default is None


@functools.cache
def _careful_model_hook(cls: type[Model]) -> Structure:
    """Do the same with the code that cattrs writes, which notes the path of each error."""
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, override

    fields = _fields(cls)
    known = {_wire_name(cls, field) for field in fields}
    # The hooks are given by name, as cattrs would ask its own for int, str and bool before ours.
    overrides = {
        field.name: override(rename=_wire_name(cls, field), struct_hook=_careful_hook(field))
        for field in fields
    }
    # A key that RMZ calls "extra" is an unknown key like any other.
    overrides["extra"] = override(omit=True)
    inner = make_dict_structure_fn(cls, Converter(), **overrides)  # type: ignore[arg-type] # options and overrides share **kwargs

    def structure(value: JSON) -> Any:
        if type(value) is not dict:
            raise _values.WrongValueError("expected an object")
        extra = {key: item for key, item in value.items() if key not in known}
        return attrs.evolve(cast("Any", inner(value, cls)), extra=JSONObject(extra))

    return structure


def _careful_hook(field: attrs.Attribute[Any]) -> Callable[[Any, Any], Any]:
    hook, optional = _hook(field.type, _careful_model_hook), _may_miss(field)
    return lambda value, _: None if optional and value is None else hook(value)


def _fields(cls: type[Model]) -> list[attrs.Attribute[Any]]:
    return [field for field in attrs.fields(cls) if field.name != "extra"]


def _wire_name(cls: type[Model], field: attrs.Attribute[Any]) -> str:
    return WIRE_NAMES.get(cls.__name__, {}).get(field.name, field.name)


def _page_hook(wanted: Any, model_hook: ModelHook) -> Structure:
    read = _placed if model_hook is _careful_model_hook else _as_it_is
    items = read("data", _sequence(get_args(wanted)[0], model_hook))
    number = read("current_page", _values.integer)
    size = read("per_page", _values.integer)

    def structure(value: JSON) -> Any:
        if type(value) is not dict:
            raise _values.WrongValueError("expected an object")
        per_page = value.get("per_page")
        return Page(
            number=number(value.get("current_page")),
            items=items(value.get("data")),
            # Only ever tested for null: the address itself may point anywhere.
            has_next=value.get("next_page_url") is not None,
            per_page=None if per_page is None else size(per_page),
        )

    return structure


def _as_it_is(_: str, hook: Structure) -> Structure:
    return hook


def _placed(key: str, hook: Structure) -> Structure:
    from cattrs import ClassValidationError
    from cattrs.errors import AttributeValidationNote

    def structure(value: JSON) -> Any:
        try:
            return hook(value)
        except Exception as error:  # noqa: BLE001 - cattrs' errors share no narrower class
            note = AttributeValidationNote("", key, None)
            raise _grouped(ClassValidationError, error, note) from None

    return structure


def _with_decimals(value: JSON) -> JSON:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _with_decimals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_decimals(item) for item in value]
    return value


def _anything(value: Any) -> Any:
    return value


# By identity: a hook registered for a class would also catch its subclasses, and so each str enum.
_EXACT: Mapping[Any, Structure] = {
    Any: _anything,
    int: _values.integer,
    bool: _values.boolean,
    str: _values.text,
    Decimal: _values.money,
    datetime: _values.time,
    Mapping[str, Any]: _values.json_object,
    types.NoneType: _values.nothing,
}

_UNCHANGED: Mapping[Any, type] = {int: int, bool: bool, str: str}


def _without_none(wanted: Any) -> Any:
    members = [member for member in get_args(wanted) if member is not types.NoneType]
    return members[0] if len(members) == 1 else wanted


def _enum_of(wanted: Any) -> type[Enum] | None:
    for member in get_args(wanted):
        if isinstance(member, type) and issubclass(member, Enum):
            return member
    return None


def _is_model(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, Model)


def _hook(wanted: Any, model_hook: ModelHook) -> Structure:
    """Return what reads a value of this type; null, where it is allowed, is not for it."""
    if wanted in _EXACT:
        return _EXACT[wanted]
    if _is_model(wanted):
        return model_hook(wanted)
    if get_origin(wanted) is Page:
        return _page_hook(wanted, model_hook)
    if get_origin(wanted) is tuple:
        return _sequence(get_args(wanted)[0], model_hook)
    members = set(get_args(wanted)) - {types.NoneType}
    if "PendingOrder" in {getattr(member, "__name__", "") for member in members}:
        return _created_order(model_hook)
    if members >= {date, datetime}:
        return _values.date_or_time
    enum = _enum_of(wanted)
    if enum is not None:
        return _values.open_enum(cast("Mapping[Any, Enum]", enum._value2member_map_))
    (only,) = members
    inner = _hook(only, model_hook)
    return _perhaps_empty(inner) if _is_model(only) else inner
