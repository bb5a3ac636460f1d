"""The paywall for code that cannot await."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import rmz_sync
from rmz_async import ConfigurationError, ConnectionFailedError, EventType
from rmz_async.webhooks import sample, sign, verify
from rmz_sync.paywall import (
    Confirmed,
    Lifetimes,
    NotFound,
    NotYet,
    Paywall,
    PaywallDouble,
    Reason,
    Source,
)
from rmz_sync.sandbox import Sandbox
from tests.paywall.scripted import START
from tests.paywall.test_confirming import PLAN

SECRET = "an-example-secret-0123456789"


def test_a_known_payer_costs_no_way_to_the_portal() -> None:
    """The answer from memory is the same object each time."""
    with PaywallDouble(product_ids=[102], now=START) as double:
        double.grant("noura")
        assert double.check("noura").source is Source.API
        second = double.check("noura")

        assert second.source is Source.CACHE
        assert double.check("noura") is second
        assert len(double.answers.memory) == 1
        assert double.status.asked == 1


def test_threads_share_one_request() -> None:
    """However many of them ask for one user."""
    with PaywallDouble(now=START) as double:
        double.grant("noura")
        barrier = threading.Barrier(20)
        granted: list[bool] = []

        def ask() -> None:
            barrier.wait()
            granted.append(double.check("noura").granted)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert granted == [True] * 20
        assert double.status.asked == 1


def test_all_methods_block() -> None:
    """They have the answers of their async twins."""
    with PaywallDouble(now=START) as double:
        double.grant("noura", until=START + timedelta(days=1))
        assert double.ready(timeout=5)
        assert double.refresh("noura").granted
        double.deny("sami")
        answers = double.check_many(["noura", "sami"])
        assert [access.granted for access in answers.values()] == [True, False]
        assert not double.check_many(["noura"], "another-product")["noura"]
        double.as_of(START + timedelta(days=2))
        assert double.check("noura").reason is Reason.PERIOD_ENDED
        double.outage()
        assert double.check("new").reason is Reason.UNAVAILABLE
        double.outage(False)
        double.as_of(START + timedelta(days=3))

        body = json.loads(sample(EventType.SUBSCRIPTION_RENEWED))
        body["data"]["subscription"] |= {"id": 1, "external_customer_id": "noura"}
        raw = json.dumps(body).encode()
        double.grant("noura")
        double.feed(verify(raw, {"Signature": sign(raw, SECRET)}, secrets=[SECRET]))
        assert double.check("noura").source is Source.WEBHOOK
        assert repr(double) == "<Paywall of double>"
    assert repr(object.__new__(Paywall)) == "<Paywall>"


def test_a_paywall_over_a_client_keeps_its_snapshot(tmp_path: Path) -> None:
    """Closing it leaves the client open, and closing it again does no harm."""
    path = tmp_path / "payers"
    with Sandbox() as sandbox, sandbox.client() as rmz:
        paywall = Paywall(rmz, product_ids=[102], snapshot=path)
        assert not paywall.check("nobody")
        granted = paywall.check("usr_abc123")
        assert granted.granted, granted
        paywall.close()
        assert json.loads(path.read_text("utf-8").splitlines()[1])["user"] == "usr_abc123"
        assert rmz.subscriptions.get(501).id == 501
        assert isinstance(rmz, rmz_sync.Client)

        with Paywall(rmz, product_ids=[102], snapshot=path) as again:
            assert again.check("usr_abc123").source is Source.SNAPSHOT


def test_a_paywall_that_was_never_asked_keeps_its_snapshot(tmp_path: Path) -> None:
    """A process that ends before its first visitor leaves the payers to the next one."""
    path = tmp_path / "payers"
    with Sandbox() as sandbox, sandbox.client() as rmz:
        with Paywall(rmz, snapshot=path) as paywall:
            assert paywall.check("usr_abc123")
        before = path.read_bytes()
        with Paywall(rmz, snapshot=path):
            pass

    assert path.read_bytes() == before


def test_a_paywall_may_be_closed_after_its_client(tmp_path: Path) -> None:
    """The snapshot has what the paywall has learnt until then."""
    path = tmp_path / "payers"
    with Sandbox() as sandbox:
        with sandbox.client() as rmz, Paywall(rmz, snapshot=path) as paywall:
            paywall.check("usr_abc123")
            rmz.close()
        with sandbox.client() as rmz, Paywall(rmz, snapshot=path) as again:
            assert again.check("usr_abc123").source is Source.SNAPSHOT


@pytest.mark.parametrize("was_used", [True, False])
def test_a_paywall_over_a_closed_client_cannot_say(was_used: bool) -> None:
    """With the answers of its async twin: a payer whom it knows still comes in."""
    with Sandbox() as sandbox:
        rmz = sandbox.client()
        paywall = Paywall(rmz, lifetimes=Lifetimes(soft=1e-9, hard=1e-9))
        if was_used:
            assert paywall.check("usr_abc123")
        rmz.close()
        requests = len(sandbox.requests)

        found = paywall.check_many(["usr_abc123", "sami"])
        assert [access.granted for access in found.values()] == [was_used, False]
        assert paywall.check("sami").reason is Reason.UNAVAILABLE
        assert paywall.check("sami", "pro-plan").reason is Reason.UNAVAILABLE
        assert paywall.confirm("rmz-subscription-id=501", user="sami") == NotYet(retry_after=3)
        with pytest.raises(ConnectionFailedError):
            paywall.refresh("sami")
        assert paywall.status.problem == "ConfigurationError"
        assert len(sandbox.requests) == requests
        paywall.close()


def test_a_wrong_argument_is_refused_and_closes_nothing() -> None:
    """Its error is of the same kind as that of a closed client."""
    query: Any = 501
    with Sandbox() as sandbox, sandbox.client() as rmz, Paywall(rmz) as paywall:
        with pytest.raises(ConfigurationError, match=r"^query"):
            paywall.confirm(query, user="usr_abc123")

        assert paywall.check("usr_abc123")


def test_a_link_without_a_signature_is_refused_if_links_are_signed() -> None:
    """The secret reaches the paywall that does the work."""
    with Sandbox() as sandbox, sandbox.client() as rmz:
        paywall = Paywall(rmz, product_ids=[102], state_secret=SECRET)

        outcome = paywall.confirm("rmz-subscription-id=501", user="usr_abc123")

        assert outcome == NotFound(reason="link_altered")
        paywall.close()


def test_a_purchase_is_started_and_confirmed() -> None:
    """With the names and outcomes of the async side."""
    with PaywallDouble(now=START) as double:
        session = double.start(
            "noura",
            plan=PLAN,
            customer=1,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
        )
        assert session.checkout_url == "https://checkout.invalid/15"
        double.grant("noura")
        assert isinstance(double.confirm({"rmz-subscription-id": "1"}, user="noura"), Confirmed)


def test_a_paywall_that_was_never_asked_needs_no_background() -> None:
    """There is no background to end."""
    double = PaywallDouble(now=START)
    double.close()

    assert double.status.asked == 0


def test_a_double_may_be_closed_twice() -> None:
    """By a test, and then by its fixture; a client may, too."""
    with PaywallDouble(now=START) as double:
        double.close()
