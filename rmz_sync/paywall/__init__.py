"""The paywall, for code that cannot await: the names of ``rmz_async.paywall``.

All of them are the same, except for `Paywall` and `PaywallDouble`, whose methods block.
"""

from __future__ import annotations

from rmz_async.paywall import (
    Access,
    AccessCache,
    Change,
    Changes,
    Confirmation,
    Confirmed,
    Fact,
    Grant,
    Lifetimes,
    NotFound,
    NotYet,
    OnOutage,
    PaywallStatus,
    Policy,
    Reason,
    SomeoneElses,
    Source,
    decide,
)
from rmz_sync.paywall.doubles import PaywallDouble
from rmz_sync.paywall.paywall import Paywall

__all__ = (
    "Access",
    "AccessCache",
    "Change",
    "Changes",
    "Confirmation",
    "Confirmed",
    "Fact",
    "Grant",
    "Lifetimes",
    "NotFound",
    "NotYet",
    "OnOutage",
    "Paywall",
    "PaywallDouble",
    "PaywallStatus",
    "Policy",
    "Reason",
    "SomeoneElses",
    "Source",
    "decide",
)
