"""Each call sends what its row says, and returns what the row promises."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx

from rmz_async import Page
from tests.endpoint import Endpoint, Request, body_of
from tests.endpoints import REQUEST_IDS, REQUESTS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(("endpoint", "request_"), REQUESTS, ids=REQUEST_IDS)
async def test_a_call_sends_its_request_and_returns_its_answer(
    rmz_api: respx.MockRouter, make_client: Any, endpoint: Endpoint, request_: Request
) -> None:
    """Method, path, query and body are those of the row, with nothing more."""
    number = endpoint.number
    answer = httpx.Response(endpoint.success, json=endpoint.example)
    route = rmz_api.request(endpoint.operation.method, endpoint.path(number))
    route.mock(return_value=answer)
    async with make_client() as rmz:
        found = await request_.make(rmz, number)
    (call,) = route.calls
    assert dict(call.request.url.params) == endpoint.query(request_, number)
    assert body_of(call.request) == request_.body
    assert ("content-type" in call.request.headers) == (request_.body is not None)
    items = found.items if isinstance(found, Page) else (found,)
    assert isinstance(found, Page) == endpoint.is_list
    assert items
    assert all(isinstance(item, endpoint.model) for item in items)
