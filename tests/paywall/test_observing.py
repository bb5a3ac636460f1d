"""An observer gets a record of each answer that a paywall has learnt or could not learn."""

from __future__ import annotations

import pytest

from rmz_async import ServerError
from rmz_async.observing import DecisionRecord, Observer
from tests.paywall.scripted import ScriptedRMZ, subscription
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio


class Notebook(Observer):
    """Keeps all records."""

    def __init__(self) -> None:
        self.decisions: list[DecisionRecord] = []

    def on_decision(self, record: DecisionRecord) -> None:
        self.decisions.append(record)


async def test_learnt_answers_are_observed_and_cached_ones_are_not() -> None:
    rmz, notebook = ScriptedRMZ(), Notebook()
    rmz.set(subscription())
    paywall = paywall_over(rmz, observer=notebook)

    for _ in range(3):
        await paywall.check("noura")
    await paywall.refresh("noura")

    (learnt, refreshed) = notebook.decisions
    assert learnt == refreshed
    assert (learnt.granted, learnt.reason, learnt.source, learnt.age) == (True, "active", "api", 0)


async def test_an_answer_that_cannot_be_given_is_observed() -> None:
    rmz, notebook = ScriptedRMZ(), Notebook()
    rmz.failure = ServerError("RMZ is down", status=503)

    await paywall_over(rmz, observer=notebook).check("noura")

    (record,) = notebook.decisions
    assert (record.granted, record.reason) == (False, "unavailable")


async def test_an_observer_that_takes_no_decisions_changes_nothing() -> None:
    rmz = ScriptedRMZ()
    rmz.set(subscription())

    assert await paywall_over(rmz, observer=Observer()).check("noura")
