"""The shapes that every answer of the API has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

__all__ = (
    "InvalidFieldsError",
    "InvalidProductError",
    "RefusedError",
    "RepeatedAnswer",
    "Success",
)

_API = "rmz.shawarma"


@attrs.frozen
class Success:
    """The answer to a call that succeeded."""

    data: object
    message: str | None = None
    status: int = 200

    def body(self, now: datetime) -> dict[str, object]:
        """Return the success envelope."""
        return {
            "message": self.message,
            "data": self.data,
            "api": _API,
            "timestamp": int(now.timestamp()),
        }


@attrs.frozen
class RepeatedAnswer(Success):
    """The answer to an order that came again, which has an envelope of its own."""

    def body(self, now: datetime) -> dict[str, object]:
        """Return the documented shape, without ``api`` and ``timestamp``."""
        return {"success": True, "message": self.message, "data": self.data}


class RefusedError(Exception):
    """The call is refused, with *status* and *message*."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self, now: datetime) -> dict[str, object]:
        """Return the error envelope."""
        return {**Success(None, self.message).body(now), "error": True}


class InvalidFieldsError(Exception):
    """The answer to wrong fields: *errors* has the reasons by dotted field path."""

    status = 422

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__("The given data was invalid.")
        self.errors = errors

    def body(self, now: datetime) -> dict[str, object]:
        """Return Laravel's own shape, which has no envelope."""
        return {"message": str(self), "errors": self.errors}


class InvalidProductError(InvalidFieldsError):
    """The same as the product pages document it: the reasons stand in ``data``."""

    def body(self, now: datetime) -> dict[str, object]:
        """Return the error envelope."""
        return {**Success(self.errors, str(self)).body(now), "error": True}
