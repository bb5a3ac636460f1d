"""The health of a receiver, for a status page and for an alarm."""

from __future__ import annotations

import logging
from collections import deque
from enum import StrEnum
from typing import Any

import attrs

from rmz_async._frozen import frozen
from rmz_async.webhooks.inbox.interface import Stats

__all__ = ("Health", "HealthLevel")

logger: logging.Logger = logging.getLogger("rmz_async")

# RMZ gives up after so many seconds, and switches a webhook off if so large a part of its
# deliveries fail, once there were so many of them.
TIME_LIMIT = 3.0
OFF_RATIO = 0.8
OFF_DELIVERIES = 5

# Warned of well before, as a person has to act on it.
WARNING_RATIO = 0.4
WARNING_DELIVERIES = 3
SLOW = 1.0
WAITS_TOO_LONG = 300.0

# The flags of an answer.
FAILED = 1
LATE = 2
FINE = b"\0"

# The latest answers count, so that a webhook that was mended is well again.
LATEST = 100
ALL_FINE = FINE * LATEST


class HealthLevel(StrEnum):
    """The levels of a receiver's health."""

    OK = "ok"
    """No reason for a warning is known."""

    WARNING = "warning"
    """Something fails; a person should look at it."""

    CRITICAL = "critical"
    """RMZ will switch the webhook off, or has done so already."""


@frozen(kw_only=True)
class Health:
    """The state of a receiver at one moment."""

    level: HealthLevel
    """The level of the receiver's health."""

    reasons: tuple[str, ...]
    """The reasons for the level; empty if it is ``ok``."""

    answered: int
    """How many of the latest deliveries were looked at; at most 100."""

    failed: int
    """How many of the latest deliveries RMZ counts as failed, because they were not stored or took
    longer than 3 seconds. Deliveries that RMZ did not sign do not count: anyone can send those.
    """

    failure_ratio: float
    """The part of the latest deliveries that failed, 0 to 1. RMZ switches a webhook off at 0.8."""

    refused: int
    """How many deliveries without a valid signature came since the last genuine one."""

    median: float
    """The median of the times to answer, in seconds."""

    slowest: float
    """The longest time to answer, in seconds."""

    inbox: Stats
    """How many deliveries and tasks the inbox holds."""

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain data, ready for JSON."""
        return attrs.asdict(self) | {"level": self.level.value, "reasons": list(self.reasons)}


class HealthMonitor:
    """Keeps the latest answers to RMZ, and warns before RMZ switches the webhook off."""

    def __init__(self) -> None:
        # Seconds to answer, and a byte for each: two flags, as bytes are counted in no time. No
        # lock guards them: a signal handler may receive, too, and one answer more or less changes
        # nothing.
        self._times: deque[float] = deque(maxlen=LATEST)
        self._flags = b""
        self._refused = 0
        self._level = HealthLevel.OK

    def answered(self, status: int, seconds: float) -> None:
        """Note an answer; any thread may do so.

        Args:
            status: The HTTP status.
            seconds: From the delivery to the answer.
        """
        # Nearly every answer is like this, and RMZ waits for it.
        if status < 400 and seconds <= SLOW and self._flags == ALL_FINE and not self._refused:
            self._times.append(seconds)
            return
        if status == 401:
            self._refused += 1
        else:
            self._refused = 0
            flags = FAILED * (status >= 400 or seconds > TIME_LIMIT) | LATE * (seconds > SLOW)
            self._times.append(seconds)
            self._flags = (self._flags + bytes((flags,)))[-LATEST:]
        level, reasons = self._judge(self._flags)
        before, self._level = self._level, level
        if level is before:
            return
        if level is HealthLevel.OK:
            logger.warning("the webhook is well again")
        else:
            grave = level is HealthLevel.CRITICAL
            logger.log(
                logging.ERROR if grave else logging.WARNING,
                "the webhook needs attention: %s",
                "; ".join(reasons),
            )

    def report(self, inbox: Stats) -> Health:
        """Return the present state.

        Args:
            inbox: The counts of the inbox.
        """
        flags, times = self._flags, sorted(self._times)
        level, reasons = self._judge(flags)
        if inbox.dead or inbox.unreadable:
            reasons.append(
                f"{inbox.dead} handlers have used up their attempts, and {inbox.unreadable} "
                "deliveries cannot be read"
            )
            level = HealthLevel.WARNING if level is HealthLevel.OK else level
        if inbox.oldest_waiting > WAITS_TOO_LONG:
            reasons.append(
                f"an event has waited for {inbox.oldest_waiting:.0f} seconds: no process has "
                "receiver.working() open, all handlers are busy, one keeps failing, or one has "
                "another name now"
            )
            level = HealthLevel.WARNING if level is HealthLevel.OK else level
        failed = _count(flags, FAILED)
        return Health(
            level=level,
            reasons=tuple(reasons),
            answered=len(flags),
            failed=failed,
            failure_ratio=failed / len(flags) if flags else 0.0,
            refused=self._refused,
            median=times[len(times) // 2] if times else 0.0,
            slowest=times[-1] if times else 0.0,
            inbox=inbox,
        )

    def _judge(self, flags: bytes) -> tuple[HealthLevel, list[str]]:
        level, reasons = HealthLevel.OK, list[str]()
        if not self._refused and not flags.strip(FINE):
            return level, reasons
        count, failed = len(flags), _count(flags, FAILED)
        if count >= WARNING_DELIVERIES and failed / count >= WARNING_RATIO:
            off = count >= OFF_DELIVERIES and failed / count >= OFF_RATIO
            level = HealthLevel.CRITICAL if off else HealthLevel.WARNING
            reasons.append(
                f"{failed} of {count} deliveries failed, and RMZ switches a webhook off at 80 % of "
                "5 or more"
            )
        elif count and _count(flags, LATE) * 2 >= count:
            level = HealthLevel.WARNING
            reasons.append("half of the answers take longer than 1 second, and RMZ waits for 3")
        if self._refused >= OFF_DELIVERIES:
            level = HealthLevel.WARNING if level is HealthLevel.OK else level
            reasons.append(
                f"{self._refused} deliveries in a row had no valid signature: somebody forges "
                "them, or a secret was changed: then deploy the new one, or RMZ switches the "
                "webhook off"
            )
        return level, reasons


def _count(flags: bytes, wanted: int) -> int:
    return sum(map(flags.count, (wanted, FAILED | LATE)))
