"""A receiver, OpenTelemetry in memory, and deliveries to a server in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import rmz_async
import rmz_sync
from rmz_async import webhooks
from rmz_async.webhooks import EventType
from tests.integrations.telemetry import Telemetry

SECRET = "whsec_for_tests_of_frameworks"
PATH = "/webhooks/rmz"


class Effects:
    """The effects of a handler, and how to wait for them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._happened = threading.Semaphore(0)

    def happen(self, event: webhooks.Event) -> None:
        """Note an effect; the handler of the receiver."""
        self.names.append(event.event)
        self._happened.release()

    def wait(self) -> None:
        """Wait for one more effect."""
        assert self._happened.acquire(timeout=30)


@pytest.fixture
def effects() -> Effects:
    """The effects of the handler."""
    return Effects()


@pytest.fixture
def receiver(effects: Effects, tmp_path: Path) -> Iterator[webhooks.Receiver]:
    """A receiver with one handler for all events."""
    receiver = webhooks.Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path / 'inbox.db'}")
    receiver.on("*", name="effects")(effects.happen)
    yield receiver
    receiver.inbox.close()


@pytest.fixture
def blocking_receiver(effects: Effects, tmp_path: Path) -> Iterator[rmz_sync.webhooks.Receiver]:
    """The same for code that cannot await."""
    inbox = f"sqlite:///{tmp_path / 'inbox.db'}"
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=inbox)
    receiver.on("*", name="effects")(effects.happen)
    yield receiver
    receiver.close()


@pytest.fixture
def made_client() -> Callable[[], rmz_async.Client]:
    """Makes the client of an application."""
    return lambda: rmz_async.Client("1|token", base_url="http://127.0.0.1:9")


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """OpenTelemetry in memory."""
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracer_provider, meter_provider = TracerProvider(), MeterProvider([reader])
    tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Telemetry(tracer_provider, meter_provider, exporter, reader)
    tracer_provider.shutdown()
    meter_provider.shutdown()


def deliver(url: str, body: bytes, signature: str | None = None) -> httpx.Response:
    """Send a delivery; RMZ signed it, unless *signature* says otherwise."""
    signature = webhooks.sign(body, SECRET) if signature is None else signature
    headers = {"Signature": signature, "X-RMZ-REQUEST-ID": "7"}
    return httpx.post(url + PATH, content=body, headers=headers, timeout=30)


@contextmanager
def serving(app: Any, listener: socket.socket | None = None) -> Generator[str]:
    """Serve an ASGI application as production does, and return its address."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="auto"))
    with listener or socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


def check_deliveries(url: str, effects: Effects) -> None:
    """Deliver to a server whose receiver works, and look at its answers and effects."""
    body = webhooks.sample(EventType.SUBSCRIPTION_RENEWED)
    assert deliver(url, body).status_code == 200
    effects.wait()
    assert deliver(url, body).status_code == 200, "a repeat is answered like the first"
    assert deliver(url, body, "0" * 64).status_code == 401
    assert refused(url, b"x" * (2 * 1024 * 1024))
    assert httpx.get(url + PATH).status_code == 405
    assert effects.names == ["subscription.renewed"]


def refused(url: str, body: bytes) -> bool:
    """Whether a body is refused; a server may close the connection in the middle of it."""
    try:
        return deliver(url, body).status_code == 401
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        return True
