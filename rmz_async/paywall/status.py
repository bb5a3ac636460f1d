"""The state of a paywall, for a status page."""

from __future__ import annotations

from rmz_async._frozen import frozen

__all__ = ("PaywallStatus",)


@frozen(kw_only=True)
class PaywallStatus:
    """The state of a paywall at one moment."""

    reachable: bool
    """Whether RMZ can be asked."""

    problem: str | None
    """Why RMZ cannot be asked: the name of an error, or that the minute is used up; None if all is
    well.
    """

    known: int
    """How many users are known to pay."""

    waiting: int
    """How many known payers wait for RMZ to be asked about them again."""

    stretch: float
    """How many times longer than set ``soft`` and ``hard`` are, because known payers
    wait.
    """

    hard: float
    """The age in seconds at which a grant is handed out no more without an answer of RMZ, which is
    ``hard`` times ``stretch``, up to ``max_stale``. If a payer found no slot in time within the
    last minute, at least the age of the answer that was handed out nevertheless.
    """

    asked: int
    """How many requests to RMZ were made."""

    failed: int
    """How many requests to RMZ failed."""

    handed_out: int
    """How many answers came from memory."""
