"""The API's contract, in the order in which a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

import attrs

__all__ = ("CallOutline", "Field", "Group", "Outline", "Reply", "Shape", "outline_of")

_Json = Mapping[str, Any]
_METHODS = ("get", "post", "put", "delete")


@attrs.frozen(kw_only=True)
class Field:
    """A parameter, or a key of an object.

    Attributes:
        type: In words, such as ``list of OrderLine``.
        place: ``path``, ``query`` or ``header``; empty for a key of an object.
        shape: The name of the shape that the field leads to, if there is one.
    """

    name: str
    type: str
    is_required: bool
    description: str = ""
    place: str = ""
    shape: str = ""


@attrs.frozen(kw_only=True)
class Shape:
    """An object, or a kind of value, with the keys that are known of it."""

    name: str
    description: str
    type: str
    fields: tuple[Field, ...]


@attrs.frozen(kw_only=True)
class Reply:
    """An answer to a call, with an example of its body, if there is one."""

    status: str
    description: str
    example: str


@attrs.frozen(kw_only=True)
class CallOutline:
    """A call, or an event that is sent to a webhook.

    Attributes:
        sample: The path with an example in place of each parameter.
        retry: The document's ``x-rmz-retry``; empty for an event.
        example: A body to send, as JSON; empty if there is none.
    """

    name: str
    method: str
    path: str
    sample: str
    summary: str
    description: str
    source: str
    retry: str
    per_minute: int | None
    fields: tuple[Field, ...]
    example: str
    replies: tuple[Reply, ...]


@attrs.frozen(kw_only=True)
class Group:
    """The calls of one resource."""

    name: str
    description: str
    calls: tuple[CallOutline, ...]


@attrs.frozen(kw_only=True)
class Outline:
    """The whole contract."""

    title: str
    version: str
    description: str
    groups: tuple[Group, ...]
    shapes: tuple[Shape, ...]


def outline_of(document: _Json) -> Outline:
    """Return what there is to read in an OpenAPI *document*."""
    calls = list(_calls(document))
    return Outline(
        title=document["info"]["title"],
        version=document["info"]["version"],
        description=document["info"]["description"],
        groups=tuple(
            Group(
                name=tag["name"],
                description=tag["description"],
                calls=tuple(call for name, call in calls if name == tag["name"]),
            )
            for tag in document["tags"]
        ),
        shapes=tuple(
            Shape(
                name=name,
                description=schema.get("description", ""),
                type=_type(schema),
                fields=_keys(schema, document),
            )
            for name, schema in sorted(document["components"]["schemas"].items())
        ),
    )


def _calls(document: _Json) -> Iterator[tuple[str, CallOutline]]:
    for path, methods in (*document["paths"].items(), *document["webhooks"].items()):
        for method in _METHODS:
            if method in methods:
                operation = methods[method]
                yield operation["tags"][0], _call(path, method, operation, document)


def _call(path: str, method: str, operation: _Json, document: _Json) -> CallOutline:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    replies = (
        (str(status), _target(reply, document)) for status, reply in operation["responses"].items()
    )
    parameters = [_target(each, document) for each in operation.get("parameters", ())]
    in_path = {each["name"]: each["example"] for each in parameters if each["in"] == "path"}
    return CallOutline(
        name=operation["operationId"],
        method=method.upper(),
        path=path,
        sample=path.format(**in_path),
        summary=operation["summary"],
        description=operation.get("description", ""),
        source=operation["externalDocs"]["url"],
        retry=operation.get("x-rmz-retry", ""),
        per_minute=operation.get("x-rmz-per-minute"),
        fields=(
            *map(_parameter, parameters),
            *_keys(body.get("schema", {}), document),
        ),
        example=_example(body),
        replies=tuple(
            Reply(
                status=status,
                description=reply["description"],
                example=_example(reply.get("content", {}).get("application/json", {})),
            )
            for status, reply in replies
        ),
    )


def _parameter(parameter: _Json) -> Field:
    return Field(
        name=parameter["name"],
        type=_type(parameter["schema"]),
        is_required=parameter.get("required", False),
        description=parameter.get("description", ""),
        place=parameter["in"],
        shape=_shape(parameter["schema"]),
    )


def _keys(schema: _Json, document: _Json) -> tuple[Field, ...]:
    """Return the keys of an object, those of all its parts together."""
    keys: dict[str, _Json] = {}
    required: set[str] = set()
    for part in _parts(schema, document):
        keys |= part.get("properties", {})
        required |= set(part.get("required", ()))
    return tuple(
        Field(
            name=name,
            type=_type(key),
            is_required=name in required,
            description=key.get("description", ""),
            shape=_shape(key),
        )
        for name, key in keys.items()
    )


def _parts(schema: _Json, document: _Json) -> Iterator[_Json]:
    whole = _target(schema, document)
    for part in whole.get("allOf", ()):
        yield from _parts(part, document)
    yield whole


def _type(schema: _Json) -> str:
    """Say in words of what kind a value is."""
    if "$ref" in schema:
        return _name(schema)
    for word in ("oneOf", "anyOf"):
        kinds = [kind for each in schema.get(word, ()) if (kind := _type(each))]
        if kinds:
            return " or ".join(dict.fromkeys(kinds))
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum") or [schema["const"]]
        return ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
    named: str | list[str] = schema.get("type", "")
    if named == "array":
        return f"list of {_type(schema.get('items', {})) or 'anything'}"
    return (named if isinstance(named, str) else " or ".join(named)) + _bounds(schema)


def _bounds(schema: _Json) -> str:
    for least, most, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
    ):
        if most in schema:
            return f", {schema.get(least, 0)} to {schema[most]}{unit}"
        if least in schema:
            return f", at least {schema[least]}{unit}"
    return ""


def _shape(schema: _Json) -> str:
    inner = schema.get("items", schema)
    return _name(inner) if "$ref" in inner else ""


def _name(reference: _Json) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _target(node: _Json, document: _Json) -> _Json:
    """Return what a reference leads to, or *node* itself."""
    if "$ref" not in node:
        return node
    target: Any = document
    for step in str(node["$ref"]).removeprefix("#/").split("/"):
        target = target[step]
    return cast("_Json", target)


def _example(content: _Json) -> str:
    """Write the first example of a body as JSON; empty if there is none."""
    for example in content.get("examples", {}).values():
        return json.dumps(example["value"], ensure_ascii=False, indent=2)
    return ""
