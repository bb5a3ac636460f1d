"""RMZ in Prometheus, with a registry of its own for each test."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from prometheus_client import CollectorRegistry

import rmz_async
from rmz_async import ConnectionFailedError
from rmz_async.integrations.prometheus import PrometheusObserver
from rmz_async.observing import HandlerRecord
from rmz_async.paywall import PaywallDouble
from rmz_async.sandbox import Sandbox
from rmz_async.webhooks import Event, EventType, Receiver, sample
from tests.integrations.watched import fill
from tests.webhooks.receiving import SECRET, deliver, unreliable
from tests.webhooks.storages import Time


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry without the process's own metrics."""
    return CollectorRegistry()


@pytest.fixture
def address(tmp_path: Path) -> str:
    """The address of an inbox."""
    return f"sqlite:///{tmp_path / 'inbox.db'}"


async def visit(observer: PrometheusObserver) -> None:
    """Ask whether a stranger may in."""
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        await rmz_async.Paywall(rmz, observer=observer).check("usr_unknown")


def test_decisions_are_counted_with_their_age(registry: CollectorRegistry) -> None:
    anyio.run(visit, PrometheusObserver(registry))

    labels = {"granted": "false", "reason": "no_subscription", "source": "api"}
    assert registry.get_sample_value("rmz_paywall_decisions_total", labels) == 1
    count = "rmz_paywall_decision_age_seconds_count"
    assert registry.get_sample_value(count, {"source": "api"}) == 1


def test_attempts_without_an_answer_are_counted(registry: CollectorRegistry) -> None:
    """Nobody listens at the address."""

    async def call() -> None:
        retry = rmz_async.RetryPolicy(max_attempts=1)
        async with rmz_async.Client(
            "1|token",
            base_url="http://127.0.0.1:9",
            retry=retry,
            observer=PrometheusObserver(registry),
        ) as rmz:
            with pytest.raises(ConnectionFailedError):
                await rmz.subscriptions.get(501)

    anyio.run(call)

    labels = {"operation": "subscriptions.get", "outcome": "not_sent", "status": "none"}
    assert registry.get_sample_value("rmz_attempts_total", labels) == 1
    calls = {"operation": "subscriptions.get", "outcome": "ConnectionFailedError"}
    assert registry.get_sample_value("rmz_call_duration_seconds_count", calls) == 1
    waits = {"operation": "subscriptions.get"}
    assert registry.get_sample_value("rmz_attempt_wait_seconds_count", waits) == 1


async def work(observer: PrometheusObserver, address: str) -> None:
    """Receive a renewal, a forged one and a body that cannot be read, and run handlers twice."""
    receiver = Receiver(secrets=[SECRET], inbox=address, max_attempts=2, observer=observer)

    @receiver.on("*", name="mail")
    def mail(event: Event) -> None:
        raise LookupError

    await deliver(receiver, sample(EventType.SUBSCRIPTION_RENEWED))
    await deliver(receiver, b"{")
    await receiver.receive(b"{}", None)
    for _ in range(2):
        await receiver.run_one(1)
    await receiver.aclose()


def test_deliveries_are_counted_with_their_secret(
    registry: CollectorRegistry, address: str
) -> None:
    anyio.run(work, PrometheusObserver(registry), address)

    for event, outcome, secret in (
        ("subscription.renewed", "genuine", "0"),
        ("none", "unreadable", "none"),
        ("none", "refused", "none"),
    ):
        labels = {"event": event, "outcome": outcome, "secret": secret}
        assert registry.get_sample_value("rmz_webhook_deliveries_total", labels) == 1
        count = "rmz_webhook_answer_seconds_count"
        assert registry.get_sample_value(count, {"outcome": outcome}) == 1


def test_handlers_are_counted_with_their_outcome(registry: CollectorRegistry, address: str) -> None:
    """The second attempt is the last one; the lag is that of the first."""
    anyio.run(work, PrometheusObserver(registry), address)

    mail = {"handler": "mail"}
    for outcome in ("failed", "dead"):
        labels = {"event": "subscription.renewed", "outcome": outcome, **mail}
        assert registry.get_sample_value("rmz_webhook_handler_attempts_total", labels) == 1
    assert registry.get_sample_value("rmz_webhook_handler_duration_seconds_count", mail) == 2
    assert registry.get_sample_value("rmz_webhook_handler_lag_seconds_count", mail) == 1


def test_a_lag_that_is_unknown_is_not_counted(registry: CollectorRegistry) -> None:
    """An inbox of one's own may know no ages."""
    record = HandlerRecord(
        event="order.created", handler="mail", attempt=1, outcome="ok", seconds=1, lag=None
    )
    PrometheusObserver(registry).on_handler(record)

    mail = {"handler": "mail"}
    assert registry.get_sample_value("rmz_webhook_handler_duration_seconds_count", mail) == 1
    assert registry.get_sample_value("rmz_webhook_handler_lag_seconds_count", mail) is None


def test_the_state_is_read_whenever_metrics_are_collected(
    registry: CollectorRegistry, address: str
) -> None:
    """The inbox of one process may be filled by another."""
    observer = PrometheusObserver(registry)
    double = PaywallDouble()
    receiver = Receiver(secrets=[SECRET], inbox=address)
    observer.watch(paywall=double, receiver=receiver)
    before = registry.get_sample_value("rmz_inbox_tasks", {"state": "waiting"})

    anyio.run(fill, double, receiver)

    assert before == 0
    for state, count in (("waiting", 1), ("running", 0), ("dead", 0)):
        assert registry.get_sample_value("rmz_inbox_tasks", {"state": state}) == count
    assert registry.get_sample_value("rmz_inbox_unreadable") == 1
    assert registry.get_sample_value("rmz_inbox_oldest_seconds") is not None
    assert registry.get_sample_value("rmz_paywall_payers") == 1
    assert registry.get_sample_value("rmz_paywall_reachable") == 1
    assert registry.get_sample_value("rmz_paywall_memory_answers_total") == 1
    receiver.inbox.close()


def test_an_inbox_that_cannot_be_read_costs_its_own_metrics_only(
    registry: CollectorRegistry, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The database may be down at the moment; the next collection reads it."""
    receiver, inbox = unreliable(address, Time())
    observer = PrometheusObserver(registry)
    observer.watch(paywall=PaywallDouble(), receiver=receiver)
    inbox.broken.append("stats")

    found = {sample.name for metric in registry.collect() for sample in metric.samples}

    assert "rmz_paywall_payers" in found
    assert not any(name.startswith("rmz_inbox") for name in found)
    assert caplog.messages == ["the inbox cannot be read for metrics: OperationalError"]
    assert registry.get_sample_value("rmz_inbox_oldest_seconds") == 0
    receiver.inbox.close()
