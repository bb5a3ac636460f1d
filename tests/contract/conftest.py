"""The document, and what is held against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio.lowlevel
import attrs
import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from rmz_async import Client, RetryPolicy
from rmz_async.sandbox.serving.reference import contract
from tests.seams import Clock, async_client

Faults = Callable[[Any, Mapping[str, Any]], list[str]]
Answering = Callable[[int, object], tuple[Client, list[httpx.Request]]]

# A schema is looked up from here, so that its references lead into the document.
URI = "urn:rmz"


@attrs.define
class Time:
    """Seconds that pass only when somebody sleeps."""

    now: float = 1000.0

    async def sleep(self, seconds: float) -> None:
        """Let time pass immediately."""
        self.now += seconds
        await anyio.lowlevel.checkpoint()


@pytest.fixture(scope="session")
def faults() -> Faults:
    """Says what is wrong with a value, by the schema that stands in the document."""
    document = DRAFT202012.create_resource(contract())
    registry: Registry[Any] = Registry[Any]().with_resource(URI, document)
    formats = Draft202012Validator.FORMAT_CHECKER

    def find(value: Any, schema: Mapping[str, Any]) -> list[str]:
        # With an address of its own, a reference that begins with # would lead nowhere.
        validator = Draft202012Validator(
            _absolute(schema), registry=registry, format_checker=formats
        )
        return [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(value)]

    return find


@pytest.fixture
def answering() -> Answering:
    """Makes a client whose every call is answered alike, and a list of what it sends."""

    def make(status: int, body: object) -> tuple[Client, list[httpx.Request]]:
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(status, json=body)

        http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        time, once = Time(), RetryPolicy(max_attempts=1)
        clock = Clock(clock=lambda: time.now, sleep=time.sleep)
        return async_client(clock, "1|contract", http=http, retry=once), sent

    return make


def _absolute(schema: Any) -> Any:
    match schema:
        case dict():
            return {
                key: f"{URI}{value}" if key == "$ref" else _absolute(value)
                for key, value in schema.items()
            }
        case list():
            return [_absolute(item) for item in schema]
        case _:
            return schema
