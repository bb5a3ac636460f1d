"""Turns what a snapshot holds into plain JSON values and back, strictly."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum, IntEnum, StrEnum
from functools import cache
from typing import Any, cast, get_args, get_origin, get_type_hints

from cattrs import Converter, transform_error
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.faults.faults import DeliveryFault, RequestFault
from rmz_async.sandbox.lifecycle.agenda import Agenda
from rmz_async.sandbox.store.choices import refusal_of
from rmz_async.sandbox.store.replica import Before
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.store.table import Table

__all__ = ("StructureError", "as_json", "converter", "row_types", "structured")

_NUMBER = "$decimal"


@cache
def row_types() -> dict[str, tuple[type, type[Any]]]:
    """Return the type of the keys and of the rows of each table, by the table's name."""
    hints = get_type_hints(Store)
    return {
        name: cast("tuple[type, type[Any]]", get_args(hint))
        for name, hint in hints.items()
        if get_origin(hint) is Table
    }


@cache
def converter() -> Converter:
    """Return the converter; it leaves out the fields that have their default."""
    made = Converter(forbid_extra_keys=True, omit_if_default=True)
    made.register_structure_hook(bool, _only(bool, "true or false"))
    made.register_structure_hook(str, _only(str, "a string"))
    made.register_structure_hook(int, _integer)
    # Registered after the hooks of str and int, which match these enums, too.
    made.register_structure_hook(StrEnum, _choice)
    made.register_structure_hook(IntEnum, _choice)
    made.register_structure_hook(float, _number)
    made.register_structure_hook(Decimal, _decimal)
    made.register_unstructure_hook(Decimal, str)
    made.register_structure_hook(datetime, _time)
    made.register_unstructure_hook(datetime, datetime.isoformat)
    made.register_structure_hook(bytes, _bytes)
    made.register_unstructure_hook(bytes, _written_bytes)
    made.register_structure_hook_func(_is_key, _key)
    made.register_structure_hook_func(lambda kind: kind == RequestFault | DeliveryFault, _fault)
    made.register_structure_hook_func(_is_anything, lambda value, _: _read_plain(value))
    made.register_unstructure_hook_func(_is_anything, _written_plain)
    made.register_structure_hook_func(_is_agenda, _agenda)
    made.register_unstructure_hook_func(_is_agenda, _written_agenda)
    made.register_structure_hook(Before, _before)
    made.register_unstructure_hook(Before, _written_before)
    # An application cannot be written to a file.
    without_app = override(omit=True)
    made.register_structure_hook(
        Webhook,
        make_dict_structure_fn(Webhook, made, _cattrs_forbid_extra_keys=True, app=without_app),
    )
    made.register_unstructure_hook(
        Webhook, make_dict_unstructure_fn(Webhook, made, app=without_app)
    )
    return made


