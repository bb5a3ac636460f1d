"""The libraries that watch, mock and log httpx: they see our calls, and nothing that is secret."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
import respx
import sentry_sdk
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pytest_httpx import HTTPXMock
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations import DidNotEnable, Integration
from sentry_sdk.integrations.httpx import HttpxIntegration
from sentry_sdk.transport import Transport

from rmz_async import Client, ConnectionFailedError, NotFoundError, RetryPolicy
from tests.wire.conftest import BASE_URL, TOKEN, client_of, keeps, resets

pytestmark = pytest.mark.anyio

SUBSCRIPTION = {"data": {"id": 501, "status": "active"}}
FOUND_NOTHING = b'{"data": {"has_active": false, "count": 0, "subscriptions": []}}'
PAYER = "payer-of-rmz"
EMAIL = f"{PAYER}@example.com"
TWICE = RetryPolicy(max_attempts=2, backoff=0.001)


def shows_secrets(seen: object) -> bool:
    """Say whether something that was collected shows the token, or the customer's address."""
    return TOKEN.partition("|")[2] in repr(seen) or PAYER in repr(seen)


# --- Mocks -----------------------------------------------------------------------------------


async def test_respx_in_place_of_httpx_answers_our_calls(http: Any) -> None:
    """Nothing is sent to the real address."""
    with respx.mock(using="httpx", base_url=BASE_URL) as router:
        read = router.get("/subscriptions/501").respond(json=SUBSCRIPTION)
        refusal = {"message": "Gone.", "data": None, "error": True}
        gone = router.post("/subscriptions/502/pause").respond(404, json=refusal)
        async with Client(TOKEN, http=http, pacing=None) as rmz:
            assert (await rmz.subscriptions.get(501)).id == 501
            with pytest.raises(NotFoundError):
                await rmz.subscriptions.pause(502)
    assert read.call_count == gone.call_count == 1


async def test_pytest_httpx_answers_our_calls(httpx_mock: HTTPXMock, http: Any) -> None:
    """Nothing is sent to the real address."""
    httpx_mock.add_response(url=f"{BASE_URL}/subscriptions/501", json=SUBSCRIPTION)
    httpx_mock.add_response(url=f"{BASE_URL}/subscriptions/lookup", json=json.loads(FOUND_NOTHING))
    async with Client(TOKEN, http=http, pacing=None) as rmz:
        assert (await rmz.subscriptions.get(501)).id == 501
        await rmz.subscriptions.lookup(email=EMAIL)
    assert not shows_secrets([vars(request) for request in httpx_mock.get_requests()])


async def test_an_error_that_pytest_httpx_raises_is_one_of_the_connection(
    httpx_mock: HTTPXMock, http: Any
) -> None:
    """A change that was surely not sent is sent again."""
    httpx_mock.add_exception(httpx.ConnectError("refused"))
    httpx_mock.add_response(json=SUBSCRIPTION)
    async with Client(TOKEN, http=http, pacing=None, retry=TWICE) as rmz:
        assert (await rmz.subscriptions.extend(501, days=7)).id == 501
    assert len(httpx_mock.get_requests()) == 2


async def test_a_recorder_may_replace_the_stream_of_a_request(
    serving: Any, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools such as vcrpy read the content, and put a stream of their own in its place."""
    sent = httpx.AsyncHTTPTransport.handle_async_request

    async def record(transport: Any, request: httpx.Request) -> httpx.Response:
        stream = cast("httpx.AsyncByteStream", request.stream)
        request.stream = httpx.ByteStream(b"".join([part async for part in stream]))
        return await sent(transport, request)

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", record)
    uploaded = {"data": {"id": 7, "type": "image"}}
    with serving(keeps(), keeps(), keeps(json.dumps(uploaded).encode())) as server:
        async with client_of(server, http=http) as rmz:
            await rmz.subscriptions.get(501)
            await rmz.subscriptions.extend(501, days=7)
            assert (await rmz.products.upload(b"PNG", kind="image", name="a.png")).id == 7
    assert server.requests[1].endswith(b'\r\n\r\n{"days":7}')
    assert b"PNG" in server.requests[2]


# --- Logs ------------------------------------------------------------------------------------


async def test_no_log_line_shows_a_secret(
    serving: Any, http: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The line of httpx has the path; the query, which may be personal, is in none of any level."""
    caplog.set_level(logging.DEBUG)
    with serving(keeps(FOUND_NOTHING)) as server:
        async with client_of(server, http=http) as rmz:
            await rmz.subscriptions.lookup(email=EMAIL)
        assert PAYER.encode() in server.requests[0]
        assert TOKEN.encode() in server.requests[0]
    lines = [record.getMessage() for record in caplog.records if record.name == "httpx"]
    assert len(lines) == 1
    assert f'GET {server.base_url}/subscriptions/lookup "HTTP/1.1 200 OK"' in lines[0]
    assert not shows_secrets([vars(record) for record in caplog.records])


# --- OpenTelemetry ---------------------------------------------------------------------------


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The spans of a process whose httpx is instrumented, with all headers of requests."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST", ".*")
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    instrumentor = HTTPXClientInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    yield spans
    instrumentor.uninstrument()
    provider.shutdown()


