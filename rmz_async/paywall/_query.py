"""The query of the address to which a customer came back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, cast
from urllib.parse import parse_qs

from rmz_async.errors import ConfigurationError

SUBSCRIPTION_ID = "rmz-subscription-id"

_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_LARGEST = 2**63 - 1


class Pairs(Protocol):
    """The query of a web framework, in which a name may stand several times."""

    def __getitem__(self, name: str, /) -> Any:
        """Return one value."""
        ...

    def keys(self) -> Iterable[Any]:
        """Return the names."""
        ...


Query: TypeAlias = "str | bytes | Mapping[str, Any] | Pairs"
"""The query as a string, bytes, a mapping, or as Starlette, aiohttp, Django and Flask have it."""

# The beginnings of an address, as a whole or from its path or its question mark on.
_ADDRESS = ("http://", "https://", "/", "?")

# Starlette, Django and Flask; aiohttp.
_ALL_VALUES = ("getlist", "getall")


def values_of(query: Query, name: str) -> list[str]:
    """Return all values of a name in a query.

    Raises:
        ConfigurationError: The query has another form.
    """
    if isinstance(query, bytes):
        query = query.decode("latin-1")
    if isinstance(query, str):
        # A query may have a question mark of its own, and only an address has one before it.
        if query.startswith(_ADDRESS):
            query = query.partition("?")[2]
        return parse_qs(query, keep_blank_values=True).get(name, [])
    for method in _ALL_VALUES:
        get_all = getattr(query, method, None)
        if get_all is not None:
            return [_text(value) for value in (get_all(name) if name in query.keys() else ())]  # noqa: SIM118 - of a protocol
    if not isinstance(query, Mapping):
        raise ConfigurationError(
            "query: must be a string, a mapping, or the query of the request as your framework "
            "has it"
        )
    value = cast("Mapping[str, object]", query).get(name)
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [_text(each) for each in cast("Sequence[object]", value)]
    return [_text(value)]


def _text(value: object) -> str:
    # Tornado has the values as bytes.
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def subscription_id_of(query: Query) -> int | None:
    """Return the id that RMZ has added to a query; None unless there is exactly one."""
    values = values_of(query, SUBSCRIPTION_ID)
    if len(values) != 1 or _ID.fullmatch(values[0]) is None or int(values[0]) > _LARGEST:
        return None
    return int(values[0])
