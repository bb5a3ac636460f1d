"""RMZ in Prometheus: an observer that counts attempts, calls and decisions.

::

    observer = PrometheusObserver()
    rmz = rmz_async.Client(observer=observer)
    paywall = rmz_async.Paywall(rmz, observer=observer)
"""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from rmz_async.observing import AttemptRecord, CallRecord, DecisionRecord, Observer

__all__ = ("PrometheusObserver",)

# An answer of a paywall may be from moments to a day old.
AGES = (0.1, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)


class PrometheusObserver(Observer):
    """Counts attempts, calls and decisions for Prometheus; share one between all clients.

    Args:
        registry: The registry of the metrics, which takes one such observer only; the process's
            own if left out.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._attempts = Counter(
            "rmz_attempts",
            "Attempts of calls of RMZ's API.",
            ("operation", "outcome", "status"),
            registry=registry,
        )
        self._waits = Histogram(
            "rmz_attempt_wait_seconds",
            "Time before an attempt was sent, for a slot most of all.",
            ("operation",),
            registry=registry,
        )
        self._calls = Histogram(
            "rmz_call_duration_seconds",
            "Time of calls of RMZ's API, over all their attempts.",
            ("operation", "outcome"),
            registry=registry,
        )
        self._decisions = Counter(
            "rmz_paywall_decisions",
            "Answers of the paywall that memory did not have ready.",
            ("granted", "reason", "source"),
            registry=registry,
        )
        self._ages = Histogram(
            "rmz_paywall_decision_age_seconds",
            "Time since RMZ was asked, for answers that memory did not have ready.",
            ("source",),
            registry=registry,
            buckets=AGES,
        )

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
