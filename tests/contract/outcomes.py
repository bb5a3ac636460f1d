"""The outcomes of a call, by the document: a model of its own, or the error of a status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

import attrs

from rmz_async import (
    APIError,
    AuthenticationError,
    BadRequestError,
    Client,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnprocessableEntityError,
)
from rmz_async.models import Model
from rmz_async.pagination import Page, Pager

_ERRORS: Mapping[int, type[APIError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: ServerError,
}


def is_error_of(name: str, status: int, error: BaseException) -> bool:
    """Return whether *error* is what a status means for a call."""
    if isinstance(error, OutcomeUnknownError):
        return status == 500 and isinstance(error.__cause__, ServerError)
    # Two of the states that forbid a change are reported with the status of fields.
    is_state = name in ("subscriptions.pause", "subscriptions.unpause") and status == 422
    expected = ConflictError if is_state else _ERRORS[status]
    return isinstance(error, expected) and error.status == status


def is_of(client: Client, name: str, value: object) -> bool:
    """Return whether *value* is what the call promises to return."""
    resource, _, method = name.partition(".")
    promised: Any = get_type_hints(getattr(getattr(client, resource), method))["return"]
    # A list is a pager of models; what is here is one of its pages.
    models = get_args(promised) if getattr(promised, "__origin__", None) is Pager else ()
    if models:
        return isinstance(value, Page) and all(isinstance(item, models) for item in value.items)
    return isinstance(value, promised)


def left_over(value: object) -> Iterator[str]:
    """Yield the keys that no model knew, wherever they are."""
    match value:
        case Page():
            for item in value.items:
                yield from left_over(item)
        case Model():
            yield from value.extra
            for field in attrs.fields(type(value)):
                yield from left_over(getattr(value, field.name))
        case tuple():
            for item in value:
                yield from left_over(item)
        case _:
            return
