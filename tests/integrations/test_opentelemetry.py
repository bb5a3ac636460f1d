"""RMZ in OpenTelemetry, with the SDK's own exporters in memory, on asyncio and on trio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import rmz_async
import rmz_sync.sandbox
from rmz_async import NotFoundError, Paywall, RetryPolicy
from rmz_async.integrations.opentelemetry import OpenTelemetryObserver
from rmz_async.observing import HandlerRecord
from rmz_async.paywall import PaywallDouble
from rmz_async.sandbox import RequestFault, Sandbox
from rmz_async.webhooks import Event, EventType, Receiver, sample
from tests.webhooks.receiving import SECRET, deliver
from tests.wire.conftest import TOKEN, client_of, keeps, listening, resets

pytestmark = pytest.mark.anyio

EMAIL = "noura@example.com"
USER = "usr_abc123"
FOUND_NOTHING = b'{"data": {"has_active": false, "count": 0, "subscriptions": []}}'


@attrs.frozen
class Telemetry:
    """A process's OpenTelemetry.

    Attributes:
        tracer_provider: Makes spans.
        meter_provider: Makes metrics.
        exporter: Keeps the spans.
        reader: Keeps the metrics.
    """

    tracer_provider: TracerProvider
    meter_provider: MeterProvider
    exporter: InMemorySpanExporter
    reader: InMemoryMetricReader

    def observer(self, **options: Any) -> OpenTelemetryObserver:
        """Make an observer."""
        return OpenTelemetryObserver(self.tracer_provider, self.meter_provider, **options)

    def spans(self) -> Mapping[str, ReadableSpan]:
        """Return the last span of each name, in the order in which they ended."""
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def points(self, name: str) -> list[Any]:
        """Return the points of a metric."""
        return self.metrics().get(name, [])

    def metrics(self) -> dict[str, list[Any]]:
        """Collect all metrics, and return the points of each."""
        data = self.reader.get_metrics_data()
        assert data is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """OpenTelemetry in memory."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer_provider, meter_provider = TracerProvider(), MeterProvider([reader])
    tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Telemetry(tracer_provider, meter_provider, exporter, reader)
    tracer_provider.shutdown()
    meter_provider.shutdown()


@pytest.fixture
def httpx_spans(telemetry: Telemetry) -> Iterator[None]:
    """Spans of httpx, by OpenTelemetry's own instrumentation."""
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=telemetry.tracer_provider)
    yield
    instrumentor.uninstrument()


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


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """Return the attributes of a span."""
    assert span.attributes is not None
    return dict(span.attributes)


def is_child(child: ReadableSpan, parent: ReadableSpan) -> bool:
    """Whether one span is right within another."""
    assert parent.context is not None
    return child.parent is not None and child.parent.span_id == parent.context.span_id


async def lookup(telemetry: Telemetry) -> None:
    """Look a customer up, whose first answer is an error, within a span of the caller's own."""
    async with Sandbox() as sandbox:
        sandbox.faults.add(RequestFault.SERVER_ERROR, times=1)
        async with sandbox.client(observer=telemetry.observer()) as rmz:
            with telemetry.tracer_provider.get_tracer("app").start_as_current_span("request"):
                await rmz.subscriptions.lookup(
                    external_customer_id=USER, email=EMAIL, include_inactive=True
                )


async def test_a_call_is_a_span_with_its_attempts_within(telemetry: Telemetry) -> None:
    await lookup(telemetry)

    first, second, call, request = telemetry.exporter.get_finished_spans()
    assert is_child(first, call)
    assert is_child(second, call)
    assert is_child(call, request)
    assert attributes(first) == {
        "rmz.operation": "subscriptions.lookup",
        "http.request.method": "GET",
        "http.response.status_code": 500,
        "error.type": "ambiguous",
        "rmz.attempt.wait": attributes(first)["rmz.attempt.wait"],
    }
    assert attributes(second)["http.request.resend_count"] == 1
    assert attributes(call) == {
        "rmz.operation": "subscriptions.lookup",
        "rmz.attempts": 2,
        "rmz.retry_rule": "safe",
    }
    assert [span.status.is_ok for span in (first, second, call)] == [False, True, True]


@pytest.mark.usefixtures("httpx_spans")
async def test_the_span_of_httpx_is_within_its_attempt(telemetry: Telemetry) -> None:
    """Both are sent over real connections, and the first one is lost."""
    retry = RetryPolicy(max_attempts=2, backoff=0.001)
    with listening(resets, keeps(FOUND_NOTHING)) as server:
        async with client_of(server, retry=retry, observer=telemetry.observer()) as rmz:
            await rmz.subscriptions.lookup(email=EMAIL)

    lost, first, answered, second, call = telemetry.exporter.get_finished_spans()
    assert {lost.name, answered.name} == {"GET"}
    assert is_child(lost, first)
    assert is_child(answered, second)
    assert is_child(second, call)


