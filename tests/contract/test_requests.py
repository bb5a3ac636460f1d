"""The client's requests, held against what the document takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import attrs
import pytest

from rmz_async.sandbox.serving.reference import contract
from tests.endpoint import Endpoint, Request, body_of
from tests.endpoints import ENDPOINTS, REQUEST_IDS, REQUESTS

if TYPE_CHECKING:
    from tests.contract.conftest import Answering, Faults

pytestmark = pytest.mark.anyio

CALLS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    call["operationId"]: (method.upper(), path, call)
    for path, item in contract()["paths"].items()
    for method, call in item.items()
}
BASE_PATH = "/shawarma"


@attrs.frozen
class Sent:
    """A request, taken apart."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any


async def send(answering: Answering, endpoint: Endpoint, request: Request) -> Sent:
    """Make a call, which is answered with the document's own first example."""
    client, requests = answering(endpoint.success, endpoint.example)
    async with client:
        await request.make(client, endpoint.number)
    (sent,) = requests
    return Sent(
        method=sent.method,
        path=sent.url.path.removeprefix(BASE_PATH),
        query=dict(parse_qsl(sent.url.query.decode())),
        body=body_of(sent),
    )


@pytest.mark.parametrize(("endpoint", "request_"), REQUESTS, ids=REQUEST_IDS)
async def test_a_request_is_one_that_the_document_takes(
    answering: Answering, faults: Faults, endpoint: Endpoint, request_: Request
) -> None:
    """Its address is there, and its parameters and fields are known and of the right form."""
    method, path, documented = CALLS[endpoint.name]
    sent = await send(answering, endpoint, request_)
    parameters = {parameter["name"]: parameter["schema"] for parameter in parameters_of(documented)}

    assert sent.method == method
    assert re.fullmatch(path.replace("{id}", "[1-9][0-9]*"), sent.path)
    assert set(sent.query) <= set(parameters)
    for parameter, value in sent.query.items():
        assert faults(read(value, parameters[parameter]), parameters[parameter]) == []
    if "requestBody" in documented:
        schema = schema_of(documented)
        assert faults(sent.body, schema) == []
        assert set(paths_in(sent.body)) <= set(fields_of(schema))
    else:
        assert sent.body is None


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
async def test_a_client_can_send_all_that_the_document_takes(
    answering: Answering, endpoint: Endpoint
) -> None:
    """No parameter and no field is out of a caller's reach."""
    documented = CALLS[endpoint.name][2]
    sent = [await send(answering, endpoint, request) for request in endpoint.requests]
    parameters = {
        parameter["name"] for parameter in parameters_of(documented) if parameter["in"] == "query"
    }
    assert set[str]().union(*(request.query for request in sent)) == parameters
    if "requestBody" in documented:
        schema = schema_of(documented)
        reached = set[str]().union(*(paths_in(request.body) for request in sent))
        assert reached == set(fields_of(schema))


def schema_of(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of what a call sends: JSON or a form."""
    (body,) = call["requestBody"]["content"].values()
    return cast("Mapping[str, Any]", body["schema"])


def parameters_of(call: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a call's parameters."""
    for parameter in call.get("parameters", ()):
        yield resolved(parameter)


def resolved(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference leads to, or the value itself."""
    if "$ref" not in value:
        return value
    _, _, kind, name = value["$ref"].split("/")
    return cast("Mapping[str, Any]", contract()["components"][kind][name])


def read(value: str, schema: Mapping[str, Any]) -> object:
    """Return a query's string as its schema means it."""
    kinds = [resolved(schema), *resolved(schema).get("anyOf", ())]
    return int(value) if any(kind.get("type") == "integer" for kind in kinds) else value


def fields_of(schema: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every field that a body may have."""
    schema = resolved(schema)
    for name, inner in schema.get("properties", {}).items():
        yield f"{prefix}{name}"
        yield from fields_of(inner, f"{prefix}{name}.")
    if "items" in schema:
        yield from fields_of(schema["items"], prefix)
    for form in (*schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from fields_of(form, prefix)


def paths_in(value: object, prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every field in a body, but for those that a caller names."""
    match value:
        case dict():
            for name, inner in value.items():
                yield f"{prefix}{name}"
                if name not in ("metadata", "options", "seo", "course") or isinstance(inner, list):
                    yield from paths_in(inner, f"{prefix}{name}.")
        case list():
            for inner in value:
                yield from paths_in(inner, prefix)
        case _:
            return
