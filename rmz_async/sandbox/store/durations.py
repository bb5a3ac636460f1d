"""The duration of a variant's period, and its names in the API."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

__all__ = ("Duration",)


class Duration(StrEnum):
    """The duration of one paid period."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMI_ANNUAL = "semiAnnual"
    ANNUALLY = "annually"
    BIENNIAL = "biennial"
    QUINQUENNIAL = "quinquennial"
    DECENNIAL = "decennial"

    @property
    def length(self) -> timedelta:
        """The period's length. A month is 30 days and a year 365, as in the documented answers."""
        years, months = divmod(self.months, 12)
        return timedelta(days=365 * years + 30 * months)

    @property
    def months(self) -> int:
        """The number of months."""
        return _MONTHS[self]

    @property
    def label(self) -> str:
        """The ``duration_text`` of the API; the year is spelled as RMZ spells it."""
        return _LABELS[self]


_MONTHS = {
    Duration.MONTHLY: 1,
    Duration.QUARTERLY: 3,
    Duration.SEMI_ANNUAL: 6,
    Duration.ANNUALLY: 12,
    Duration.BIENNIAL: 24,
    Duration.QUINQUENNIAL: 60,
    Duration.DECENNIAL: 120,
}
_LABELS = {
    Duration.MONTHLY: "شهر",
    Duration.QUARTERLY: "3 أشهر",
    Duration.SEMI_ANNUAL: "6 أشهر",
    Duration.ANNUALLY: "سنه",
    Duration.BIENNIAL: "سنتين",
    Duration.QUINQUENNIAL: "5 سنوات",
    Duration.DECENNIAL: "10 سنوات",
}
