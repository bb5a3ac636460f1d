"""A call as data: handed from the resources to the transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from rmz_async._calls.outcome import Evidence, Window
from rmz_async._calls.upload import Upload
from rmz_async.operations import Operation

T = TypeVar("T")
R = TypeVar("R")


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

    def __init__(
        self,
        *,
        operation: Operation,
        returns: type[T],
        object_id: int | None = None,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, object] | None = None,
        upload: Upload | None = None,
        settlement: Settlement[Any, T] | None = None,
    ) -> None:
        self.operation: Final = operation
        self.returns: Final = returns
        self.object_id: Final = object_id
        self.query: Final[Mapping[str, object]] = {} if query is None else query
        self.body: Final = body
        self.upload: Final = upload
        self.settlement: Final = settlement


class Settlement(Generic[R, T]):
    """The read-back that shows whether a change was applied, after an answer not to be trusted.

    Attributes:
        read: The call that reads the changed object back.
        compare: Returns what the object shows of the change, given the time on RMZ's own clock in
            which the change can have been applied, or None if RMZ did not name it.
        result: Makes of that object what the call returns.
        explains: Whether the object's state is a reason for RMZ to refuse the call.
    """

    def __init__(
        self,
        *,
        read: Call[R],
        compare: Callable[[R, Window | None], Evidence],
        result: Callable[[R], T],
        explains: Callable[[R], bool],
    ) -> None:
        self.read: Final = read
        self.compare: Final = compare
        self.result: Final = result
        self.explains: Final = explains
