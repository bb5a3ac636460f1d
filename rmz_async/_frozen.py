"""attrs' ``frozen``, for values that are compared and shown by the same methods in all classes."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    # mypy accepts `attrs.evolve` for classes with attrs' own decorator only.
    from attrs import frozen as frozen
else:

    def frozen(cls: Any = None, *, slots: bool = False, **options: Any) -> Any:
        """Build a class as `attrs.frozen` does.

        attrs would write and compile these methods for each class, which is half of the time that
        building one takes, and an import builds a hundred. With slots it builds a class twice, and
        sets each field of a new object by a call: an order has sixty, and would take a tenth longer
        to decode.
        """
        if cls is None:
            return partial(frozen, slots=slots, **options)
        methods = {"__eq__": _equals, "__hash__": _hash, "__repr__": _shown}
        for name, method in methods.items():
            if getattr(cls, name) is getattr(object, name):
                setattr(cls, name, method)
        return attrs.frozen(cls, eq=False, repr=False, slots=slots, **options)


def _equals(self: attrs.AttrsInstance, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name in _compared(type(self)))


def _hash(self: attrs.AttrsInstance) -> int:
    # A list is made in half of the time that a generator needs.
    return hash(tuple([getattr(self, name) for name in _hashed(type(self))]))


def _shown(self: attrs.AttrsInstance) -> str:
    shown = (field.name for field in attrs.fields(type(self)) if field.repr)
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__qualname__}({values})"


@cache
def _compared(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(cls) if field.eq)


@cache
def _hashed(cls: Any) -> tuple[str, ...]:
    fields = attrs.fields(cls)
    return tuple(field.name for field in fields if (field.eq if field.hash is None else field.hash))
