"""A record of what calls have changed, to count effects by."""

from __future__ import annotations

from datetime import datetime

import attrs

__all__ = ("Effect", "Ledger")


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


class Ledger(tuple[Effect, ...]):
    """All effects in their order; a tuple that can be asked."""

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
