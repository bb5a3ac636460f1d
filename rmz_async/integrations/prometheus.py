"""RMZ in Prometheus: an observer that counts calls, decisions, deliveries and their handlers.

::

    observer = PrometheusObserver()
    rmz = rmz_async.Client(observer=observer)
    paywall = rmz_async.Paywall(rmz, observer=observer)
    receiver = rmz_async.webhooks.Receiver(observer=observer, ...)
    observer.watch(paywall=paywall, receiver=receiver)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rmz_async._extras import extra
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
)

with extra("prometheus", needed_by="rmz_async.integrations.prometheus"):
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector

__all__ = ("PrometheusObserver",)


class PrometheusObserver(Observer):
    """Counts for Prometheus what happens; share one between all clients, paywalls and receivers.

    Args:
        registry: The registry of the metrics, which takes one such observer only; the process's
            own if left out.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._registry = registry
        self._attempts = self._counter(metrics.ATTEMPTS, "operation", "outcome", "status")
        self._waits = self._histogram(metrics.WAITS, "operation")
        self._calls = self._histogram(metrics.CALLS, "operation", "outcome")
        self._decisions = self._counter(metrics.DECISIONS, "granted", "reason", "source")
        self._ages = self._histogram(metrics.AGES, "source")
        self._deliveries = self._counter(metrics.DELIVERIES, "event", "outcome", "secret")
        self._answers = self._histogram(metrics.ANSWERS, "outcome")
        self._handled = self._counter(metrics.HANDLED, "event", "handler", "outcome")
        self._handlers = self._histogram(metrics.HANDLERS, "handler")
        self._lags = self._histogram(metrics.LAGS, "handler")

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
        self._registry.register(_State(readings(paywall, receiver)))

    def on_attempt(self, record: AttemptRecord) -> None:
        """Count an attempt, and the time before it was sent."""
        status = "none" if record.status is None else str(record.status)
        self._attempts.labels(record.operation, record.outcome, status).inc()
        self._waits.labels(record.operation).observe(record.waited)

    def on_call(self, record: CallRecord) -> None:
        """Count a call, and its time."""
        self._calls.labels(record.operation, record.outcome).observe(record.seconds)

    def on_decision(self, record: DecisionRecord) -> None:
        """Count an answer of a paywall, and its age."""
        granted = "true" if record.granted else "false"
        self._decisions.labels(granted, record.reason, record.source).inc()
        self._ages.labels(record.source).observe(record.age)

    def on_delivery(self, record: DeliveryRecord) -> None:
        """Count a delivery, and the time to answer it."""
        secret = "none" if record.secret_index is None else str(record.secret_index)
        self._deliveries.labels(record.event or "none", record.outcome, secret).inc()
        self._answers.labels(record.outcome).observe(record.seconds)

    def on_handler(self, record: HandlerRecord) -> None:
        """Count an attempt of a handler, its time, and how late the first one began."""
        self._handled.labels(record.event, record.handler, record.outcome).inc()
        self._handlers.labels(record.handler).observe(record.seconds)
        if record.attempt == 1 and record.lag is not None:
            self._lags.labels(record.handler).observe(record.lag)

    def _counter(self, metric: metrics.Counted, *labels: str) -> Counter:
        return Counter(_named(metric.name), metric.text, labels, registry=self._registry)

    def _histogram(self, metric: metrics.Timed, *labels: str) -> Histogram:
        name = _named(metric.name, "s")
        return Histogram(name, metric.text, labels, buckets=metric.buckets, registry=self._registry)


class _State(Collector):
    """Reads figures whenever metrics are collected."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        for reading in self._readings:
            name = _named(reading.name, reading.unit)
            values = reading.values()
            labels = ["state"] if any(values) else []
            kind = CounterMetricFamily if reading.only_grows else GaugeMetricFamily
            metric = kind(name, reading.text, labels=labels)
            for state, value in values.items():
                metric.add_metric([] if state is None else [state], value)
            yield metric


def _named(name: str, unit: str | None = None) -> str:
    return name.replace(".", "_") + ("" if unit is None else "_seconds")
