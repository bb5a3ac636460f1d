"""The present state of a paywall and of an inbox, as readings for each system of metrics."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

import attrs

from rmz_async.paywall import PaywallStatus
from rmz_async.webhooks import Inbox, Stats

logger: logging.Logger = logging.getLogger("rmz_async")


class WatchedPaywall(Protocol):
    """A paywall of either package."""

    @property
    def status(self) -> PaywallStatus:
        """The present state."""
        ...


class WatchedReceiver(Protocol):
    """A receiver of either package."""

    @property
    def inbox(self) -> Inbox:
        """The inbox, whose methods block."""
        ...


Values: TypeAlias = Mapping[str | None, float]
"""Values by the state that they are of; by None if there is one only."""


@attrs.frozen
class Reading:
    """A figure that is read when metrics are collected.

    Attributes:
        name: The name in words, separated by dots.
        unit: The unit; None for a bare number.
        text: The meaning.
        values: Reads the values; none if they cannot be read now.
        only_grows: Whether the value grows as long as the process lives.
    """

    name: str
    unit: str | None
    text: str
    values: Callable[[], Values]
    only_grows: bool = False


def readings(paywall: WatchedPaywall | None, receiver: WatchedReceiver | None) -> Sequence[Reading]:
    """Return the readings of a paywall, of a receiver, or of both."""
    return [
        *([] if paywall is None else _of_paywall(paywall)),
        *([] if receiver is None else _of_inbox(receiver)),
    ]


def _of_paywall(paywall: WatchedPaywall) -> Sequence[Reading]:
    return [
        Reading(
            "rmz.paywall.payers",
            None,
            "Users who are known to pay.",
            lambda: {None: paywall.status.known},
        ),
        Reading(
            "rmz.paywall.reachable",
            None,
            "1 if RMZ can be asked, else 0.",
            lambda: {None: int(paywall.status.reachable)},
        ),
        Reading(
            "rmz.paywall.memory.answers",
            None,
            "Answers of the paywall from memory.",
            lambda: {None: paywall.status.handed_out},
            only_grows=True,
        ),
    ]


def _of_inbox(receiver: WatchedReceiver) -> Sequence[Reading]:
    read = _ReadInbox(receiver)
    return [
        Reading(
            "rmz.inbox.tasks",
            None,
            "Tasks of handlers that wait, those of them that run, and those that are dead.",
            read.tasks,
        ),
        Reading(
            "rmz.inbox.unreadable",
            None,
            "Deliveries that cannot be read, and wait for a person.",
            read.unreadable,
        ),
        Reading(
            "rmz.inbox.oldest",
            "s",
            "Age of the oldest delivery with a waiting task; 0 if there is none.",
            read.oldest,
        ),
    ]


class _ReadInbox:
    """Reads an inbox once for all its readings, of which `tasks` is always the first."""

    def __init__(self, receiver: WatchedReceiver) -> None:
        self._receiver = receiver
        self._stats: Stats | None = None

    def tasks(self) -> Values:
        try:
            self._stats = stats = self._receiver.inbox.stats()
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            # All other metrics are collected, and the next collection may succeed.
            logger.warning("the inbox cannot be read for metrics: %s", type(error).__name__)
            self._stats = None
            return {}
        return {"waiting": stats.waiting, "running": stats.running, "dead": stats.dead}

    def unreadable(self) -> Values:
        return {} if self._stats is None else {None: self._stats.unreadable}

    def oldest(self) -> Values:
        return {} if self._stats is None else {None: self._stats.oldest_waiting}
