"""Rows as a table that fits the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

__all__ = ("table",)

_GAP = "  "
_NARROWEST = 8


def table(rows: Sequence[Mapping[str, object]], width: int | None) -> Iterator[str]:
    """Give the lines of a table whose headings are the keys of *rows*.

    Args:
        rows: All with the same keys.
        width: The number of columns of the terminal; None for no limit.
    """
    if not rows:
        return
    headings = list(rows[0])
    cells = [headings, *([_shown(row[key]) for key in headings] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        _narrow(widths, width - len(_GAP) * (len(widths) - 1))
    for line in cells:
        fitted = (_cut(cell, size).ljust(size) for cell, size in zip(line, widths, strict=True))
        yield _GAP.join(fitted).rstrip()


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    # Somebody's letters could steer the terminal.
    return "".join(sign if sign.isprintable() else " " for sign in str(value))


def _narrow(widths: list[int], available: int) -> None:
    """Take from the widest column, as long as something can be taken."""
    while sum(widths) > available and max(widths) > _NARROWEST:
        widths[widths.index(max(widths))] -= 1


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else f"{text[: size - 1]}…"
