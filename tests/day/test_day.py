"""A short form of ``nox -s paywall-day``, and a sign that the referee would notice a mistake."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import attrs
import pytest

from rmz_async.sandbox import Sandbox
from tests.day.playing import Plan, play
from tests.day.referee import Allowance, Referee, Truth
from tests.day.simulated_time import MIDNIGHT

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


@pytest.mark.parametrize(
    ("webhooks", "viewed", "excused"),
    [
        (False, None, True),
        (False, 10.0, True),
        (False, 20.0, False),
        (True, None, False),
    ],
)
def test_an_outage_excuses_only_what_a_paywall_could_not_ask_for_before(
    webhooks: bool, viewed: float | None, excused: bool
) -> None:
    """The subscription ends at midnight, an hour before RMZ goes down; `hard` is 15 minutes."""
    minute = timedelta(minutes=1)
    allowance = Allowance(
        kept=5.0 if webhooks else None,
        known=21_600.0,
        outage=(MIDNIGHT + 60 * minute, MIDNIGHT + 120 * minute),
    )
    truth = Truth(granted=False, since=MIDNIGHT, ever=True)
    truth.viewed = None if viewed is None else MIDNIGHT + viewed * minute

    kept = 5.0 if webhooks else 900.0
    assert allowance.is_unknowable(truth, MIDNIGHT + 70 * minute, kept) is excused
    assert not allowance.is_unknowable(truth, MIDNIGHT + 50 * minute, kept)
    assert not allowance.is_unknowable(truth, MIDNIGHT + 140 * minute, kept)


def test_a_grant_from_before_a_pause_makes_nobody_known_after_it() -> None:
    """Another server may have heard of the pause, and cannot ask whether it is over."""
    sandbox = Sandbox(clock=lambda: MIDNIGHT)
    referee = Referee(sandbox, Allowance(kept=None, known=21_600.0))
    since = referee.truth("usr_abc123").since

    def judge(asked: datetime, *, granted: bool) -> Counter[str]:
        before = referee.counts.copy()
        referee.judge(
            "usr_abc123", granted=granted, certain=granted, asked=asked, hard=900.0, by="a server"
        )
        return referee.counts - before

    assert judge(since - timedelta(seconds=1), granted=True)["let in"] == 1
    assert judge(since, granted=False)["503 for a payer nobody knows"] == 1
    assert judge(since, granted=True)["let in"] == 1
    assert judge(since, granted=False)["503 for a known payer"] == 1


def test_a_server_that_is_a_process_answers_as_one_of_this_program() -> None:
    """The clock of both stands still while the other one is at work."""
    plan = Plan(seed=1, users=20, hours=0.02, checks=1.0)
    inside = play(plan)

    result = play(attrs.evolve(plan, processes=True))

    assert result.wrong == []
    assert result.counts["answers"] == inside.counts["answers"] > 0
    assert result.counts["let in"] > 0
