"""JSON as Python holds it, and a JSON object that cannot be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

JSON: TypeAlias = "bool | int | float | str | Decimal | list[JSON] | dict[str, JSON] | None"
"""The values that JSON can hold; an answer's fractions are ``Decimal``, never ``float``."""


# types.MappingProxyType would serve, could it be pickled and copied.
class JSONObject(Mapping[str, Any]):
    """A read-only JSON object."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        self._items = {} if items is None else dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        # The values may be lists; equal objects have equal keys, which is all that a hash promises.
        return hash(frozenset(self._items))

    def __repr__(self) -> str:
        return repr(self._items)


EMPTY = JSONObject()
