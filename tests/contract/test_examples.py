"""The document's examples, held against its schemas and given to the client to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from rmz_async import APIError, OutcomeUnknownError
from rmz_async.sandbox.serving.reference import contract
from tests.contract.outcomes import is_error_of, left_over
from tests.endpoint import number_of
from tests.endpoints import BY_NAME

if TYPE_CHECKING:
    from tests.contract.conftest import Answering, Faults

COMPONENTS = contract()["components"]


@attrs.frozen
class Example:
    """A value in the document, with the schema that stands beside it."""

    where: str
    schema: Mapping[str, Any]
    value: Any


def examples(node: object, where: str = "") -> Iterator[Example]:
    """Yield every example of a part of the document."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from examples(item, f"{where}/{index}")
    if not isinstance(node, dict):
        return
    if isinstance(node.get("examples"), list):
        for index, value in enumerate(node["examples"]):
            yield Example(f"{where}/{index}", node, value)
    if "schema" in node:
        if "example" in node:
            yield Example(where, node["schema"], node["example"])
        for name, example in node.get("examples", {}).items():
            yield Example(f"{where}/{name}", node["schema"], example["value"])
        return
    for key, item in node.items():
        yield from examples(item, f"{where}/{key}")


def answers() -> Iterator[tuple[str, int, Any]]:
    """Yield the call, the status and the body of every answer that has an example."""
    for item in contract()["paths"].values():
        for call in item.values():
            for status, answer in call["responses"].items():
                answer = COMPONENTS["responses"].get(
                    answer.get("$ref", "").rpartition("/")[2], answer
                )
                for example in answer["content"]["application/json"]["examples"].values():
                    yield call["operationId"], int(status), example["value"]


EXAMPLES = [
    *examples(contract()["paths"], "paths"),
    *examples(contract()["webhooks"], "webhooks"),
    *examples(COMPONENTS, "components"),
]
ANSWERS = list(answers())
IDS = [f"{name}-{status}-{index}" for index, (name, status, _) in enumerate(ANSWERS)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example.where))
def test_an_example_is_of_its_schema(faults: Faults, example: Example) -> None:
    """An example shows only what is allowed."""
    assert faults(example.value, example.schema) == []


def test_every_body_has_an_example() -> None:
    """Each request, each answer and each event has one."""
    shown = {example.where.rpartition("/")[0] for example in EXAMPLES}
    bodies = {
        *contents(contract()["paths"], "paths"),
        *contents(contract()["webhooks"], "webhooks"),
        *contents(COMPONENTS["responses"], "components/responses"),
    }
    assert bodies <= shown


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "status", "body"), ANSWERS, ids=IDS)
async def test_a_client_reads_what_the_document_shows(
    answering: Answering, name: str, status: int, body: Any
) -> None:
    """A success becomes a model with nothing left over, and a refusal the error of its status."""
    client, _ = answering(status, body)
    make, number = BY_NAME[name].requests[0].make, number_of(body)
    async with client:
        if status < 400:
            assert list(left_over(await make(client, number))) == []
            return
        with pytest.raises((APIError, OutcomeUnknownError)) as caught:
            await make(client, number)
    assert is_error_of(name, status, caught.value)
    if isinstance(caught.value, APIError):
        assert caught.value.message == body["message"]


def contents(node: object, where: str) -> Iterator[str]:
    """Yield the address of everything that has a body."""
    if isinstance(node, dict):
        for key, item in node.items():
            if key == "content":
                yield from (f"{where}/content/{kind}" for kind in item)
            else:
                yield from contents(item, f"{where}/{key}")