async def test_open_telemetry_has_one_span_for_each_attempt(
    serving: Any, http: Any, spans: InMemorySpanExporter
) -> None:
    """Its headers reach the server, and the query and the token are in no span."""
    with serving(resets, keeps(FOUND_NOTHING)) as server:
        async with client_of(server, http=http, retry=TWICE) as rmz:
            await rmz.subscriptions.lookup(email=EMAIL)
        assert all(b"\r\ntraceparent: " in request for request in server.requests)
    failed, answered = spans.get_finished_spans()
    assert not failed.status.is_ok
    assert answered.attributes is not None
    assert answered.attributes["http.url"] == f"{server.base_url}/subscriptions/lookup"
    assert answered.attributes["http.status_code"] == 200
    assert not shows_secrets([span.to_json() for span in (failed, answered)])


# --- Sentry ----------------------------------------------------------------------------------


class Kept(Transport):
    """Keeps what would be sent to Sentry."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep it."""
        self.items += [item.payload.json for item in envelope.items if item.payload.json]


def integrations() -> list[Integration]:
    """Return what Sentry switches on by itself if both libraries are installed."""
    try:
        from sentry_sdk.integrations.aiohttp import AioHttpIntegration
    except DidNotEnable:
        return [HttpxIntegration()]
    return [HttpxIntegration(), AioHttpIntegration()]


@pytest.fixture
def sentry() -> Iterator[Kept]:
    """Sentry, with its integration of httpx."""
    kept = Kept()
    before = sentry_sdk.get_client()
    client = sentry_sdk.Client(
        dsn="https://key@sentry.invalid/1",
        transport=kept,
        traces_sample_rate=1.0,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=integrations(),
    )
    with sentry_sdk.isolation_scope():
        sentry_sdk.get_global_scope().set_client(client)
        yield kept
        sentry_sdk.get_global_scope().set_client(before)
    client.close()


async def test_sentry_records_a_span_and_a_breadcrumb(
    serving: Any, http: Any, sentry: Kept
) -> None:
    """No secret is in what is sent to Sentry for a request, nor in a crash report."""
    with serving(keeps(FOUND_NOTHING), resets) as server:
        async with client_of(server, http=http) as rmz:
            with sentry_sdk.start_transaction(name="test"):
                await rmz.subscriptions.lookup(email=EMAIL)
            try:
                await rmz.subscriptions.lookup(email=EMAIL)
            except ConnectionFailedError as error:
                sentry_sdk.capture_exception(error)
    transaction, crash = (item for item in sentry.items if "event_id" in item)
    (span,) = (span for span in transaction["spans"] if span["op"] == "http.client")
    address = f"{server.base_url}/subscriptions/lookup"
    assert (span["data"]["url"], span["data"]["http.response.status_code"]) == (address, 200)
    assert span["data"]["http.query"] == ""
    crumbs = [crumb for crumb in crash["breadcrumbs"]["values"] if crumb["type"] == "http"]
    assert [crumb["data"]["url"] for crumb in crumbs] == [address]
    del crash["exception"]  # The first frame has the test's own variables.
    assert not shows_secrets(sentry.items)


# --- Hooks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_event_hooks_of_the_callers_own_client_see_our_calls(serving: Any) -> None:
    """The request with its content, and the answer."""
    seen: list[object] = []

    async def asked(request: httpx.Request) -> None:
        seen.append((request.method, request.url.path, request.content))

    async def answered(response: httpx.Response) -> None:
        seen.append(response.status_code)

    hooks: dict[str, list[Any]] = {"request": [asked], "response": [answered]}
    with serving(keeps()) as server:
        async with httpx.AsyncClient(event_hooks=hooks) as own:
            await client_of(server, http=own).subscriptions.extend(501, days=7)
    assert seen == [("POST", "/shawarma/subscriptions/501/extend", b'{"days":7}'), 200]
    assert re.search(rb"\r\n\r\n(.*)", server.requests[0], re.DOTALL)
