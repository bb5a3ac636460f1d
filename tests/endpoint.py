"""The shape of one row of :mod:`tests.endpoints`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from email import message_from_bytes
from email.message import Message
from typing import Any, cast, get_args, get_origin

import attrs
import httpx

from rmz_async import Model, Pager
from rmz_async.operations import Operation
from rmz_async.sandbox.serving.reference import contract

DOCUMENTED: Mapping[str, Mapping[str, Any]] = {
    call["operationId"]: call for item in contract()["paths"].values() for call in item.values()
}


@attrs.frozen(kw_only=True, eq=False)
class Request:
    """A way to make a call, and what the client then sends.

    Attributes:
        make: Makes the call with a client and a number: the object's id, or the page.
        query: The query of the address, but for the ``page`` of a list.
        body: The JSON that is sent, or the fields of a form; None for no body.
    """

    make: Callable[[Any, int], Any]
    query: Mapping[str, str] = {}
    body: object = None


@attrs.frozen(kw_only=True, eq=False)
class Endpoint:
    """A call.

    Attributes:
        operation: The row of the client's own table.
        returns: The annotation of the method: a model, or a `Pager` of one.
        requests: Ways to make the call; the first one passes as little as possible, the last one
            passes every argument.
        models: A full payload in plain JSON, with every field set, of each model that only this
            call has.
    """

    operation: Operation
    returns: Any
    requests: Sequence[Request]
    models: Mapping[type[Model], Mapping[str, Any]] = {}

    @property
    def name(self) -> str:
        """The call as it is written in Python, ``resource.method``."""
        return self.operation.name

    @property
    def resource(self) -> str:
        """The client's attribute."""
        return self.name.partition(".")[0]

    @property
    def method(self) -> str:
        """The method of the resource."""
        return self.name.partition(".")[2]

    @property
    def is_list(self) -> bool:
        """Whether the call returns a `Pager`."""
        return get_origin(self.returns) is Pager

    @property
    def model(self) -> Any:
        """The class of the answer, or of one item of the list."""
        return get_args(self.returns)[0] if self.is_list else self.returns

    @property
    def success(self) -> int:
        """The documented status of a success."""
        return next(int(status) for status in DOCUMENTED[self.name]["responses"] if status < "300")

    @property
    def example(self) -> Mapping[str, Any]:
        """A documented answer, with its envelope."""
        answer = DOCUMENTED[self.name]["responses"][str(self.success)]
        first = next(iter(answer["content"]["application/json"]["examples"].values()))
        return cast("Mapping[str, Any]", first["value"])

    @property
    def number(self) -> int:
        """The id, or the page, that the example is about."""
        return number_of(self.example)

    def path(self, number: int) -> str:
        """Return the path below the base URL."""
        return self.operation.path.replace("{id}", str(number))

    def query(self, request: Request, number: int) -> dict[str, str]:
        """Return what the address of *request* ends in."""
        return {"page": str(number), **request.query} if self.is_list else dict(request.query)


def body_of(request: httpx.Request) -> object:
    """Return the JSON that a request has sent, or its form as fields; None for no body."""
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/"):
        return json.loads(request.content) if request.content else None
    whole = f"Content-Type: {content_type}\r\n\r\n".encode() + request.content
    parts = cast("list[Message]", message_from_bytes(whole).get_payload())
    fields = {
        str(part.get_param("name", header="content-disposition")): part.get_payload(decode=True)
        for part in parts
    }
    return {name: cast("bytes", value).decode("latin-1") for name, value in fields.items()}


def number_of(answer: Mapping[str, Any]) -> int:
    """Return the id, or the page, that an answer is about; 1 if it names none."""
    data = answer.get("data") or {}
    return int(data.get("current_page") or data.get("id") or 1)