@pytest.mark.usefixtures("httpx_spans")
async def test_no_span_and_no_metric_shows_a_customer(telemetry: Telemetry) -> None:
    with listening(keeps(FOUND_NOTHING)) as server:
        async with client_of(server, observer=telemetry.observer()) as rmz:
            await rmz.subscriptions.lookup(email=EMAIL, external_customer_id=USER)

    spans = "".join(span.to_json() for span in telemetry.exporter.get_finished_spans())
    data = telemetry.reader.get_metrics_data()
    assert data is not None
    for canary in (USER, EMAIL, TOKEN):
        assert canary not in spans + data.to_json()


def test_a_call_of_blocking_code_is_within_the_span_of_its_caller(telemetry: Telemetry) -> None:
    """The client's thread has the context of the thread that calls."""
    with rmz_sync.sandbox.Sandbox() as sandbox:
        number = sandbox.subscribe()
        with (
            sandbox.client(observer=telemetry.observer()) as rmz,
            telemetry.tracer_provider.get_tracer("app").start_as_current_span("request"),
        ):
            rmz.subscriptions.get(number)

    spans = telemetry.spans()
    assert is_child(spans["rmz.subscriptions.get"], spans["request"])


async def test_a_failed_call_has_the_name_of_its_error(telemetry: Telemetry) -> None:
    """The message of the error, which may show anything, is in no span."""
    async with Sandbox() as sandbox, sandbox.client(observer=telemetry.observer()) as rmz:
        with pytest.raises(NotFoundError):
            await rmz.subscriptions.get(999_999)

    call = telemetry.spans()["rmz.subscriptions.get"]
    assert attributes(call)["error.type"] == "NotFoundError"
    assert (call.status.is_ok, call.status.description, call.events) == (False, None, ())
    (point,) = telemetry.points("rmz.call.duration")
    assert point.attributes == {
        "rmz.operation": "subscriptions.get",
        "error.type": "NotFoundError",
    }


async def test_calls_and_attempts_are_counted(telemetry: Telemetry) -> None:
    await lookup(telemetry)

    operation = {"rmz.operation": "subscriptions.lookup"}
    attempts = [(dict(each.attributes), each.value) for each in telemetry.points("rmz.attempts")]
    failed = {"http.response.status_code": 500, "error.type": "ambiguous"}
    assert attempts == [
        ({**operation, **failed}, 1),
        ({**operation, "http.response.status_code": 200}, 1),
    ]
    (waits,) = telemetry.points("rmz.attempt.wait")
    assert (dict(waits.attributes), waits.count) == (operation, 2)
    (calls,) = telemetry.points("rmz.call.duration")
    assert (dict(calls.attributes), calls.count) == (operation, 1)
    assert max(calls.explicit_bounds) == 60


async def test_an_attempt_without_an_answer_has_no_status(telemetry: Telemetry) -> None:
    """Nobody listens at the address."""
    async with rmz_async.Client(
        "1|token",
        base_url="http://127.0.0.1:9",
        retry=RetryPolicy(max_attempts=1),
        observer=telemetry.observer(),
    ) as rmz:
        with pytest.raises(rmz_async.ConnectionFailedError):
            await rmz.subscriptions.get(501)

    (point,) = telemetry.points("rmz.attempts")
    assert point.attributes == {"rmz.operation": "subscriptions.get", "error.type": "not_sent"}


async def check(telemetry: Telemetry, **options: Any) -> None:
    """Ask whether a customer may in, within a span of the caller's own."""
    observer = telemetry.observer(**options)
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        with telemetry.tracer_provider.get_tracer("app").start_as_current_span("request"):
            await Paywall(rmz, observer=observer).check(USER)


async def test_decisions_are_counted_with_their_age(telemetry: Telemetry) -> None:
    await check(telemetry)

    (decisions,) = telemetry.points("rmz.paywall.decisions")
    assert decisions.attributes == {
        "rmz.paywall.granted": True,
        "rmz.paywall.reason": "active",
        "rmz.paywall.source": "api",
    }
    (ages,) = telemetry.points("rmz.paywall.decision.age")
    assert (dict(ages.attributes), ages.count) == ({"rmz.paywall.source": "api"}, 1)


async def test_a_decision_has_a_span_only_if_asked_for(telemetry: Telemetry) -> None:
    """Without one, the span of the caller stays as it was."""
    await check(telemetry)

    assert telemetry.spans().keys() == {"request"}
    assert attributes(telemetry.spans()["request"]) == {}


async def test_a_decision_has_a_span_if_asked_for(telemetry: Telemetry) -> None:
    await check(telemetry, decisions=True)

    spans = telemetry.spans()
    assert is_child(spans["rmz.paywall.check"], spans["request"])
    found = attributes(spans["rmz.paywall.check"])
    assert found.pop("rmz.paywall.decision.age") >= 0
    assert found == {
        "rmz.paywall.granted": True,
        "rmz.paywall.reason": "active",
        "rmz.paywall.source": "api",
    }


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
    double.grant("noura")
    for _ in range(2):
        await double.check("noura")
    receiver.on("subscription.*", name="mail")(lambda event: None)
    await deliver(receiver, sample(EventType.SUBSCRIPTION_RENEWED))
    await deliver(receiver, b"{")

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
