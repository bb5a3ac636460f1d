"""Rows of figures, each with its limit and whether it was kept; for a terminal and for the docs."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass

import rmz_async


@dataclass(frozen=True)
class Limit:
    """A limit of a figure.

    Attributes:
        figure: The limit.
        is_lowest: Whether more is better.
    """

    figure: float
    is_lowest: bool = False

    def keeps(self, figure: float) -> bool:
        """Return whether *figure* keeps the limit."""
        return figure >= self.figure if self.is_lowest else figure <= self.figure

    def __str__(self) -> str:
        return f"at {'least' if self.is_lowest else 'most'} {readable(self.figure)}"


def at_most(figure: float) -> Limit:
    """Return the limit of a figure of which less is better."""
    return Limit(figure)


def at_least(figure: float) -> Limit:
    """Return the limit of a figure of which more is better."""
    return Limit(figure, is_lowest=True)


def readable(figure: float) -> str:
    """Write a figure with as many digits as its size makes sensible."""
    if abs(figure) >= 1000:
        return f"{round(figure, -2 if abs(figure) >= 100_000 else 0):,.0f}"
    if figure == int(figure):
        return f"{figure:.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"


class Table:
    """Prints rows as they come, and keeps them for the docs.

    Args:
        heading: The subject of the rows.
    """

    def __init__(self, heading: str) -> None:
        self._markdown = ["| Work | Figure | Must | |", "| --- | --- | --- | --- |"]
        print(f"\n{heading}\n{'':<66} {'here':>16} {'must':>18}", flush=True)

    def row(self, work: str, figure: float, unit: str = "", must: Limit | None = None) -> None:
        """Print one row.

        Args:
            work: The measured work.
            figure: The result.
            unit: The unit of the result.
            must: The limit, if there is one.
        """
        shown = f"{readable(figure)} {unit}".rstrip()
        limit = "" if must is None else f"{must} {unit}".rstrip()
        verdict = "" if must is None else ("met" if must.keeps(figure) else "missed")
        print(f"{work:<66} {shown:>16} {limit:>18} {verdict}", flush=True)
        self._markdown.append(f"| {work} | {shown} | {limit} | {verdict} |")

    def for_docs(self) -> None:
        """Print the same rows as a Markdown table."""
        print("\nFor docs/cost.md:\n", *self._markdown, sep="\n")


def circumstances() -> str:
    """Return where and when something was measured."""
    return (
        f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())} with version "
        f"{rmz_async.__version__}, Python {platform.python_version()} and {os.cpu_count()} cores "
        f"at a load of {os.getloadavg()[0]:.1f}."
    )
