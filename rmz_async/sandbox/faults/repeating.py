"""The words with which a failed assertion says how to repeat its run."""

from __future__ import annotations

__all__ = ("repeated_by",)


def repeated_by(seed: int | str | None) -> list[str]:
    """Return the line that names *seed*; no line for None."""
    return [] if seed is None else [f"Sandbox(seed={seed!r}) repeats this run's faults and ids."]
