"""How this RMZ behaves if the documentation leaves a choice, or if servers disagree."""

from __future__ import annotations

import attrs

__all__ = ("Switches",)


@attrs.define(kw_only=True)
class Switches:
    """Choices that a test may change at any moment.

    Attributes:
        replica_lag: By how many seconds of the sandbox's clock reads are behind; 0 for not at all.
            Answers to changes are never behind.
        updated_at_skew: By how many seconds the clock that writes ``updated_at`` is ahead of the
            sandbox's; negative if it is behind.
        timestamp_skew: The same of the clock that writes an answer's ``timestamp``.
    """

    replica_lag: float = 0.0
    updated_at_skew: float = 0.0
    timestamp_skew: float = 0.0
