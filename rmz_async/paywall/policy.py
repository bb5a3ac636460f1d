"""The rules by which a paywall decides, if RMZ leaves them to the shop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import attrs

from rmz_async._frozen import frozen
from rmz_async.errors import ConfigurationError

__all__ = ("Policy",)

LONGEST_GRACE = timedelta(days=366)

# RMZ's shortest period is a month: a longer wait for its renewal would give a period away.
LONGEST_RENEWAL_LAG = timedelta(days=7)


def _ids(value: Iterable[int] | None) -> frozenset[int] | None:
    if value is None:
        return None
    ids: frozenset[int] | None = None
    # A caller without a type checker may pass anything, such as a list of lists.
    if not isinstance(value, str | bytes):
        with suppress(TypeError):
            ids = frozenset(value)
    if ids is None:
        raise ConfigurationError("product_ids: must be several integers, for example [102]")
    if not ids or not all(type(each) is int and each > 0 for each in ids):
        raise ConfigurationError(
            "product_ids: must be one or more positive integers; None counts all products"
        )
    return ids


def _at_most(longest: timedelta) -> Callable[[Any, attrs.Attribute[Any], object], None]:
    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, timedelta) or not timedelta(0) <= value <= longest:
            raise ConfigurationError(
                f"{attribute.name}: must be a timedelta of 0 to {longest.days} days"
            )

    return check


def _yes_or_no(_: object, attribute: attrs.Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{attribute.name}: must be True or False")


@frozen(kw_only=True)
class Policy:
    """The rules by which subscriptions let a user in.

    The defaults are RMZ's own table: ``trialing``, ``active`` and ``past_due`` do, and ``paused``,
    ``canceled`` and ``expired`` do not.

    Attributes:
        product_ids: The products that count; None means all products of the store.
        grace: How long after the end of the paid period a subscription whose payment failed still
            grants access; None as long as RMZ retries the payment.
        renewal_lag: How long after the end of its period a subscription that renews itself still
            grants access while RMZ calls it active, because RMZ may charge the card at that very
            moment; at most 7 days.
        trial: Whether a trial grants access.
        paused: Whether a paused subscription grants access until its period ends.
        canceled: Whether a canceled subscription grants access until its period ends.
        unknown_status: Whether a status that this version does not know grants access until the
            period ends.

    Raises:
        ConfigurationError: A rule is broken; the message names the attribute.
    """

    product_ids: frozenset[int] | None = attrs.field(default=None, converter=_ids)
    grace: timedelta | None = attrs.field(
        default=None, validator=attrs.validators.optional(_at_most(LONGEST_GRACE))
    )
    renewal_lag: timedelta = attrs.field(
        default=timedelta(days=1), validator=_at_most(LONGEST_RENEWAL_LAG)
    )
    trial: bool = attrs.field(default=True, validator=_yes_or_no)
    paused: bool = attrs.field(default=False, validator=_yes_or_no)
    canceled: bool = attrs.field(default=False, validator=_yes_or_no)
    unknown_status: bool = attrs.field(default=False, validator=_yes_or_no)
