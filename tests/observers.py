"""Observers for tests: one that keeps everything, and some that fail."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, TypeAlias

from rmz_async.observing import (
    AttemptRecord,
    CallRecord,
    DecisionRecord,
    DeliveryRecord,
    HandlerRecord,
    Observer,
    Work,
)

Moment: TypeAlias = Literal["around", "enter", "exit"]
"""The moment at which a context fails: when it is made, entered or left."""


class Notebook(Observer):
    """Keeps all records, and the order of what it saw as lines."""

    def __init__(self) -> None:
        self.attempts: list[AttemptRecord] = []
        self.calls: list[CallRecord] = []
        self.decisions: list[DecisionRecord] = []
        self.deliveries: list[DeliveryRecord] = []
        self.handlers: list[HandlerRecord] = []
        self.lines: list[str] = []

    @contextmanager
    def around(self, work: Work, name: str) -> Generator[None]:
        self.lines.append(f"{work} {name} begins")
        try:
            yield
        except BaseException as error:
            self.lines.append(f"{work} raises {type(error).__name__}")
            raise
        self.lines.append(f"{work} ends")

    def on_attempt(self, record: AttemptRecord) -> None:
        self.attempts.append(record)
        self.lines.append("on_attempt")

    def on_call(self, record: CallRecord) -> None:
        self.calls.append(record)
        self.lines.append("on_call")

    def on_decision(self, record: DecisionRecord) -> None:
        self.decisions.append(record)
        self.lines.append("on_decision")

    def on_delivery(self, record: DeliveryRecord) -> None:
        self.deliveries.append(record)
        self.lines.append("on_delivery")

    def on_handler(self, record: HandlerRecord) -> None:
        self.handlers.append(record)
        self.lines.append("on_handler")


class Broken(Observer):
    """Fails whenever it is called."""

    def on_attempt(self, record: AttemptRecord) -> None:
        raise ValueError(record.operation)

    def on_call(self, record: CallRecord) -> None:
        raise ValueError(record.operation)

    def on_decision(self, record: DecisionRecord) -> None:
        raise ValueError(record.reason)

    def on_delivery(self, record: DeliveryRecord) -> None:
        raise ValueError(record.outcome)

    def on_handler(self, record: HandlerRecord) -> None:
        raise ValueError(record.handler)


class BrokenContext(Observer):
    """Has contexts that fail at a moment."""

    def __init__(self, moment: Moment) -> None:
        self._moment: Moment = moment

    def around(self, work: Work, name: str) -> AbstractContextManager[object]:
        if self._moment == "around":
            raise ValueError(name)
        return _Failing(self._moment)


class Hiding(Observer):
    """Has contexts that hide what is raised inside of them."""

    def around(self, work: Work, name: str) -> AbstractContextManager[object]:
        return _Failing(None)


class _Failing:
    def __init__(self, moment: Moment | None) -> None:
        self._moment = moment

    def __enter__(self) -> None:
        if self._moment == "enter":
            raise ValueError

    def __exit__(self, *exception: object) -> bool:
        if self._moment == "exit":
            raise ValueError
        return True
