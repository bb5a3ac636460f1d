"""Calls and decisions in OpenTelemetry, with the SDK's exporters in memory, on both event loops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

import rmz_async
import rmz_sync.sandbox
from rmz_async import NotFoundError, Paywall, RetryPolicy
from rmz_async.sandbox import RequestFault, Sandbox
from tests.integrations.telemetry import USER, Telemetry, attributes, is_child
from tests.wire.conftest import TOKEN, client_of, keeps, listening, resets

pytestmark = pytest.mark.anyio

EMAIL = "noura@example.com"
FOUND_NOTHING = b'{"data": {"has_active": false, "count": 0, "subscriptions": []}}'


@pytest.fixture
def httpx_spans(telemetry: Telemetry) -> Iterator[None]:
    """Spans of httpx, by OpenTelemetry's own instrumentation."""
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=telemetry.tracer_provider)
    yield
    instrumentor.uninstrument()


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
