"""Every error that this library raises.

::

    RMZError
    ├── ConfigurationError            the client's own options are wrong
    │   ├── MissingExtraError         an optional dependency is not installed (also an ImportError)
    │   └── PlanNotFoundError         the store has no such plan (also a KeyError)
    ├── InvalidRequestError           a field breaks a rule (also a ValueError)
    ├── ConnectionFailedError         nothing was changed: a retry is safe
    │   └── PacingError               not sent: this client's share of the minute is used up
    ├── OutcomeUnknownError           sent, no trustworthy answer: it may have happened
    ├── APIError                      RMZ answered with an error
    │   ├── BadRequestError           400
    │   │   └── RefusedFieldsError    400 that names fields (also an InvalidRequestError)
    │   ├── AuthenticationError       401
    │   ├── PermissionDeniedError     403
    │   ├── NotFoundError             404
    │   ├── ConflictError             409, and each 422 that means "not in this state"
    │   ├── UnprocessableEntityError  422 (also an InvalidRequestError)
    │   ├── RateLimitError            429
    │   ├── ServerError               5xx
    │   └── UnexpectedAnswerError     not the documented shape
    └── WebhookError
        ├── SignatureError            not signed with any of your secrets
        ├── PayloadError              signed, but not an event
        └── TaskLostError             another worker has the event's task now

None of them holds a token, a webhook secret or an object of the HTTP library. All of them can be
pickled, and :meth:`RMZError.to_dict` carries them through a queue that carries JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

__all__ = (
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "FieldErrors",
    "InvalidRequestError",
    "MissingExtraError",
    "NotFoundError",
    "OutcomeUnknownError",
    "PacingError",
    "PayloadError",
    "PermissionDeniedError",
    "PlanNotFoundError",
    "RMZError",
    "RateLimitError",
    "RefusedFieldsError",
    "ServerError",
    "SignatureError",
    "TaskLostError",
    "UnexpectedAnswerError",
    "UnprocessableEntityError",
    "WebhookError",
)

FieldErrors = Mapping[str, Sequence[str]]
"""Reasons by field path, as RMZ writes it: ``{"customer.phone": ["must have 5 to 15 digits"]}``."""


class RMZError(Exception):
    """Any error that this library raises on purpose.

    Attributes:
        page: The page of a list that could not be fetched: go on with ``page=`` that number. None
            for all other calls.
    """

    page: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that ``json.dumps`` takes, for a task queue or a log.

        The data has the class, the message and all attributes, but neither the traceback nor the
        cause. An answer's body may hold personal data.

        Returns:
            ``type`` (the name of the class), ``text`` (the message), and the attributes by name:
            times as ISO 8601, numbers with a fraction as strings.
        """
        attributes = {
            name: _to_plain(value)
            for name, value in vars(self).items()
            if not name.startswith("_") and isinstance(value, _PLAIN_TYPES)
        }
        return {"type": type(self).__name__, "text": str(self), **attributes}

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> RMZError:
        """Return the error that :meth:`to_dict` described.

        Args:
            data: The plain data. Attributes that this version does not know are ignored.

        Returns:
            An error of the same class, with the same message and attributes.

        Raises:
            InvalidRequestError: The data does not describe an error of this library.
        """
        # A caller without a type checker passes what json.loads has returned.
        data = data if isinstance(cast("object", data), Mapping) else {}
        name, text = data.get("type"), data.get("text")
        kind = globals().get(name) if isinstance(name, str) and name in __all__ else None
        if not (isinstance(kind, type) and issubclass(kind, RMZError) and isinstance(text, str)):
            raise InvalidRequestError(
                "from_dict: type must name an error of rmz_async, and text must be a string",
                errors={"type": ("must name an error of rmz_async",)},
            )
        error = kind(text)
        for attribute in ({"page", *error.to_dict()} - {"type", "text"}) & data.keys():
            try:
                value = _from_plain(attribute, data[attribute])
            except (AttributeError, TypeError, ValueError):
                raise InvalidRequestError(
                    f"from_dict: {attribute} cannot be read",
                    errors={attribute: ("cannot be read",)},
                ) from None
            setattr(error, attribute, value)
        return error


_PLAIN_TYPES: tuple[type[object], ...] = (
    str,
    int,
    float,
    Decimal,
    datetime,
    Mapping,
    list,
    tuple,
    type(None),
)


def _to_plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {key: _to_plain(item) for key, item in items}
    if isinstance(value, (list, tuple)):
        return [_to_plain(item) for item in cast("Sequence[object]", value)]
    return value


def _from_plain(attribute: str, value: Any) -> Any:
    if attribute == "errors":
        return {field: tuple(reasons) for field, reasons in value.items()}
    if attribute in ("sent_at", "timestamp") and value is not None:
        return datetime.fromisoformat(value)
    return value


class ConfigurationError(RMZError):
    """The client cannot work with the options it was given; nothing was sent."""


class MissingExtraError(ConfigurationError, ModuleNotFoundError):
    """An optional dependency is not installed; the message has the command that installs it.

    Attributes:
        name: The package that is missing.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that ``json.dumps`` takes; see `RMZError.to_dict`."""
        # An ImportError has its name beside the other attributes.
        return {**super().to_dict(), "name": self.name}


