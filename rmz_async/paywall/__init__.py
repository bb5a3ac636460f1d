"""The paywall: may this user in, why, and until when."""

from __future__ import annotations

from rmz_async.paywall.access import Access, Reason, Source
from rmz_async.paywall.decisions import decide
from rmz_async.paywall.policy import Policy

__all__ = ("Access", "Policy", "Reason", "Source", "decide")
