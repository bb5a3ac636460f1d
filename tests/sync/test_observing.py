"""An observer works the same for code that cannot await."""

from __future__ import annotations

from rmz_sync import Paywall
from rmz_sync.paywall import PaywallDouble
from rmz_sync.sandbox import Sandbox
from tests.observers import Broken, Notebook


def test_a_client_and_a_paywall_are_observed() -> None:
    """The decision runs around the call that it makes."""
    notebook = Notebook()
    with Sandbox() as sandbox, sandbox.client(observer=notebook) as rmz:
        Paywall(rmz, observer=notebook).check("usr_unknown")

    assert notebook.lines == [
        "decision check begins",
        "call subscriptions.lookup begins",
        "attempt subscriptions.lookup begins",
        "on_attempt",
        "attempt ends",
        "on_call",
        "call ends",
        "on_decision",
        "decision ends",
    ]


def test_an_observer_that_fails_changes_no_answer() -> None:
    with Sandbox() as sandbox, sandbox.client(observer=Broken()) as rmz:
        assert Paywall(rmz, observer=Broken()).check("usr_unknown").certain


def test_a_double_is_observed_like_the_real_paywall() -> None:
    notebook = Notebook()
    with PaywallDouble(observer=notebook) as double:
        double.grant("noura")
        double.check("noura")

    assert [(each.granted, each.reason) for each in notebook.decisions] == [(True, "active")]
