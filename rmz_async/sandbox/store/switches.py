"""The behaviour of this RMZ where the documentation leaves a choice, or servers disagree."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

import attrs
from attrs.validators import in_, instance_of

from rmz_async.sandbox.store.choices import refusal_of

__all__ = ("ChargeAt", "ExtendGuard", "MissingTimes", "Switches", "TimeForm")


class _Choice(StrEnum):
    """A few words, which the refusal of any other one names."""

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise ValueError(f"{cls.__name__} {refusal_of(value, cls)}")


class ChargeAt(_Choice):
    """The time at which a renewal is charged: RMZ's guide says both."""

    THREE_DAYS_BEFORE = "three_days_before"
    PERIOD_END = "period_end"


class ExtendGuard(_Choice):
    """The second extension within ten seconds that RMZ takes for a duplicate."""

    ANY = "any"
    SAME_DAYS = "same_days"


class TimeForm(_Choice):
    """The form of times: RMZ's pages show three."""

    DOCUMENTED = "documented"
    """Each as its own page shows it."""
    ROW = "row"
    """``2026-01-01 00:00:00``."""
    OFFSET = "offset"
    """``2026-01-01T00:00:00+00:00``."""


class MissingTimes(_Choice):
    """The form of a missing time."""

    NULL = "null"
    ZERO = "zero"
    """``0000-00-00 00:00:00``, as MySQL may write it."""
    EMPTY = "empty"
    """``""``."""


def _flag(default: bool) -> bool:
    # attrs types a field by its default.
    flag: bool = attrs.field(default=default, validator=instance_of(bool))
    return flag


@attrs.define(kw_only=True)
class Switches:
    """Choices that a test may change at any moment; an unknown value is refused.

    Attributes:
        replica_lag: By how many seconds of the sandbox's clock reads are behind; 0 for not at all.
            Answers to changes are never behind.
        updated_at_skew: By how many seconds the clock that writes ``updated_at`` is ahead of the
            sandbox's; negative if it is behind.
        timestamp_skew: The same of the clock that writes an answer's ``timestamp``.
        charge_at: When a renewal is charged for the first time.
        past_due_is_active: Whether ``is_active`` counts a past due subscription, which has access.
        paused_is_active: Whether ``is_active`` counts a paused one, whose access is suspended.
        lookup_hides_past_due: Whether a lookup leaves past due ones out, and ``has_active`` does
            not count them, unless it is asked for inactive ones.
        canceled_may_resume: Whether an immediate cancel can be undone while the period lasts.
        second_cancel_status: The answer to a second cancellation: 409 or 422.
        invalid_fields_status: The answer to wrong fields: 422 or 400.
        extend_guard: Which second extension within ten seconds is a duplicate.
        changes_answer_in_full: Whether cancel, pause, unpause and extend answer with every key of
            a subscription, as the text says, or with those of the examples.
        rate_limit_headers: Whether answers carry ``X-RateLimit-*`` and ``Retry-After``, which no
            page promises.
        request_id_per_attempt: Whether each attempt of a delivery has a request id of its own.
        renewals_announce_orders: Whether a renewal's order is announced by ``order.created``.
        integers_as_text: Whether integers come as strings, as from columns without a cast.
        booleans_as_numbers: Whether ``true`` and ``false`` come as 1 and 0.
        money_as_text: Whether the API writes money as ``"149.00"``, as webhooks do.
        times: The form of times.
        missing_times: The form of a missing time.
        days_as_fraction: Whether ``days_remaining`` has a fraction.
        duration_in_days: Whether ``duration`` is a number of days.
        unknown_keys: Whether objects have a key that no page names.
    """

    replica_lag: float = 0.0
    updated_at_skew: float = 0.0
    timestamp_skew: float = 0.0
    charge_at: ChargeAt = attrs.field(default=ChargeAt.THREE_DAYS_BEFORE, converter=ChargeAt)
    past_due_is_active: bool = _flag(False)
    paused_is_active: bool = _flag(False)
    lookup_hides_past_due: bool = _flag(True)
    canceled_may_resume: bool = _flag(True)
    second_cancel_status: int = attrs.field(default=409, validator=in_((409, 422)))
    invalid_fields_status: int = attrs.field(default=422, validator=in_((400, 422)))
    extend_guard: ExtendGuard = attrs.field(default=ExtendGuard.ANY, converter=ExtendGuard)
    changes_answer_in_full: bool = _flag(False)
    rate_limit_headers: bool = _flag(True)
    request_id_per_attempt: bool = _flag(False)
    renewals_announce_orders: bool = _flag(False)
    integers_as_text: bool = _flag(False)
    booleans_as_numbers: bool = _flag(False)
    money_as_text: bool = _flag(False)
    times: TimeForm = attrs.field(default=TimeForm.DOCUMENTED, converter=TimeForm)
    missing_times: MissingTimes = attrs.field(default=MissingTimes.NULL, converter=MissingTimes)
    days_as_fraction: bool = _flag(False)
    duration_in_days: bool = _flag(False)
    unknown_keys: bool = _flag(False)
