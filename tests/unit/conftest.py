from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from rmz_async._calls.call import Call
from rmz_async._transport import Transport
from rmz_async.pagination import Page
from tests.unit.gates import Gates


class Recorder:
    """Stands in for the transport: notes each call and makes none."""

    def __init__(self) -> None:
        self.calls: list[Call[Any]] = []
        self.answer: Any = object()

    async def call(self, call: Call[Any]) -> Any:
        """Note *call*; a page is answered by the one that was asked for."""
        self.calls.append(call)
        if "page" in call.query:
            return Page(number=cast("int", call.query["page"]), items=(), has_next=False)
        return self.answer

    def make(self, resource: Callable[[Transport], Any]) -> Any:
        """Return a resource that calls this in place of the transport."""
        return resource(cast("Transport", self))

    @property
    def only(self) -> Call[Any]:
        """The one call that there was."""
        (call,) = self.calls
        return call


@pytest.fixture
def recorder() -> Recorder:
    """A transport that sends nothing."""
    return Recorder()


@pytest.fixture
def gates() -> Gates:
    """Slots of which none was taken."""
    return Gates()
