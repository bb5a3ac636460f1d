"""The rows of the API and the paths of the document, held against each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rmz_async.operations import OPERATIONS, Operation
from rmz_async.sandbox.serving.reference import contract

CALLS: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    call["operationId"]: (method.upper(), path, call)
    for path, item in contract()["paths"].items()
    for method, call in item.items()
}


def test_the_document_has_every_call_and_no_other() -> None:
    """A call that is added on one side only is found here."""
    assert set(CALLS) == {operation.name for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: str(operation.name))
def test_a_row_says_what_the_document_says(operation: Operation) -> None:
    """Method, path, retry rule, rate and source page are the same."""
    method, path, call = CALLS[operation.name]
    assert (operation.method, operation.path) == (method, path)
    assert operation.retry.name == call["x-rmz-retry"]
    assert operation.per_minute == call["x-rmz-per-minute"]
    assert operation.source == call["externalDocs"]["url"]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_described_in_full(name: str) -> None:
    """The tag is the resource; the call can fail as every call can; its answers have the limits."""
    _, path, call = CALLS[name]
    answers = call["responses"]
    assert call["tags"] == [name.partition(".")[0]]
    assert {"401", "403", "429", "500"} <= set(answers)
    names_another = name.endswith("_sessions.create") or name == "products.create"
    assert ("404" in answers) == ("{id}" in path or names_another)
    for status, answer in answers.items():
        if "$ref" in answer:
            answer = contract()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        limits = {"X-RateLimit-Limit", "X-RateLimit-Remaining"}
        if status == "429":
            limits |= {"X-RateLimit-Reset", "Retry-After"}
        # Without a known token there is no window, and a failure may come from before the limit.
        assert set(answer.get("headers", ())) == (limits if status not in ("401", "500") else set())


@pytest.mark.parametrize("name", CALLS)
def test_links_lead_to_calls_that_take_them(name: str) -> None:
    """Each link names a call, and gives it the id that its path needs."""
    for answer in CALLS[name][2]["responses"].values():
        for link in answer.get("links", {}).values():
            assert "{id}" in CALLS[link["operationId"]][1]
            assert set(link["parameters"]) == {"id"}
