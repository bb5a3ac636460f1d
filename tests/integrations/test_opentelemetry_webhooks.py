"""Deliveries, handlers and the state of an inbox in OpenTelemetry, on both event loops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from opentelemetry import trace

from rmz_async.observing import HandlerRecord
from rmz_async.paywall import PaywallDouble
from rmz_async.webhooks import Event, EventType, Receiver, sample
from tests.integrations.telemetry import USER, Telemetry, attributes, is_child
from tests.integrations.watched import fill
from tests.webhooks.receiving import SECRET, deliver

pytestmark = pytest.mark.anyio


@pytest.fixture
async def receiver(telemetry: Telemetry, tmp_path: Path) -> Any:
    """A receiver that is observed."""
    receiver = Receiver(
        secrets=[SECRET],
        inbox=f"sqlite:///{tmp_path / 'inbox.db'}",
        max_attempts=2,
        observer=telemetry.observer(),
    )
    yield receiver
    await receiver.aclose()


async def test_a_handler_runs_in_a_span(telemetry: Telemetry, receiver: Receiver) -> None:
    """The handler's own spans are within."""

    @receiver.on("*", name="mail")
    async def mail(event: Event) -> None:
        with telemetry.tracer_provider.get_tracer("app").start_as_current_span("send"):
            await anyio.lowlevel.checkpoint()

    await deliver(receiver, sample(EventType.SUBSCRIPTION_RENEWED))
    await receiver.drain()

    spans = telemetry.spans()
    process = spans["process subscription.renewed"]
    assert is_child(spans["send"], process)
    assert process.kind is trace.SpanKind.CONSUMER
    found = attributes(process)
    assert found.pop("rmz.webhook.handler.lag") >= 0
    assert found == {
        "messaging.system": "rmz",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "rmz.webhook.event": "subscription.renewed",
        "rmz.webhook.handler": "mail",
        "rmz.webhook.handler.attempt": 1,
    }
    assert process.status.is_ok


async def test_a_plain_handler_is_within_its_span_too(
    telemetry: Telemetry, receiver: Receiver
) -> None:
    """The handler's thread has the context of its task."""

    @receiver.on("*", name="mail")
    def mail(event: Event) -> None:
        with telemetry.tracer_provider.get_tracer("app").start_as_current_span("send"):
            pass

    await deliver(receiver, sample(EventType.SUBSCRIPTION_RENEWED))
    await receiver.drain()

    spans = telemetry.spans()
    assert is_child(spans["send"], spans["process subscription.renewed"])


async def test_deliveries_and_handlers_are_counted(
    telemetry: Telemetry, receiver: Receiver
) -> None:
    @receiver.on("*", name="mail")
    def mail(event: Event) -> None:
        raise LookupError(USER)

    await deliver(receiver, sample(EventType.SUBSCRIPTION_RENEWED))
    await receiver.receive(b"{}", None)
    for _ in range(2):
        await receiver.run_one(1)

    genuine, refused = (
        dict(each.attributes) for each in telemetry.points("rmz.webhook.deliveries")
    )
    assert genuine == {
        "rmz.webhook.event": "subscription.renewed",
        "rmz.webhook.outcome": "genuine",
        "rmz.webhook.secret": 0,
    }
    assert refused == {"rmz.webhook.outcome": "refused"}
    answers = [dict(each.attributes) for each in telemetry.points("rmz.webhook.answer")]
    assert answers == [{"rmz.webhook.outcome": outcome} for outcome in ("genuine", "refused")]
    attempts = telemetry.points("rmz.webhook.handler.attempts")
    assert [each.attributes["error.type"] for each in attempts] == ["failed", "dead"]
    (durations,) = telemetry.points("rmz.webhook.handler.duration")
    (lags,) = telemetry.points("rmz.webhook.handler.lag")
    assert (durations.count, lags.count) == (2, 1)
    span = telemetry.spans()["process subscription.renewed"]
    assert attributes(span)["error.type"] == "dead"
    assert USER not in span.to_json()


async def test_a_lag_that_is_unknown_is_in_no_metric(telemetry: Telemetry) -> None:
    """An inbox of one's own may know no ages."""
    telemetry.observer().on_handler(
        HandlerRecord(
            event="order.created", handler="mail", attempt=1, outcome="ok", seconds=1, lag=None
        )
    )

    assert len(telemetry.points("rmz.webhook.handler.duration")) == 1
    assert telemetry.points("rmz.webhook.handler.lag") == []


async def test_the_state_is_read_whenever_metrics_are_collected(
    telemetry: Telemetry, receiver: Receiver
) -> None:
    double = PaywallDouble()
    telemetry.observer().watch(paywall=double, receiver=receiver)
    await fill(double, receiver)

    names = ("rmz.paywall.payers", "rmz.paywall.reachable", "rmz.paywall.memory.answers")
    read = {
        name: [(dict(point.attributes), point.value) for point in points]
        for name, points in telemetry.metrics().items()
        if name.startswith("rmz.inbox") or name in names
    }
    assert read.pop("rmz.inbox.oldest")[0][1] >= 0
    assert read == {
        "rmz.inbox.tasks": [
            ({"rmz.inbox.state": state}, value)
            for state, value in (("waiting", 1), ("running", 0), ("dead", 0))
        ],
        "rmz.inbox.unreadable": [({}, 1)],
        **{name: [({}, 1)] for name in names},
    }
