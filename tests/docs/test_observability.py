"""The tables of "See what happens", its alarms and its dashboard name metrics that there are."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry

from rmz_async.integrations.opentelemetry import OpenTelemetryObserver
from rmz_async.integrations.prometheus import PrometheusObserver
from rmz_async.observing import (
    AttemptRecord,
    CallRecord,
    DecisionRecord,
    DeliveryRecord,
    HandlerRecord,
    Observer,
)
from rmz_async.paywall import PaywallDouble
from rmz_async.webhooks import Receiver
from tests.docs.pages import ROOT, Page

PAGE = "docs/observability.md"
DASHBOARD = json.loads((ROOT / "docs/dashboard.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def fill(observer: Observer) -> None:
    """Give an observer one record of each kind, with a value in every field."""
    observer.on_attempt(
        AttemptRecord(
            operation="subscriptions.get",
            method="GET",
            rule="safe",
            number=1,
            status=500,
            outcome="ambiguous",
            seconds=1,
            waited=1,
        )
    )
    observer.on_call(
        CallRecord(
            operation="subscriptions.get",
            rule="safe",
            attempts=1,
            outcome="ServerError",
            seconds=1,
        )
    )
    observer.on_decision(DecisionRecord(granted=True, reason="active", source="api", age=1))
    observer.on_delivery(
        DeliveryRecord(event="order.created", outcome="genuine", secret_index=0, seconds=1)
    )
    observer.on_handler(
        HandlerRecord(
            event="order.created", handler="mail", attempt=1, outcome="dead", seconds=1, lag=1
        )
    )


@attrs.frozen
class Measured:
    """The metrics of an adapter.

    Attributes:
        labels: The labels of each metric, by its name.
        seconds: The names of those that are seconds.
        series: The names of all series, in Prometheus.
    """

    labels: dict[str, set[str]]
    seconds: set[str]
    series: dict[str, str]


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """A receiver to be watched."""
    path = tmp_path_factory.mktemp("inbox") / "inbox.db"
    receiver = Receiver(secrets=["a-secret-for-a-test"], inbox=f"sqlite:///{path}")
    yield receiver
    receiver.inbox.close()


@pytest.fixture(scope="module")
def in_prometheus(receiver: Receiver) -> Measured:
    """The metrics that the adapter for Prometheus makes."""
    registry = CollectorRegistry()
    observer = PrometheusObserver(registry)
    observer.watch(paywall=PaywallDouble(), receiver=receiver)
    fill(observer)
    labels: dict[str, set[str]] = {}
    series: dict[str, str] = {}
    for metric in registry.collect():
        name = metric.name + ("_total" if metric.type == "counter" else "")
        samples = [one for one in metric.samples if not one.name.endswith("_created")]
        labels[name] = {label for one in samples for label in one.labels} - {"le"}
        series |= {one.name: name for one in samples}
    return Measured(labels, {name for name in labels if name.endswith("_seconds")}, series)


@pytest.fixture(scope="module")
def in_opentelemetry(receiver: Receiver) -> Measured:
    """The metrics that the adapter for OpenTelemetry makes."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    observer = OpenTelemetryObserver(meter_provider=provider)
    observer.watch(paywall=PaywallDouble(), receiver=receiver)
    fill(observer)
    data = reader.get_metrics_data()
    assert data is not None
    metrics = [
        metric
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]
    provider.shutdown()
    return Measured(
        {
            metric.name: {name for one in metric.data.data_points for name in one.attributes or ()}
            for metric in metrics
        },
        {metric.name for metric in metrics if metric.unit == "s"},
        {},
    )


def table(head: str) -> list[list[str]]:
    """Return the cells of the table whose first heading is *head*."""
    text = (ROOT / PAGE).read_text("utf-8")
    (rows,) = re.findall(rf"(?m)^\| {head} \|.*\n\| --- .*\n((?:\|.*\n)+)", text)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def quoted(cell: str) -> list[str]:
    """Return the code in a cell."""
    return re.findall("`([^`]+)`", cell)


