"""Forms of values that real answers have beside the documented ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import cast

from rmz_async.sandbox.store.durations import Duration
from rmz_async.sandbox.store.switches import MissingTimes, Switches, TimeForm
from rmz_async.sandbox.wire.forms import money_text, row_time

__all__ = ("quirky",)

# PHP itself counts these; they come from no column of the database.
_COUNTED = ("count", "current_page", "duplicate", "from", "has_active", "per_page", "to")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.0{6}Z)?")
_MISSING = {MissingTimes.ZERO: "0000-00-00 00:00:00", MissingTimes.EMPTY: ""}
_DURATIONS = {str(duration): duration.length.days for duration in Duration}


def quirky(value: object, switches: Switches) -> object:
    """Return *value* as *switches* want it written."""
    if isinstance(value, Mapping):
        row = cast("Mapping[str, object]", value)
        written = {name: _member(name, member, switches) for name, member in row.items()}
        if switches.unknown_keys and "id" in row:
            written["new_since_yesterday"] = {"nobody": "knows"}
        return written
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [quirky(member, switches) for member in cast("Sequence[object]", value)]
    return _scalar(value, switches)


def _member(name: str, value: object, switches: Switches) -> object:
    if name in _COUNTED:
        return value
    if value is None and name.endswith("_at"):
        return _MISSING.get(switches.missing_times)
    if name == "days_remaining" and switches.days_as_fraction:
        return Decimal(str(value)) + Decimal("0.5")
    if name == "duration" and switches.duration_in_days:
        return _DURATIONS.get(str(value), value)
    return quirky(value, switches)


def _scalar(value: object, switches: Switches) -> object:
    match value:
        case bool():
            return int(value) if switches.booleans_as_numbers else value
        case int():
            return str(int(value)) if switches.integers_as_text else value
        case Decimal():
            return money_text(value) if switches.money_as_text else value
        case str() if switches.times is not TimeForm.DOCUMENTED and _TIME.fullmatch(value):
            moment = datetime.fromisoformat(value[:19])
            if switches.times is TimeForm.ROW:
                return row_time(moment)
            return f"{moment:%Y-%m-%dT%H:%M:%S}+00:00"
        case _:
            return value
