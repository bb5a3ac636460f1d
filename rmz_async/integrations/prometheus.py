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
from rmz_async.integrations._buckets import AGES, ANSWERS, CALLS, HANDLERS, LAGS, WAITS
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

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(name, text, labels, buckets=buckets, registry=registry)

        self._attempts = counter(
            "rmz_attempts", "Attempts of calls of RMZ's API.", "operation", "outcome", "status"
        )
        self._waits = histogram(
            "rmz_attempt_wait_seconds",
            "Time before an attempt was sent, for a slot most of all.",
            WAITS,
            "operation",
        )
        self._calls = histogram(
            "rmz_call_duration_seconds",
            "Time of calls of RMZ's API, over all their attempts.",
            CALLS,
            "operation",
            "outcome",
        )
        self._decisions = counter(
            "rmz_paywall_decisions",
            "Answers of the paywall that memory did not have ready.",
            "granted",
            "reason",
            "source",
        )
        self._ages = histogram(
            "rmz_paywall_decision_age_seconds",
            "Time since RMZ was asked, for answers that memory did not have ready.",
            AGES,
            "source",
        )
        self._deliveries = counter(
            "rmz_webhook_deliveries", "Deliveries that were answered.", "event", "outcome", "secret"
        )
        self._answers = histogram(
            "rmz_webhook_answer_seconds",
            "Time to answer a delivery; RMZ gives up after 3 seconds.",
            ANSWERS,
            "outcome",
        )
        self._handled = counter(
            "rmz_webhook_handler_attempts",
            "Attempts of handlers.",
            "event",
            "handler",
            "outcome",
        )
        self._handlers = histogram(
            "rmz_webhook_handler_duration_seconds", "Time of handlers.", HANDLERS, "handler"
        )
        self._lags = histogram(
            "rmz_webhook_handler_lag_seconds",
            "Time between the storing of a delivery and the first attempt of a handler.",
            LAGS,
            "handler",
        )

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


class _State(Collector):
    """Reads figures whenever metrics are collected."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        for reading in self._readings:
            name = reading.name.replace(".", "_") + ("" if reading.unit is None else "_seconds")
            values = reading.values()
            labels = ["state"] if any(values) else []
            kind = CounterMetricFamily if reading.only_grows else GaugeMetricFamily
            metric = kind(name, reading.text, labels=labels)
            for state, value in values.items():
                metric.add_metric([] if state is None else [state], value)
            yield metric
