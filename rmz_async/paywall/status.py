"""The state of a paywall, for a status page."""

from __future__ import annotations

from rmz_async._frozen import frozen

__all__ = ("PaywallStatus",)


@frozen(kw_only=True)
class PaywallStatus:
    """The state of a paywall at one moment.

    Attributes:
        reachable: Whether RMZ can be asked.
        problem: Why not: the name of an error, or that the minute is used up; None if all is well.
        known: How many users are known to pay.
        waiting: How many of them wait for RMZ to be asked again.
        stretch: How many times longer than set ``soft`` and ``hard`` are, because of them.
        hard: The age at which a grant is handed out no more without an answer of RMZ, in seconds:
            ``hard`` times ``stretch``, up to ``max_stale``. If a payer found no slot in time within
            the last minute, at least the age of the answer that was handed out nevertheless.
        asked: How many requests to RMZ were made.
        failed: How many of them failed.
        handed_out: How many answers came from memory.
    """

    reachable: bool
    problem: str | None
    known: int
    waiting: int
    stretch: float
    hard: float
    asked: int
    failed: int
    handed_out: int
