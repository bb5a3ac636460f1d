"""Messages that RMZ would send to a customer's phone."""

from __future__ import annotations

from datetime import datetime

import attrs

__all__ = ("Message",)


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
