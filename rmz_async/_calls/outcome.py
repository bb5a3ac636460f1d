"""The outcomes of an attempt and of a whole call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, auto
from typing import Final

from rmz_async._frozen import frozen
from rmz_async.errors import APIError


class Failure(Enum):
    """The meaning of a failed attempt for the call."""

    NOT_SENT = auto()
    """The request surely did not reach RMZ, and another attempt may."""
    NEVER_SENT = auto()
    """The request surely did not reach RMZ, and no other attempt will: an untrusted certificate, or
    no slot."""
    AMBIGUOUS = auto()
    """The request may have been applied."""
    UNREADABLE = auto()
    """An answer came that is not of the documented shape: another attempt would bring the same."""
    THROTTLED = auto()
    """RMZ's throttle refused the request before it began."""
    REFUSED = auto()
    """Another 429: the duplicate guard, or a proxy."""
    CONFLICT = auto()
    """400, 409 or 422: RMZ may say so because an ambiguous attempt before was applied."""
    FINAL = auto()
    """Another answer, which a retry would not change."""


AMBIGUOUS = frozenset({Failure.AMBIGUOUS, Failure.UNREADABLE})
"""After these, the request may have been applied."""


class Evidence(Enum):
    """Whether an object that was read back shows the change."""

    APPLIED = auto()
    """The object is as the call wanted it, and was not so before the call."""
    NOT_APPLIED = auto()
    """Nothing has changed the object since the call was sent. RMZ may still apply the call."""
    UNSEEN = auto()
    """The object shows no change, but a replica that lags would show the same."""
    UNCLEAR = auto()
    """Something else may have changed the object, or the object does not show it."""
    UNREAD = auto()
    """The object could not be read."""


@frozen
class Window:
    """The time on RMZ's own clock in which a call can have been applied.

    Attributes:
        since: UTC; not before this.
        until: UTC; not after this, because the object was read then.
    """

    since: datetime
    until: datetime


class Answer:
    """An HTTP answer, read to its end.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case.
        body: Decompressed; empty if it could not be read.
        is_whole: Whether the body could be read.
    """

    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes, is_whole: bool = True
    ) -> None:
        self.status: Final = status
        self.headers: Final = headers
        self.body: Final = body
        self.is_whole: Final = is_whole


class UnreadableBodyError(Exception):
    """The bytes of a body cannot be trusted: cut, broken, or too many."""


class Failed:
    """An attempt that brought no result.

    Attributes:
        failure: The meaning for the call.
        reason: The cause, in a few words; never a secret.
        error: RMZ's answer, if there was one.
        slot_in: Seconds to the next slot, if there was none in time.
    """

    def __init__(
        self,
        failure: Failure,
        reason: str,
        error: APIError | None = None,
        slot_in: float | None = None,
    ) -> None:
        self.failure: Final = failure
        self.reason: Final = reason
        self.error: Final = error
        self.slot_in: Final = slot_in


class History:
    """The attempts of one call so far. All times in seconds are monotonic.

    Attributes:
        attempts: Attempts, the current one included.
        failures: The failures of the attempts before the current one.
        first_sent: When the first attempt began that may have been applied.
        last_sent: The same of the last attempt.
        last_ambiguous: When the last attempt ended that may have been applied.
        sent_at: When the first attempt began, on the calendar; UTC.
        answered_at: RMZ's own clock at its answer, if the answer named it; UTC.
        next_slot_in: Seconds to the next slot, as the last answer said.
        status: The HTTP status of the last answer; None if the current attempt has none.
        under_way: Whether RMZ may be processing a request whose outcome is not known.
    """

    def __init__(
        self,
        *,
        attempts: int = 0,
        failures: list[Failure] | None = None,
        first_sent: float | None = None,
        last_sent: float | None = None,
        last_ambiguous: float | None = None,
        sent_at: datetime | None = None,
    ) -> None:
        self.attempts: int = attempts
        self.failures: list[Failure] = [] if failures is None else failures
        self.first_sent: float | None = first_sent
        self.last_sent: float | None = last_sent
        self.last_ambiguous: float | None = last_ambiguous
        self.sent_at: datetime | None = sent_at
        self.answered_at: datetime | None = None
        self.next_slot_in: float | None = None
        self.status: int | None = None
        self.under_way: bool = False

    def note_sending(self, now: float, today: datetime) -> None:
        """Note that a request goes out; what surely did nothing before it is forgotten."""
        self.last_sent, self.under_way = now, True
        if not self.ambiguous:
            self.first_sent, self.sent_at = now, today

    def note_end(self, failure: Failure, now: float) -> None:
        """Note when the current attempt has ended in *failure*."""
        if failure in AMBIGUOUS:
            self.last_ambiguous = now

    def note_failure(self, failure: Failure) -> None:
        """Note that the current attempt has ended in *failure*, and is under way no more."""
        self.failures.append(failure)
        self.under_way = False

    @property
    def ambiguous(self) -> bool:
        """Whether an earlier attempt may have been applied."""
        return not AMBIGUOUS.isdisjoint(self.failures)
