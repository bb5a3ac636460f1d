"""The ages up to which the paywall uses an answer."""

from __future__ import annotations

import math
from typing import Any

import attrs

from rmz_async._frozen import frozen
from rmz_async.errors import ConfigurationError

__all__ = ("Lifetimes",)

LONGEST_REFUSAL = 5.0


def _seconds(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    # NaN compares false with everything, so the comparison refuses it too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigurationError(f"{attribute.name}: must be a finite number of seconds above 0")


@frozen(kw_only=True)
class Lifetimes:
    """The ages up to which a paywall uses an answer, in seconds.

    No answer outlives ``Access.until``, whatever these values are. If RMZ must be asked about more
    users than it answers in a minute, ``soft`` and ``hard`` become longer, up to ``max_stale``.

    Attributes:
        soft: A grant that is older lets the user in, and RMZ is asked in the background.
        hard: If a grant is older, or an event has reported a change of its user, RMZ is asked
            first, and the grant lets the user in only if RMZ cannot be asked. Such a check goes
            before those of unknown users.
        max_stale: A grant that is older lets nobody in.
        refusal: If a refusal is older, RMZ is asked first; at most 5.
        patience: The longest wait of a check for a slot, or for RMZ's answer if there is a slot.
            Then the check answers with what is known. After a single failure of RMZ, a payer whose
            answer is too old waits for a second attempt, at most three times as long.

    Raises:
        ConfigurationError: A rule is broken; the message names the attribute.
    """

    soft: float = attrs.field(default=60.0, validator=_seconds)
    hard: float = attrs.field(default=900.0, validator=_seconds)
    max_stale: float = attrs.field(default=6 * 3600.0, validator=_seconds)
    refusal: float = attrs.field(default=LONGEST_REFUSAL, validator=_seconds)
    patience: float = attrs.field(default=3.0, validator=_seconds)

    def __attrs_post_init__(self) -> None:
        if not self.soft <= self.hard <= self.max_stale:
            raise ConfigurationError(
                "soft, hard, max_stale: hard must not be shorter than soft, nor max_stale than hard"
            )
        if self.refusal > LONGEST_REFUSAL:
            raise ConfigurationError(
                f"refusal: must be {LONGEST_REFUSAL:g} seconds or less, because a customer who has "
                "just paid would be refused for longer"
            )

    def stretched(self, factor: float) -> tuple[float, float]:
        """Return ``soft`` and ``hard``, *factor* times as long if ``max_stale`` allows that.

        A factor below 1 counts as 1.
        """
        factor = max(factor, 1.0)
        return min(self.soft * factor, self.max_stale), min(self.hard * factor, self.max_stale)


def lifetimes_of(value: Any) -> Lifetimes:
    """Return *value* if it is a `Lifetimes`.

    Raises:
        ConfigurationError: *value* is of another type.
    """
    if not isinstance(value, Lifetimes):
        raise ConfigurationError("lifetimes: must be a Lifetimes")
    return value
