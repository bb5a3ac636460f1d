"""The paywall: does this user have access, why, and until when."""

from __future__ import annotations

from rmz_async.paywall._on_outage import OnOutage
from rmz_async.paywall.access import Access, Grant, Reason, Source
from rmz_async.paywall.decisions import decide
from rmz_async.paywall.doubles import PaywallDouble
from rmz_async.paywall.lifetimes import Lifetimes
from rmz_async.paywall.outcomes import (
    Confirmation,
    Confirmed,
    NotFound,
    NotYet,
    SomeoneElses,
)
from rmz_async.paywall.paywall import Paywall
from rmz_async.paywall.policy import Policy
from rmz_async.paywall.sharing import AccessCache, Change, Changes, Fact
from rmz_async.paywall.status import PaywallStatus

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