def test_the_table_has_each_metric_with_its_unit_and_its_labels(
    in_prometheus: Measured, in_opentelemetry: Measured
) -> None:
    rows = table("Prometheus")

    written = {quoted(name)[0]: set(quoted(labels)) for name, _, _, labels, _ in rows}
    assert written == in_prometheus.labels
    assert {quoted(name)[0] for _, name, *_ in rows} == in_opentelemetry.labels.keys()
    in_seconds = [row for row in rows if row[2] == "seconds"]
    assert {quoted(row[0])[0] for row in in_seconds} == in_prometheus.seconds
    assert {quoted(row[1])[0] for row in in_seconds} == in_opentelemetry.seconds


def test_the_table_has_each_label_with_its_attribute(
    in_prometheus: Measured, in_opentelemetry: Measured
) -> None:
    """A label of several metrics may be another attribute for each: ``outcome`` is."""
    attributes: dict[str, set[str]] = defaultdict(set)
    for label, attribute, _ in table("Label"):
        attributes[quoted(label)[0]] |= set(quoted(attribute))

    for name, other, *_ in table("Prometheus"):
        labels = in_prometheus.labels[quoted(name)[0]]
        found = in_opentelemetry.labels[quoted(other)[0]]
        assert len(found) == len(labels)
        assert all(attributes[label] & found for label in labels)


def test_a_name_in_prometheus_is_that_of_opentelemetry_translated() -> None:
    """OpenTelemetry's exporter to Prometheus gives a metric the very same name."""
    for name, other, unit, *_ in table("Prometheus"):
        translated = quoted(other)[0].replace(".", "_") + "_seconds" * (unit == "seconds")
        assert quoted(name)[0].removesuffix("_total") == translated


def expressions() -> Iterator[str]:
    """Give the expressions of all alarms and of all panels."""
    (block,) = re.findall(r"(?ms)^```yaml\n(.*?)^```", (ROOT / PAGE).read_text("utf-8"))
    for group in yaml.safe_load(block)["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    yield from (target["expr"] for panel in PANELS for target in panel["targets"])


def selectors(expression: str) -> list[tuple[str, str]]:
    """Return the series that an expression selects, each with its conditions."""
    return re.findall(r"\b(rmz_\w+)(?:\{([^}]*)\})?", expression)


@pytest.mark.parametrize("expression", list(expressions()))
def test_an_expression_names_metrics_and_labels_that_there_are(
    in_prometheus: Measured, expression: str
) -> None:
    found = selectors(expression)
    grouped = {
        name
        for names in re.findall(r"by \(([^)]*)\)", expression)
        for name in names.split(", ")
        if name != "le"
    }

    assert found
    for series, conditions in found:
        labels = in_prometheus.labels[in_prometheus.series[series]]
        assert grouped | set(re.findall(r"(\w+)[=!]", conditions)) <= labels


def test_the_dashboard_shows_each_metric(in_prometheus: Measured) -> None:
    shown = {
        in_prometheus.series[series]
        for panel in PANELS
        for target in panel["targets"]
        for series, _ in selectors(target["expr"])
    }

    assert shown == in_prometheus.labels.keys()


def test_no_panel_of_the_dashboard_covers_another() -> None:
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]

    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not any(overlap(one, other) for one, other in combinations(places, 2))
    assert all_differ(panel["id"] for panel in DASHBOARD["panels"])


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two places have a part in common."""
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


def all_differ(values: Iterable[object]) -> bool:
    """Whether no value comes twice."""
    listed = list(values)
    return len(set(listed)) == len(listed)


def test_the_page_prints_what_it_says(page: Page) -> None:
    page.run()

    shown = [
        line.removeprefix("# ")
        for line in Path(ROOT / PAGE).read_text("utf-8").splitlines()
        if line.startswith("# ")
    ][1:]
    assert page.printed == shown
