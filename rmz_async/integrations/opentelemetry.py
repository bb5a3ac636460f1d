"""RMZ in OpenTelemetry: an observer that makes spans and metrics.

::

    observer = OpenTelemetryObserver()
    rmz = rmz_async.Client(observer=observer)
    paywall = rmz_async.Paywall(rmz, observer=observer)
    receiver = rmz_async.webhooks.Receiver(observer=observer, ...)
    observer.watch(paywall=paywall, receiver=receiver)

A call is a span, and each of its attempts is a span within. The spans of OpenTelemetry's own
instrumentation of httpx are within the attempts. No span and no metric has anything of a customer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeAlias

from rmz_async._extras import extra
from rmz_async._version import __version__
from rmz_async.integrations import _metrics as metrics
from rmz_async.integrations._watching import (
    Reading,
    WatchedPaywall,
    WatchedReceiver,
    readings,
)
from rmz_async.observing import (
    AttemptRecord,
    CallRecord,
    DecisionRecord,
    DeliveryRecord,
    HandlerRecord,
    Observer,
    Work,
)

with extra("opentelemetry", needed_by="rmz_async.integrations.opentelemetry"):
    from opentelemetry import trace
    from opentelemetry.metrics import (
        CallbackOptions,
        Counter,
        Histogram,
        Meter,
        MeterProvider,
        Observation,
        get_meter,
    )
    from opentelemetry.trace import SpanKind, Status, StatusCode, TracerProvider

__all__ = ("OpenTelemetryObserver",)

Attributes: TypeAlias = dict[str, str | int | float | bool]

SCOPE = "rmz"


class OpenTelemetryObserver(Observer):
    """Makes spans and metrics; share one between all clients, paywalls and receivers.

    Args:
        tracer_provider: Makes the spans; the process's own if left out.
        meter_provider: Makes the metrics; the process's own if left out.
        decisions: Make a span of each answer of a paywall that memory did not have ready, too;
            there are many.
    """

    def __init__(
        self,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        *,
        decisions: bool = False,
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, __version__, tracer_provider)
        self._decisions_have_spans = decisions
        self._meter: Meter = get_meter(SCOPE, __version__, meter_provider)
        self._attempts = self._counter(metrics.ATTEMPTS)
        self._waits = self._histogram(metrics.WAITS)
        self._calls = self._histogram(metrics.CALLS)
        self._decisions = self._counter(metrics.DECISIONS)
        self._ages = self._histogram(metrics.AGES)
        self._deliveries = self._counter(metrics.DELIVERIES)
        self._answers = self._histogram(metrics.ANSWERS)
        self._handled = self._counter(metrics.HANDLED)
        self._handlers = self._histogram(metrics.HANDLERS)
        self._lags = self._histogram(metrics.LAGS)

    def watch(
        self, *, paywall: WatchedPaywall | None = None, receiver: WatchedReceiver | None = None
    ) -> None:
        """Read the state of a paywall and of a receiver's inbox whenever metrics are collected.

        The inbox is read in the thread that collects, which waits for the database. An observer
        watches one paywall and one receiver.

        Args:
            paywall: A paywall of either package.
            receiver: A receiver of either package.
        """
        for reading in readings(paywall, receiver):
            meter = self._meter
            create = (
                meter.create_observable_counter
                if reading.only_grows
                else meter.create_observable_gauge
            )
            create(reading.name, [_observations(reading)], reading.unit or "1", reading.text)

    def around(self, work: Work, name: str) -> AbstractContextManager[object]:
        """Return a span of the work."""
        if work is Work.HANDLER:
            attributes: Attributes = {
                "messaging.system": "rmz",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "rmz.webhook.event": name,
            }
            return self._span(f"process {name}", attributes, SpanKind.CONSUMER)
        if work is Work.DECISION:
            has_span = self._decisions_have_spans
            return self._span(f"rmz.paywall.{name}", {}) if has_span else nullcontext()
        suffix = " attempt" if work is Work.ATTEMPT else ""
        return self._span(f"rmz.{name}{suffix}", {"rmz.operation": name})

    def on_attempt(self, record: AttemptRecord) -> None:
        """Describe the attempt's span, and count the attempt."""
        attributes: Attributes = {"rmz.operation": record.operation}
        if record.status is not None:
            attributes["http.response.status_code"] = record.status
        error = None if record.outcome == "ok" else record.outcome
        self._attempts.add(1, _with_error(attributes, error))
        self._waits.record(record.waited, {"rmz.operation": record.operation})
        # A metric keeps the attributes that it was given, so these are others.
        described: Attributes = {
            **attributes,
            "http.request.method": record.method,
            "rmz.attempt.wait": record.waited,
        }
        if record.number > 1:
            described["http.request.resend_count"] = record.number - 1
        _describe(described, error)

    def on_call(self, record: CallRecord) -> None:
        """Describe the call's span, and record its time."""
        error = None if record.outcome == "ok" else record.outcome
        attributes: Attributes = {"rmz.operation": record.operation}
        self._calls.record(record.seconds, _with_error(attributes, error))
        _describe({"rmz.attempts": record.attempts, "rmz.retry_rule": record.rule}, error)

    def on_decision(self, record: DecisionRecord) -> None:
        """Count the answer, record its age, and describe its span if it has one."""
        source: Attributes = {"rmz.paywall.source": record.source}
        attributes: Attributes = {
            "rmz.paywall.granted": record.granted,
            "rmz.paywall.reason": record.reason,
            **source,
        }
        self._decisions.add(1, attributes)
        self._ages.record(record.age, source)
        if self._decisions_have_spans:
            _describe({**attributes, "rmz.paywall.decision.age": record.age}, None)

    def on_delivery(self, record: DeliveryRecord) -> None:
        """Count the delivery, and record the time to answer it."""
        outcome: Attributes = {"rmz.webhook.outcome": record.outcome}
        attributes: Attributes = dict(outcome)
        if record.event is not None:
            attributes["rmz.webhook.event"] = record.event
        if record.secret_index is not None:
            attributes["rmz.webhook.secret"] = record.secret_index
        self._deliveries.add(1, attributes)
        self._answers.record(record.seconds, outcome)

    def on_handler(self, record: HandlerRecord) -> None:
        """Describe the handler's span, count its attempt, and record its time and its lag."""
        error = None if record.outcome == "ok" else record.outcome
        handler: Attributes = {"rmz.webhook.handler": record.handler}
        attributes: Attributes = {"rmz.webhook.event": record.event, **handler}
        self._handled.add(1, _with_error(attributes, error))
        self._handlers.record(record.seconds, handler)
        described: Attributes = {**handler, "rmz.webhook.handler.attempt": record.attempt}
        if record.lag is not None:
            described["rmz.webhook.handler.lag"] = record.lag
            if record.attempt == 1:
                self._lags.record(record.lag, handler)
        _describe(described, error)

    def _counter(self, metric: metrics.Counted) -> Counter:
        return self._meter.create_counter(metric.name, f"{{{metric.unit}}}", metric.text)

    def _histogram(self, metric: metrics.Timed) -> Histogram:
        return self._meter.create_histogram(
            metric.name, "s", metric.text, explicit_bucket_boundaries_advisory=metric.buckets
        )

    def _span(
        self, name: str, attributes: Attributes, kind: SpanKind = SpanKind.INTERNAL
    ) -> AbstractContextManager[object]:
        # An exception's message and traceback may show what no span may have.
        return self._tracer.start_as_current_span(
            name,
            kind=kind,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        )


def _observations(reading: Reading) -> Callable[[CallbackOptions], Sequence[Observation]]:
    def observe(_: CallbackOptions) -> Sequence[Observation]:
        return [
            Observation(value, None if state is None else {"rmz.inbox.state": state})
            for state, value in reading.values().items()
        ]

    return observe


def _with_error(attributes: Attributes, error: str | None) -> Attributes:
    return attributes if error is None else {**attributes, "error.type": error}


def _describe(attributes: Mapping[str, str | int | float | bool], error: str | None) -> None:
    span = trace.get_current_span()
    span.set_attributes(dict(attributes))
    if error is not None:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR))
