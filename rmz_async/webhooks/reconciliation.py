"""The report of a comparison with RMZ's list."""

from __future__ import annotations

from rmz_async._frozen import frozen

__all__ = ("Reconciliation",)

PAGES = 45
"""Pages of RMZ's list in a minute; a quarter of RMZ's requests is left to others."""


@frozen(kw_only=True)
class Reconciliation:
    """The result of ``receiver.reconcile``."""

    pages: int
    """How many pages of RMZ's list were compared."""

    subscriptions: int
    """How many subscriptions were compared."""

    events: int
    """How many events were missing, and are in the inbox now."""

    is_complete: bool
    """Whether the end of the list was reached. If not, another process compares now."""

    is_first: bool
    """Whether no comparison had come to its end before: unknown subscriptions were learnt and are
    no events, unless the caller wanted them.
    """
