"""RMZ in Prometheus, with a registry of its own for each test."""

from __future__ import annotations

import anyio
import pytest
from prometheus_client import CollectorRegistry

import rmz_async
from rmz_async import ConnectionFailedError
from rmz_async.integrations.prometheus import PrometheusObserver
from rmz_async.sandbox import Sandbox


@pytest.fixture
def registry() -> CollectorRegistry:
    """A registry without the process's own metrics."""
    return CollectorRegistry()


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
