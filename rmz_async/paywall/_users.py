"""The name that a shop has for a user, checked before anything is asked about it."""

from __future__ import annotations

from typing import TypeGuard

from rmz_async import operations
from rmz_async.errors import InvalidRequestError
from rmz_async.resources._validation import Validation

__all__ = ("is_user", "validate")


def validate(user: str) -> None:
    """Check a name.

    Raises:
        InvalidRequestError: RMZ would refuse it.
    """
    check = Validation(operations.SUBSCRIPTIONS_LOOKUP)
    check.text("external_customer_id", user)
    check.finish()


def is_user(name: str | None) -> TypeGuard[str]:
    """Return whether RMZ can be asked about a name."""
    try:
        validate(name or "")
    except InvalidRequestError:
        return False
    return True
