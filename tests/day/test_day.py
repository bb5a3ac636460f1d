"""A short form of ``nox -s paywall-day``, and a sign that the referee would notice a mistake."""

from __future__ import annotations

import attrs

from tests.day.playing import Plan, play

SHORT = Plan(
    seed=1,
    users=60,
    hours=0.3,
    checks=1.0,
    outage=(6.0, 12.0),
    restart=9.0,
    snapshots=True,
)


def test_a_short_day_with_an_outage_wrongs_nobody() -> None:
    """A server that starts in the outage knows the payers of the one before it."""
    result = play(SHORT)

    assert result.wrong == []
    assert result.counts["let in"] > result.counts["503 for others"] > 0


def test_the_referee_notices_that_a_restart_forgets_the_payers() -> None:
    """Else a day that passes would say nothing."""
    result = play(attrs.evolve(SHORT, snapshots=False))

    assert {wrong.partition(":")[0] for wrong in result.wrong} == {"503 for a known payer"}