class PlanNotFoundError(ConfigurationError, KeyError):
    """The store has no plan of that name, or several; nothing was sent."""

    def __str__(self) -> str:
        # KeyError's own would put the sentence between quotes.
        return Exception.__str__(self)


class InvalidRequestError(RMZError, ValueError):
    """A field breaks a rule, found here before sending or by RMZ; nothing was changed.

    Attributes:
        errors: Reasons by field path.
    """

    errors: FieldErrors

    def __init__(self, message: str, *, errors: FieldErrors | None = None) -> None:
        super().__init__(message)
        self.errors = {} if errors is None else errors


class ConnectionFailedError(RMZError):
    """The call was not sent, or it only reads: nothing was changed, and a retry is safe.

    Attributes:
        operation: The call, for example ``subscriptions.get``.
        attempts: How many attempts were made.
    """

    def __init__(self, message: str, *, operation: str = "", attempts: int = 0) -> None:
        super().__init__(message)
        self.operation = operation
        self.attempts = attempts


class PacingError(ConnectionFailedError):
    """The call was not sent: its slot within RMZ's requests a minute would come too late.

    Attributes:
        retry_after: Seconds until that slot.
    """

    def __init__(
        self, message: str, *, operation: str = "", attempts: int = 0, retry_after: float = 0.0
    ) -> None:
        super().__init__(message, operation=operation, attempts=attempts)
        self.retry_after = retry_after


UNCLEAR_CALL = "_unclear_call"
"""The attribute in which an `OutcomeUnknownError` keeps its call. A pickle leaves the attribute
out: the call may hold personal data, and its comparison cannot be pickled."""


class OutcomeUnknownError(RMZError):
    """The call was sent and no trustworthy answer came back: it may have been applied.

    Do not simply make the call again. ``client.resolve(error)`` finds out later what became of it,
    and the message names another way. If RMZ did answer, with a server error for instance, that
    answer is the ``__cause__``.

    Attributes:
        operation: The call, for example ``subscriptions.extend``.
        object_id: The id of the object that the call was to change, or None.
        sent_at: When the client sent the first request that may have been applied; UTC.
        attempts: How many attempts were made.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        object_id: int | None = None,
        sent_at: datetime | None = None,
        attempts: int = 0,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.object_id = object_id
        self.sent_at = sent_at
        self.attempts = attempts

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {name: value for name, value in vars(self).items() if name != UNCLEAR_CALL}
        return type(self), self.args, kept


class APIError(RMZError):
    """RMZ answered, and the answer is an error.

    Attributes:
        status: The HTTP status, 100 to 599.
        message: RMZ's own message, unchanged; empty if there is none. The message of the error
            quotes at most 500 characters of it.
        errors: Reasons by field path; empty if RMZ named no field.
        timestamp: The server's clock at its answer; UTC. None if the answer has no timestamp.
        body: The answer as decoded JSON, or its first characters if it is not JSON.
        retry_after: Seconds that RMZ asks to wait, or None.
        operation: The call, for example ``subscriptions.pause``.
    """

    errors: FieldErrors

    def __init__(
        self,
        text: str,
        *,
        status: int = 0,
        message: str = "",
        errors: FieldErrors | None = None,
        timestamp: datetime | None = None,
        body: object = None,
        retry_after: float | None = None,
        operation: str = "",
    ) -> None:
        super().__init__(text)
        self.status = status
        self.message = message
        self.errors = {} if errors is None else errors
        self.timestamp = timestamp
        self.body = body
        self.retry_after = retry_after
        self.operation = operation


class BadRequestError(APIError):
    """400: a rule of the shop forbids the call."""


class RefusedFieldsError(BadRequestError, InvalidRequestError):
    """400: RMZ refused the fields in ``errors``."""


class AuthenticationError(APIError):
    """401: RMZ does not know the token."""


class PermissionDeniedError(APIError):
    """403: the store's plan or the token does not allow it."""


class NotFoundError(APIError):
    """404: there is no such object in this store."""


class ConflictError(APIError):
    """409 or 422: the object's state does not allow it."""


class UnprocessableEntityError(APIError, InvalidRequestError):
    """422: RMZ refused a field; if ``errors`` is empty, only ``message`` says which."""


class RateLimitError(APIError):
    """429: too many requests, or the same extension twice within 10 seconds."""


class ServerError(APIError):
    """5xx: RMZ or a proxy before it failed."""


class UnexpectedAnswerError(APIError):
    """The answer is not of the documented shape: HTML, cut JSON, a redirect, a wrong type."""


class WebhookError(RMZError):
    """A delivery cannot be accepted."""


class SignatureError(WebhookError):
    """The signature is missing, malformed or does not match: answer 401 and do nothing."""


class PayloadError(WebhookError):
    """The body is signed, but it is not an event that can be read."""


class TaskLostError(WebhookError):
    """Another worker has claimed the event's task meanwhile, or has done it: roll the effect back.

    `Receiver.transaction` raises it before the handler has changed anything. The receiver counts no
    attempt for it.
    """
