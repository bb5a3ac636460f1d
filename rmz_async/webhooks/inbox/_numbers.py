"""Numbers of rows, as people and queues name them."""

from __future__ import annotations

from typing import overload

LARGEST = 2**63 - 1
"""The largest integer of both databases, which no row has."""


@overload
def fitting(number: int) -> int: ...
@overload
def fitting(number: None) -> None: ...
def fitting(number: int | None) -> int | None:
    """Return *number*, or one that no row has in place of one that a database does not take."""
    return None if number is None else max(-1, min(number, LARGEST))
