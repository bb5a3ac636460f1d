"""An observer gets a record of each answer that a paywall has learnt or could not learn."""

from __future__ import annotations

import pytest

from rmz_async import Observer, ServerError
from rmz_async.paywall import PaywallDouble
from tests.observers import Broken, Notebook
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio


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


async def test_an_answer_is_learnt_within_a_context() -> None:
    """An answer from memory costs nothing more than without an observer."""
    rmz, notebook = ScriptedRMZ(), Notebook()
    rmz.set(subscription())
    paywall = paywall_over(rmz, observer=notebook)

    for _ in range(2):
        await paywall.check("noura")
    await paywall.refresh("noura")

    record = ["on_decision", "decision ends"]
    check, refresh = "decision check begins", "decision refresh begins"
    assert notebook.lines == [check, *record, refresh, *record]


async def test_a_confirmed_purchase_is_observed_and_an_open_one_is_not() -> None:
    rmz, notebook = ScriptedRMZ(), Notebook()
    rmz.set(subscription(created_at=START))
    paywall = paywall_over(rmz, observer=notebook)

    await paywall.confirm("rmz-subscription-id=501", user="somebody", wait=0)
    assert notebook.decisions == []
    await paywall.confirm("rmz-subscription-id=501", user="noura", wait=0)

    (record,) = notebook.decisions
    assert (record.granted, record.reason, record.source) == (True, "active", "api")


async def test_an_observer_that_fails_changes_no_answer() -> None:
    rmz = ScriptedRMZ()
    rmz.set(subscription())
    paywall = paywall_over(rmz, observer=Broken())

    assert await paywall.check("noura")
    assert await paywall.refresh("noura")


async def test_a_double_is_observed_like_the_real_paywall() -> None:
    notebook = Notebook()
    double = PaywallDouble(observer=notebook)
    double.grant("noura")

    await double.check("noura")

    assert [(each.granted, each.reason) for each in notebook.decisions] == [(True, "active")]
