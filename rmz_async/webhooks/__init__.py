"""Webhooks: make sure that RMZ sent them, and read what they say.

Pure functions: they need no event loop and no connection.
"""

from __future__ import annotations

from rmz_async.webhooks.events import Event, EventType
from rmz_async.webhooks.signature import verify

__all__ = ("Event", "EventType", "verify")
