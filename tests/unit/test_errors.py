from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rmz_async import errors
from rmz_async.errors import RMZError

TREE: dict[str, tuple[str, ...]] = {
    "RMZError": ("Exception",),
    "ConfigurationError": ("RMZError",),
    "MissingExtraError": ("ConfigurationError", "ModuleNotFoundError"),
    "PlanNotFoundError": ("ConfigurationError", "KeyError"),
    "InvalidRequestError": ("RMZError", "ValueError"),
    "ConnectionFailedError": ("RMZError",),
    "PacingError": ("ConnectionFailedError",),
    "OutcomeUnknownError": ("RMZError",),
    "APIError": ("RMZError",),
    "BadRequestError": ("APIError",),
    "RefusedFieldsError": ("BadRequestError", "InvalidRequestError"),
    "AuthenticationError": ("APIError",),
    "PermissionDeniedError": ("APIError",),
    "NotFoundError": ("APIError",),
    "ConflictError": ("APIError",),
    "UnprocessableEntityError": ("APIError", "InvalidRequestError"),
    "RateLimitError": ("APIError",),
    "ServerError": ("APIError",),
    "UnexpectedAnswerError": ("APIError",),
    "WebhookError": ("RMZError",),
    "SignatureError": ("WebhookError",),
    "PayloadError": ("WebhookError",),
    "TaskLostError": ("WebhookError",),
}

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)


def api_error(kind: type[errors.APIError]) -> errors.APIError:
    """An error with every attribute set."""
    return kind(
        "text",
        status=422,
        message="message",
        errors={"days": ("no", "never")},
        timestamp=MOMENT,
        body={"balance": Decimal("99.00"), "list": [1]},
        retry_after=7.5,
        operation="subscriptions.extend",
    )


EVERY_ERROR: list[RMZError] = [
    RMZError("text"),
    errors.ConfigurationError("text"),
    errors.MissingExtraError("text"),
    errors.PlanNotFoundError("text"),
    errors.InvalidRequestError("text", errors={"days": ("no",)}),
    errors.ConnectionFailedError("text", operation="subscriptions.get", attempts=3),
    errors.PacingError("text", operation="subscriptions.get", attempts=1, retry_after=3.5),
    errors.OutcomeUnknownError(
        "text", operation="subscriptions.pause", object_id=501, sent_at=MOMENT, attempts=2
    ),
    *(
        api_error(kind)
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.APIError)
    ),
    errors.WebhookError("text"),
    errors.SignatureError("text"),
    errors.PayloadError("text"),
    errors.TaskLostError("text"),
]


@pytest.mark.parametrize(("name", "parents"), TREE.items())
def test_each_error_has_its_documented_parents(name: str, parents: tuple[str, ...]) -> None:
    """Each error stands where the documentation draws it."""
    assert tuple(base.__name__ for base in getattr(errors, name).__bases__) == parents


def test_the_tree_is_whole() -> None:
    """There is no error beside the tree, and all are tested below."""
    assert {*TREE, "FieldErrors"} == set(errors.__all__)
    assert {type(error).__name__ for error in EVERY_ERROR} == set(TREE)


@pytest.mark.parametrize("name", TREE)
def test_the_tree_is_drawn(name: str) -> None:
    """The module's docstring shows every error."""
    assert errors.__doc__ is not None
    assert f" {name} " in errors.__doc__.replace("\n", " ")


COPIES: list[Callable[[RMZError], RMZError]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - our own bytes
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


@pytest.mark.parametrize("take", COPIES)
@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)
def test_errors_survive_a_queue(error: RMZError, take: Callable[[RMZError], RMZError]) -> None:
    """A copy or a pickle has the message and every attribute, as a task queue needs them."""
    twin = take(error)

    assert type(twin) is type(error)
    assert str(twin) == str(error) == "text"
    assert vars(twin) == vars(error)


@pytest.mark.parametrize("take", COPIES)
@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)
def test_the_page_travels(error: RMZError, take: Callable[[RMZError], RMZError]) -> None:
    """A copy of any error of a page of a list knows the page and has the note."""
    failed = copy.copy(error)
    failed.page = 3
    failed.add_note("go on with page=3")

    twin = take(failed)

    assert twin.page == 3
    assert twin.__notes__ == ["go on with page=3"]
    assert error.page is None