class StructureError(ValueError):
    """A value breaks rules; *problems* has the place and the rule of each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems[0])
        self.problems = problems


def structured(value: object, kind: Any, path: str) -> Any:
    """Return *value*, which stands at *path*, as a *kind*.

    Raises:
        StructureError: The value breaks a rule.
    """
    try:
        return converter().structure(value, kind)
    except Exception as problem:  # noqa: BLE001 - the values raise whatever they like
        found = transform_error(problem, path=path, format_exception=_reason_of)
    places = (each.rpartition(" @ ") for each in found)
    raise StructureError([f"{place}: {reason}" for reason, _, place in places])


def _reason_of(problem: BaseException, _: type | None) -> str:
    match problem:
        case KeyError():
            return f"the field {problem.args[0]} is missing"
        case ForbiddenExtraKeysError():
            return f"unknown: {', '.join(sorted(problem.extra_fields))}"
        case AttributeError():
            # cattrs calls the methods of a dict on any value.
            return "must be an object"
        case _:
            # attrs puts the rule first, and the values that it was about behind it.
            return str(problem.args[0] if problem.args else problem)


def as_json(value: object) -> Any:
    """Return *value* as a file has it."""
    return value.value if isinstance(value, Enum) else converter().unstructure(value)


def _only(kind: type, name: str) -> Callable[[object, object], object]:
    def structure(value: object, _: object) -> object:
        if not isinstance(value, kind):
            raise ValueError(f"must be {name}, not {value!r}")
        return value

    return structure


def _integer(value: object, _: object) -> int:
    # A key of an object in JSON is a string.
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"must be an integer, not {value!r}")


def _number(value: object, _: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"must be a number, not {value!r}")


def _decimal(value: object, _: object) -> Decimal:
    # A float would have lost its digits already.
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f'must be an amount in quotes, such as "19.99", not {value!r}')
    try:
        amount = Decimal(value)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ValueError(f'must be an amount in quotes, such as "19.99", not {value!r}')
    return amount


def _time(value: object, _: object) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            f"must be a time with its zone, such as 2026-01-01T00:00:00Z, not {value!r}"
        )
    return moment.astimezone(UTC)


def _bytes(value: object, _: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    try:
        return base64.b64decode(cast("Mapping[str, str]", value)["base64"], validate=True)
    except (TypeError, KeyError, ValueError):
        raise ValueError("must be a string, or an object with the key base64") from None


def _written_bytes(value: bytes) -> object:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _is_key(kind: Any) -> bool:
    # None is for a key that may be left out. TOML has no null, so that it is never written.
    return bool(kind == int | str or kind == int | str | None)


def _key(value: object, _: object) -> int | str:
    if isinstance(value, int | str) and not isinstance(value, bool):
        return value
    raise ValueError(f"must be an integer or a string, not {value!r}")


def _choice(value: object, kind: type[Enum]) -> Enum:
    try:
        return kind(value)
    except ValueError:
        raise ValueError(refusal_of(value, kind)) from None


def _fault(value: object, _: object) -> RequestFault | DeliveryFault:
    for kind in (RequestFault, DeliveryFault):
        if value in list(kind):
            return kind(cast("str", value))
    raise ValueError(f"there is no fault {value!r}")


def _is_anything(kind: Any) -> bool:
    return kind is object or kind is Any


def _written_plain(value: object) -> object:
    """Return *value* as JSON has it, with a mark on each exact number."""
    match value:
        case Decimal():
            return {_NUMBER: str(value)}
        case Mapping():
            members = cast("Mapping[str, object]", value)
            return {key: _written_plain(member) for key, member in members.items()}
        case list() | tuple():
            return [_written_plain(member) for member in cast("tuple[object, ...]", value)]
        case _:
            return value


def _read_plain(value: object) -> object:
    match value:
        case {"$decimal": str(text)} if len(cast("Mapping[str, object]", value)) == 1:
            return _decimal(text, None)
        case dict():
            members = cast("dict[str, object]", value)
            return {key: _read_plain(member) for key, member in members.items()}
        case list():
            return [_read_plain(member) for member in cast("list[object]", value)]
        case _:
            return value


def _is_agenda(kind: Any) -> bool:
    return kind is Agenda or get_origin(kind) is Agenda


def _agenda(value: Any, kind: Any) -> Agenda[Any]:
    (key_type,) = get_args(kind)
    agenda: Agenda[Any] = Agenda()
    for due, key in value:
        agenda.put(converter().structure(key, key_type), _time(due, None))
    return agenda


def _written_agenda(agenda: Agenda[Any]) -> object:
    return [[due.isoformat(), converter().unstructure(key)] for due, key in agenda.entries()]


def _before(value: Any, _: object) -> Before:
    table, row = str(value["table"]), value["row"]
    key_type, row_type = row_types()[table]
    return Before(
        at=_time(value["at"], None),
        table=table,
        key=converter().structure(value["key"], cast("type[int | str]", key_type)),
        row=None if row is None else converter().structure(row, row_type),
    )


def _written_before(before: Before) -> object:
    return {
        "at": before.at.isoformat(),
        "table": before.table,
        "key": before.key,
        "row": converter().unstructure(before.row),
    }
