"""Records of the past: effects of calls, events of subscriptions, and messages to phones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Self, TypeVar

import attrs

__all__ = ("Effect", "Happening", "Ledger", "Message", "Records")

T = TypeVar("T")


@attrs.frozen
class Effect:
    """A change that a call made; a call that was refused, or came again, has none.

    Attributes:
        operation: The client's name of the call, such as ``orders.create``; ``hosted.pay`` and its
            like for a page, and ``lifecycle.renewed`` and its like for what time has brought.
        object_id: The id of what was made or changed. A portal session is named by its customer,
            because its own key is a secret.
        at: When, UTC.
        detail: The change, in a few words.
    """

    operation: str
    object_id: int | str
    at: datetime
    detail: str


class Records(tuple[T, ...]):  # noqa: SLOT001 - Python allows a tuple no slots
    """Records of a run in their order: a tuple with methods that select.

    Attributes:
        seed: Repeats the run, and stands in the message of a failed assertion.
    """

    seed: int | str | None = None

    @classmethod
    def of_run(cls, records: Iterable[T], seed: int | str | None) -> Self:
        """Return records of the run that *seed* repeats."""
        found = cls(records)
        found.seed = seed
        return found

    def listed(self, lines: Sequence[str]) -> str:
        """Return *lines*, and how to repeat the run, for a failed assertion."""
        seed = f"Sandbox(seed={self.seed!r}) repeats this run's faults and ids."
        return "\n".join(lines if self.seed is None else [*lines, seed])


class Ledger(tuple[Effect, ...]):
    """The effects in their order: a tuple with methods that select."""

    __slots__ = ()

    def of(self, operation: str, object_id: int | str | None = None) -> tuple[Effect, ...]:
        """Return the effects of *operation*, on one object or on all."""
        return tuple(
            effect
            for effect in self
            if effect.operation == operation and object_id in (None, effect.object_id)
        )

    def extensions(self, subscription_id: int) -> tuple[Effect, ...]:
        """Return each extension of a subscription."""
        return self.of("subscriptions.extend", subscription_id)

    def renewals(self, subscription_id: int) -> tuple[Effect, ...]:
        """Return each renewal of a subscription that was paid."""
        return self.of("lifecycle.renewed", subscription_id)


@attrs.frozen(kw_only=True)
class Message:
    """A message to a customer's phone.

    Attributes:
        to: The dial code and the phone number, digits only.
        sent_at: UTC.
    """

    to: str
    text: str
    sent_at: datetime


@attrs.frozen(kw_only=True)
class Happening:
    """An event of a subscription, and how the subscription was afterwards.

    Attributes:
        event: Such as ``subscription.renewed``.
        at: UTC.
        period_start: The start of the period that was current then, UTC.
        period_end: The end of that period, UTC.
    """

    event: str
    at: datetime
    status: str
    period_start: datetime
    period_end: datetime
