"""A process's OpenTelemetry in memory, and how its spans are read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from rmz_async.integrations.opentelemetry import OpenTelemetryObserver

USER = "usr_abc123"


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


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """Return the attributes of a span."""
    assert span.attributes is not None
    return dict(span.attributes)


def is_child(child: ReadableSpan, parent: ReadableSpan) -> bool:
    """Whether one span is right within another."""
    assert parent.context is not None
    return child.parent is not None and child.parent.span_id == parent.context.span_id
