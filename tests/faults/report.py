"""The table of the proof."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.judge import OFFENCES, Column, Tally

# Each heading, and the column that it shows.
_HEADINGS = (
    ("applied\nexactly\nonce", Column.ONCE),
    ("reported\nok but not\napplied", Column.NOT_APPLIED),
    ("reported ok\nbut applied\ntwice", Column.TWICE),
    ("reported\nfailed but\napplied", Column.FAILED_APPLIED),
    ("another\nexception", Column.BROKEN),
    ("reported\nunknown", Column.UNKNOWN),
    ("unknown\nwithout\nneed", Column.NEEDLESS),
    ("no answer\nthough it\ncame", Column.SPOILED),
    ("later\nthan its\ndeadline", Column.LATE),
    ("ok by the\ncustomer's\ndoing", Column.BY_CUSTOMER),
    ("answered", Column.ANSWERED),
    ("failed", Column.FAILED),
)
_SHOWN = 25


def table(title: str, tally: Tally) -> str:
    """Return a table of all rows, with a total."""
    headings = [("calls", None), ("faults\ninjected", None), *_HEADINGS]
    lines = [title, ""]
    lines += [
        " " * 32
        + "".join(f"{[*heading.split(chr(10)), '', ''][line]:>13}" for heading, _ in headings)
        for line in range(3)
    ]
    rows = sorted(tally.rows, key=lambda row: (row.startswith("resolve"), row))
    lines += [_row(tally, row, [row]) for row in rows]
    lines.append(_row(tally, "all", rows))
    lines += ["", *(f"{count:>8}  {what}" for what, count in sorted(tally.notes.items()))]
    return "\n".join(lines)


def shares(tally: Tally) -> str:
    """Return how many changes were unknown under each kind of fault, how many may be, and why."""
    lines = [f"{'changes under':<32}{'calls':>8}{'unknown':>10}{'at most':>10}  because"]
    for kind, counts in sorted(tally.shares.items()):
        calls = counts["calls"]
        unknown, forced = (f"{counts[what] / calls:.0%}" for what in ("unknown", "forced"))
        reasons = [
            f"{count} {what.removeprefix('because ')}"
            for what, count in counts.most_common()
            if what.startswith("because ")
        ]
        lines.append(f"{kind:<32}{calls:>8}{unknown:>10}{forced:>10}  {'; '.join(reasons)}")
    return "\n".join(lines)


def offenders(found: Sequence[tuple[str, str]]) -> str:
    """Return a line for each call that must not be, with the option that makes it again."""
    shown = [f'--only "{name}"\n    {what}' for name, what in found[:_SHOWN]]
    if len(found) > _SHOWN:
        shown.append(f"and {len(found) - _SHOWN} more")
    return "\n".join(shown)


def _row(tally: Tally, name: str, rows: list[str]) -> str:
    calls = sum(sum(tally.rows[row].values()) for row in rows)
    injected = sum(tally.injected[row] for row in rows)
    cells = [str(calls), str(injected)]
    for _, where in _HEADINGS:
        count = sum(tally.rows[row][where] for row in rows)
        cells.append(str(count) if count or where in OFFENCES else "-")
    return f"{name:<32}" + "".join(f"{cell:>13}" for cell in cells)
