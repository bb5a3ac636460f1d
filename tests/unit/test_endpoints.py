"""The rows of ``tests/endpoints.py`` cover the client, and both packages keep their promises."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

import rmz_async
import rmz_sync
from rmz_async.operations import OPERATIONS
from tests.endpoint import Endpoint
from tests.endpoints import ENDPOINTS, RESOURCES

every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda row: row.name)


def public(thing: object) -> set[str]:
    """The public names of an object."""
    return {name for name in dir(thing) if not name.startswith("_")}


def promised(package: Any, endpoint: Endpoint) -> Any:
    """The annotation of what a call of a package returns."""
    resource = getattr(package.Client("1|promises"), endpoint.resource)
    return get_type_hints(getattr(resource, endpoint.method))["return"]


def test_each_operation_has_one_row() -> None:
    """In the same order, so that a call that was forgotten is seen."""
    assert [endpoint.operation for endpoint in ENDPOINTS] == list(OPERATIONS)


def test_each_method_of_the_client_has_a_row() -> None:
    """A method without a row of its own would not be tested."""
    client = rmz_async.Client("1|rows")
    methods = {
        f"{resource}.{method}"
        for resource in RESOURCES
        for method in public(getattr(client, resource))
    }
    assert methods == {endpoint.name for endpoint in ENDPOINTS}


@every_endpoint
def test_the_async_call_returns_the_type_of_its_row(endpoint: Endpoint) -> None:
    """An editor shows the caller the right type."""
    assert promised(rmz_async, endpoint) == endpoint.returns


@every_endpoint
def test_the_sync_call_returns_the_type_of_its_row(endpoint: Endpoint) -> None:
    """A list is one of ``rmz_sync``'s own pagers; everything else is the very same class."""
    pager: Any = rmz_sync.Pager
    expected = pager[endpoint.model] if endpoint.is_list else endpoint.returns
    assert promised(rmz_sync, endpoint) == expected
