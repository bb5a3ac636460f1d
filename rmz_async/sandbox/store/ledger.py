"""A record of what calls have changed, to count effects by."""

from __future__ import annotations

from datetime import datetime

import attrs

__all__ = ("Effect",)


@attrs.frozen
class Effect:
    """One change that one call made; a call that was refused or repeated has none.

    Attributes:
        operation: The client's name of the call, such as ``orders.create``, or ``hosted.pay``.
        object_id: The id of what was made or changed. A portal session is told by its customer,
            because its own key is a secret.
        at: When, UTC.
        detail: What was done, in a few words.
    """

    operation: str
    object_id: int | str
    at: datetime
    detail: str
