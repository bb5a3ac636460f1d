"""The rules of an outage."""

from __future__ import annotations

from enum import StrEnum

__all__ = ("OnOutage",)


class OnOutage(StrEnum):
    """The answer of a paywall if RMZ cannot be asked."""

    KEEP_KNOWN = "keep-known"
    """Those who were known to pay may in."""

    DENY = "deny"
    """Nobody may in whose answer is older than ``hard``."""

    ALLOW = "allow"
    """Everybody may in."""
