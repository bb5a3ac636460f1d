"""How a receiver is doing, for a status page and for an alarm."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import attrs

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

# The latest answers count, so that a webhook that was mended is well again.
LATEST = 100


class HealthLevel(StrEnum):
    """How bad things are."""

    OK = "ok"
    """All is well."""

    WARNING = "warning"
    """Something fails; a person should look at it."""

    CRITICAL = "critical"
    """RMZ will switch the webhook off, or has done so already."""


@attrs.frozen(kw_only=True)
class Health:
    """The state of a receiver at one moment.

    Attributes:
        level: How bad things are.
        reasons: Why; empty if all is well.
        answered: How many of the latest deliveries were looked at; at most 100.
        failed: How many of them RMZ counts as failed, because they were not stored or took longer
            than 3 seconds. Deliveries that RMZ did not sign are not among them, because anyone can
            send those.
        failure_ratio: The part of them that failed, 0 to 1. RMZ switches a webhook off at 0.8.
        refused: How many deliveries without a valid signature came since the last genuine one.
        median: The median of the seconds to answer.
        slowest: The longest of them.
        inbox: How many deliveries and tasks the inbox holds.
    """

    level: HealthLevel
    reasons: tuple[str, ...]
    answered: int
    failed: int
    failure_ratio: float
    refused: int
    median: float
    slowest: float
    inbox: Stats

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain data, ready for JSON."""
        return attrs.asdict(self) | {"level": self.level.value, "reasons": list(self.reasons)}


class HealthMonitor:
    """Keeps the latest answers to RMZ, and warns before RMZ switches the webhook off."""

    def __init__(self) -> None:
        # Seconds to answer, and whether RMZ counts the delivery as failed. No lock guards them: a
        # signal handler may receive, too, and one answer more or less changes nothing.
        self._answers: tuple[tuple[float, bool], ...] = ()
        self._refused = 0
        self._level = HealthLevel.OK

    def answered(self, status: int, seconds: float) -> None:
        """Note an answer; any thread may do so.

        Args:
            status: The HTTP status.
            seconds: From the delivery to the answer.
        """
        if status == 401:
            self._refused += 1
        else:
            self._refused = 0
            has_failed = status >= 400 or seconds > TIME_LIMIT
            self._answers = (*self._answers, (seconds, has_failed))[-LATEST:]
        level, reasons = self._judge(self._answers)
        before, self._level = self._level, level
        if level is before:
            return
        if level is HealthLevel.OK:
            logger.warning("the webhook is well again")
        else:
            grave = level is HealthLevel.CRITICAL
            logger.log(
                logging.ERROR if grave else logging.WARNING,
                "the webhook is in a bad way: %s",
                "; ".join(reasons),
            )

    def report(self, inbox: Stats) -> Health:
        """Return the present state.

        Args:
            inbox: What the inbox holds.
        """
        answers = self._answers
        level, reasons = self._judge(answers)
        if inbox.dead or inbox.unreadable:
            reasons.append(
                f"{inbox.dead} handlers have used up their attempts, and {inbox.unreadable} "
                "deliveries cannot be read"
            )
            level = HealthLevel.WARNING if level is HealthLevel.OK else level
        times = sorted(seconds for seconds, _ in answers)
        failed = sum(has_failed for _, has_failed in answers)
        return Health(
            level=level,
            reasons=tuple(reasons),
            answered=len(answers),
            failed=failed,
            failure_ratio=failed / len(answers) if answers else 0.0,
            refused=self._refused,
            median=times[len(times) // 2] if times else 0.0,
            slowest=times[-1] if times else 0.0,
            inbox=inbox,
        )

    def _judge(self, answers: Sequence[tuple[float, bool]]) -> tuple[HealthLevel, list[str]]:
        level, reasons = HealthLevel.OK, list[str]()
        count = len(answers)
        failed = sum(has_failed for _, has_failed in answers)
        if count >= WARNING_DELIVERIES and failed / count >= WARNING_RATIO:
            off = count >= OFF_DELIVERIES and failed / count >= OFF_RATIO
            level = HealthLevel.CRITICAL if off else HealthLevel.WARNING
            reasons.append(
                f"{failed} of {count} deliveries failed, and RMZ switches a webhook off at 80 % of "
                "5 or more"
            )
        elif count and sorted(seconds for seconds, _ in answers)[count // 2] > SLOW:
            level = HealthLevel.WARNING
            reasons.append("half of the answers take longer than 1 second, and RMZ waits for 3")
        if self._refused >= OFF_DELIVERIES:
            level = HealthLevel.WARNING if level is HealthLevel.OK else level
            reasons.append(
                f"{self._refused} deliveries in a row had no valid signature: somebody forges "
                "them, or a secret was changed, and then RMZ switches the webhook off"
            )
        return level, reasons