def test_one_except_catches_refusals_of_both_sides() -> None:
    """A refusal by RMZ is caught like one made here, with the same attribute."""
    error = api_error(errors.UnprocessableEntityError)

    assert isinstance(error, errors.InvalidRequestError)
    assert isinstance(error, ValueError)
    assert isinstance(error, errors.APIError)
    assert error.errors == {"days": ("no", "never")}
    assert error.status == 422


@pytest.mark.parametrize(
    ("error", "attributes"),
    [
        (errors.InvalidRequestError("text"), {"errors": {}}),
        (errors.ConnectionFailedError("text"), {"operation": "", "attempts": 0}),
        (
            errors.PacingError("text"),
            {"operation": "", "attempts": 0, "retry_after": 0.0},
        ),
        (
            errors.OutcomeUnknownError("text"),
            {"operation": "", "object_id": None, "sent_at": None, "attempts": 0},
        ),
        (
            errors.APIError("text"),
            {
                "status": 0,
                "message": "",
                "errors": {},
                "timestamp": None,
                "body": None,
                "retry_after": None,
                "operation": "",
            },
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_unknown_attributes_are_empty(error: RMZError, attributes: dict[str, object]) -> None:
    """Every attribute is always there."""
    assert vars(error) == attributes


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)
def test_every_error_is_documented(error: RMZError) -> None:
    """A class says when it is raised."""
    assert type(error).__doc__


@pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)
def test_errors_travel_as_json(error: RMZError) -> None:
    """A task queue that speaks JSON keeps the class, the message and every attribute."""
    twin = RMZError.from_dict(json.loads(json.dumps(error.to_dict())))

    assert type(twin) is type(error)
    assert str(twin) == "text"
    expected = vars(error)
    if isinstance(error, errors.APIError):
        expected = expected | {"body": {"balance": "99.00", "list": [1]}}
    assert vars(twin) == expected


def test_an_error_of_a_list_keeps_its_page() -> None:
    """The walk continues from there, in whatever process."""
    error = errors.ServerError("text")
    error.page = 7

    assert RMZError.from_dict(error.to_dict()).page == 7


def test_an_error_of_a_missing_package_keeps_its_name() -> None:
    """Python keeps the name of an ImportError apart from the other attributes."""
    data = json.loads(json.dumps(errors.MissingExtraError("text", name="babel").to_dict()))
    twin = RMZError.from_dict(data)

    assert isinstance(twin, errors.MissingExtraError)
    assert twin.name == "babel"


def test_a_dictionary_of_an_error_has_only_what_json_can_say() -> None:
    """Private attributes and objects stay behind."""
    error = errors.OutcomeUnknownError("text", operation="subscriptions.pause", sent_at=MOMENT)
    vars(error).update(_unclear_call=object(), client=object())

    assert error.to_dict() == {
        "type": "OutcomeUnknownError",
        "text": "text",
        "operation": "subscriptions.pause",
        "object_id": None,
        "sent_at": "2026-01-01T00:00:00Z",
        "attempts": 0,
    }


def test_attributes_of_a_later_version_are_ignored() -> None:
    """Two versions may stand at the ends of one queue."""
    data = errors.NotFoundError("text", status=404).to_dict() | {"colour": "red"}

    assert not hasattr(RMZError.from_dict(data), "colour")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "type"),
        (None, "type"),
        (["NotFoundError"], "type"),
        ({"type": "NotFoundError"}, "type"),
        ({"type": 5, "text": "text"}, "type"),
        ({"type": "FieldErrors", "text": "text"}, "type"),
        ({"type": "Mapping", "text": "text"}, "type"),
        ({"type": "NotFoundError", "text": "text", "errors": 5}, "errors"),
        ({"type": "NotFoundError", "text": "text", "timestamp": "soon"}, "timestamp"),
        ({"type": "OutcomeUnknownError", "text": "text", "sent_at": 5}, "sent_at"),
    ],
)
def test_a_description_of_no_error_is_refused(data: Any, field: str) -> None:
    """The refusal names the part that is wrong."""
    with pytest.raises(errors.InvalidRequestError, match=field) as caught:
        RMZError.from_dict(data)

    assert list(caught.value.errors) == [field]
