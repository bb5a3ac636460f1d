"""Plain data to models.

The meaning of one value is decided in :mod:`rmz_async._decoding.values`, and the way through a
model in :mod:`rmz_async._decoding.hooks`. No message shows a value, because an answer may hold
personal data.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar, cast

import attrs

from rmz_async.models._json_object import JSON
from rmz_async.models._model import Model, wire_names
from rmz_async.pagination import Page

T = TypeVar("T")

logger = logging.getLogger("rmz_async")

# The most fields that one WARNING names: an answer has room for many thousands.
_MAX_NAMED = 20


def decode(data: object, into: type[T]) -> T:
    """Return *data*, parsed JSON, as an object of the class *into*.

    A value that cannot be read, and that no decision depends on, becomes None. The model keeps it
    in ``unreadable``, and one WARNING names the fields.

    Raises:
        ValueError: *data* is not of the documented shape. The message names each path and rule.
    """
    wanted: Any = into
    try:
        found: T = _structure(wanted, False)(data, into)
    except Exception:  # noqa: BLE001 - whatever went wrong, the explaining converter says where
        found = _decode_with_care(data, into)
    else:
        return found
    names = list(_unreadable("data", found))
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    logger.warning(
        "Values that cannot be read are None, and stand in `unreadable` as they came: %s%s",
        ", ".join(names[:_MAX_NAMED]),
        more,
    )
    return found


def from_dict(model: type[T], data: Mapping[str, Any]) -> T:
    """Return the model that :meth:`Model.to_dict <rmz_async.Model.to_dict>` made *data* of.

    Args:
        model: The model's class, for example ``Subscription``. ``CreatedOrder`` is a union, so give
            the class of its three that the order had.
        data: The dictionary that ``to_dict()`` or ``json.loads`` returned.

    Raises:
        ValueError: *data* is not such a model's data. The message names each path and rule.
    """
    # A caller without a type checker passes what json.loads has returned.
    is_mapping = isinstance(cast("object", data), Mapping)
    return _decode_with_care(_with_decimals(dict(data)) if is_mapping else data, model)


def load_cattrs() -> None:
    """Import cattrs now, and not with the first answer."""
    from rmz_async._decoding import hooks  # noqa: F401 # pyright: ignore[reportUnusedImport] # for what it imports


def _decode_with_care(data: object, into: type[T]) -> T:
    from rmz_async._decoding.hooks import explain

    try:
        return cast("T", _structure(cast("Any", into), True)(data, into))
    except Exception as error:  # noqa: BLE001 - cattrs' errors share no narrower class
        raise ValueError(explain(error)) from None


@functools.cache
def _structure(into: Any, explaining: bool) -> Callable[[Any, Any], Any]:
    hook: Callable[[Any, Any], Any] = _converter(explaining).get_structure_hook(into)
    return hook


@functools.cache
def _converter(explaining: bool) -> Any:
    # Imported by the first answer, as the import takes a tenth of the time of the whole client's.
    from rmz_async._decoding.hooks import converter

    return converter(explaining=explaining)


def _unreadable(path: str, found: object) -> Iterator[str]:
    """Name the values that could not be read, by the names that RMZ uses."""
    if isinstance(found, Page):
        page = cast("Page[object]", found)
        yield from _unreadable(f"{path}.data", page.items)
    elif isinstance(found, tuple):
        for index, item in enumerate(cast("tuple[object, ...]", found)):
            yield from _unreadable(f"{path}[{index}]", item)
    elif isinstance(found, Model):
        names = wire_names(cast("Any", type(found)))
        yield from (f"{path}.{names[name]}" for name in found.unreadable)
        for field in attrs.fields(type(found)):
            if field.name in names:
                inner = f"{path}.{names[field.name]}"
                yield from _unreadable(inner, getattr(found, field.name))


def _with_decimals(value: JSON) -> JSON:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, dict):
        return {key: _with_decimals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_decimals(item) for item in value]
    return value
