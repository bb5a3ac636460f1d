"""A call as data: handed from the resources to the transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import attrs

from rmz_async._calls.outcome import Evidence, Window
from rmz_async._calls.upload import Upload
from rmz_async.operations import Operation

T = TypeVar("T")
R = TypeVar("R")


# The repr of a call would show what the caller sends, and no code compares two calls.
@attrs.frozen(kw_only=True, eq=False, repr=False)
class Call(Generic[T]):
    """A call, as its resource describes it.

    Attributes:
        operation: Its row in the table.
        returns: The class of its answer.
        object_id: The value of ``{id}`` in the path.
        query: None values are left out.
        body: None values are left out; None for no body.
        upload: A file that is sent in place of a body.
        settlement: How to see whether a change was applied; None if nothing would show it.
    """

    operation: Operation
    returns: type[T]
    object_id: int | None = None
    query: Mapping[str, object] = attrs.field(factory=dict[str, object])
    body: Mapping[str, object] | None = None
    upload: Upload | None = None
    settlement: Settlement[Any, T] | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Settlement(Generic[R, T]):
    """How to see whether a change was applied, after an answer that cannot be trusted.

    Attributes:
        read: The call that reads the changed object back.
        compare: Returns what the object shows of the change, given the time on RMZ's own clock in
            which the change can have been applied, or None if RMZ did not name it.
        result: Makes of that object what the call returns.
        explains: Whether the object's state is a reason for RMZ to refuse the call.
    """

    read: Call[R]
    compare: Callable[[R, Window | None], Evidence]
    result: Callable[[R], T]
    explains: Callable[[R], bool]
