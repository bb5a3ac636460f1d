"""The life of one subscription as a picture: periods, trial, pauses and failures on one axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from rmz_async.sandbox.store.ledger import Happening
from rmz_async.sandbox.store.state import Status, Subscription

__all__ = ("Bar", "Picture", "Spot", "picture_of")

WIDTH = 960
_MARGIN = 12
_TICKS = 5


@attrs.frozen
class Bar:
    """A span of time. Positions are in the picture's units, from the left.

    Attributes:
        kind: A subscription's status, or ``period``.
    """

    kind: str
    x: float
    width: float
    start: datetime
    end: datetime


@attrs.frozen
class Spot:
    """A moment."""

    kind: str
    x: float
    at: datetime


@attrs.frozen
class Picture:
    """The content of the drawing.

    Attributes:
        states: The status over time, without a gap.
        periods: The periods that were paid for.
        events: When something happened.
        ticks: Marks of the axis.
        now: The position of the present.
    """

    states: tuple[Bar, ...]
    periods: tuple[Bar, ...]
    events: tuple[Spot, ...]
    ticks: tuple[Spot, ...]
    now: Spot


def picture_of(subscription: Subscription, history: Sequence[Happening], now: datetime) -> Picture:
    """Return the picture of a subscription."""
    axis = _Axis(
        min(subscription.started_at, *(happening.period_start for happening in history), now),
        max(subscription.current_period_end, *(happening.period_end for happening in history), now),
    )
    return Picture(
        states=tuple(_states(subscription, history, now, axis)),
        periods=tuple(_periods(subscription, history, axis)),
        events=tuple(
            Spot(happening.event.partition(".")[2], axis.x(happening.at), happening.at)
            for happening in history
        ),
        ticks=tuple(axis.ticks()),
        now=Spot("now", axis.x(now), now),
    )


class _Axis:
    """Turns moments into positions."""

    def __init__(self, start: datetime, end: datetime) -> None:
        self._start = start
        self._length = max(end - start, timedelta(days=1))

    def x(self, moment: datetime) -> float:
        share = (moment - self._start) / self._length
        return round(_MARGIN + share * (WIDTH - 2 * _MARGIN), 1)

    def bar(self, kind: str, start: datetime, end: datetime) -> Bar:
        left = self.x(start)
        return Bar(kind, left, max(1.0, round(self.x(end) - left, 1)), start, end)

    def ticks(self) -> Iterable[Spot]:
        for number in range(_TICKS):
            at = self._start + self._length * number / (_TICKS - 1)
            yield Spot("tick", self.x(at), at)


def _states(
    subscription: Subscription, history: Sequence[Happening], now: datetime, axis: _Axis
) -> Iterable[Bar]:
    """Return the status over time; before the first event it is the one that it began with."""
    began = Status.TRIALING if subscription.trial_ends_at else Status.ACTIVE
    status = str(began if history else subscription.status)
    since = min(subscription.started_at, now)
    for happening in history:
        if happening.status != status:
            if happening.at > since:
                yield axis.bar(status, since, happening.at)
            status, since = happening.status, happening.at
    yield axis.bar(status, since, now)


def _periods(
    subscription: Subscription, history: Sequence[Happening], axis: _Axis
) -> Iterable[Bar]:
    """Return each period once, with the end that it had last."""
    ends = {happening.period_start: happening.period_end for happening in history}
    ends[subscription.current_period_start] = subscription.current_period_end
    for start in sorted(ends):
        yield axis.bar("period", start, ends[start])
