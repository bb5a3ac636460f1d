"""The name that a shop has for a user, checked before anything is asked about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeGuard

from rmz_async import operations
from rmz_async.errors import InvalidRequestError
from rmz_async.models import Subscription
from rmz_async.resources._validation import Validation

__all__ = ("is_user", "subscriptions_of", "validate")


def validate(user: str) -> str:
    """Return a name as RMZ has it, which removes blanks at the ends of what it is sent.

    Raises:
        InvalidRequestError: RMZ would refuse it.
    """
    check = Validation(operations.SUBSCRIPTIONS_LOOKUP)
    check.text("external_customer_id", user)
    check.finish()
    return user.strip()


def is_user(name: str | None) -> TypeGuard[str]:
    """Return whether RMZ can be asked about a name."""
    try:
        validate(name or "")
    except InvalidRequestError:
        return False
    return True


def subscriptions_of(user: str, found: Iterable[Subscription]) -> tuple[Subscription, ...]:
    """Return those of a lookup's subscriptions that are the user's own.

    RMZ's database may ignore the case of letters, and then finds another customer, too.
    """
    return tuple(each for each in found if _is_of(each, user))


def _is_of(subscription: Subscription, user: str) -> bool:
    name = subscription.external_customer_id
    return name is None or name.strip() == user.strip()
