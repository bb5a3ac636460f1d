"""Each call of ``rmz_sync`` sends what its row of ``tests/endpoints.py`` says."""

from __future__ import annotations

import httpx
import pytest

import rmz_sync
from tests.endpoint import Endpoint, Request, body_of
from tests.endpoints import REQUEST_IDS, REQUESTS


@pytest.mark.parametrize(("endpoint", "request_"), REQUESTS, ids=REQUEST_IDS)
def test_a_sync_call_sends_its_request_and_returns_its_answer(
    endpoint: Endpoint, request_: Request
) -> None:
    """No argument is lost on the way from one package to the other."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(endpoint.success, json=endpoint.example)

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    with rmz_sync.Client("1|rows", http=http, base_url="https://rmz.example") as rmz:
        found = request_.make(rmz, endpoint.number)
    (request,) = sent
    assert (request.method, request.url.path) == (
        endpoint.operation.method,
        endpoint.path(endpoint.number),
    )
    assert dict(request.url.params) == endpoint.query(request_, endpoint.number)
    assert body_of(request) == request_.body
    items = found.items if endpoint.is_list else (found,)
    assert items
    assert all(isinstance(item, endpoint.model) for item in items)
