from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import anyio
import pytest

from rmz_async import Pacing, QuotaReport
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.quota import closed_for, report_of, whole_number
from rmz_async._pacing.slots import Slots
from tests.seams import Clock

# Wednesday, 21 October 2015, 07:28:00 GMT.
MOMENT = 1445412480.0


@pytest.mark.parametrize(
    ("written", "number"), [("0", 0), ("60", 60), ("007", 7), ("9999999999", 9_999_999_999)]
)
def test_whole_numbers_of_ten_digits_are_read(written: str, number: int) -> None:
    """Ten digits hold every number that RMZ sends, Unix time included."""
    assert whole_number(written) == number


@pytest.mark.parametrize(
    "written",
    [None, "", " ", "-1", "+1", "1.5", "1e3", "nan", "sixty", "٦", "²", "10000000000", "9" * 5000],
)
def test_anything_but_a_whole_number_counts_as_missing(written: str | None) -> None:
    """All else counts as missing."""
    assert whole_number(written) is None


def test_a_report_has_the_figures_of_the_headers() -> None:
    """A 429 adds the wait."""
    headers = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0", "retry-after": "17"}

    assert report_of(200, headers, MOMENT) == QuotaReport(limit=60, remaining=0)
    assert report_of(429, headers, MOMENT) == QuotaReport(limit=60, remaining=0, closed_for=17.0)
    assert report_of(429, {}, MOMENT) == QuotaReport()


@pytest.mark.parametrize("remaining", [0, None])
def test_a_429_closes_the_quota(remaining: int | None) -> None:
    """With nothing left, or without a word about it, Retry-After is for everybody."""
    assert closed_for({"retry-after": "17"}, remaining, MOMENT) == 17.0


def test_the_guards_429_closes_nothing() -> None:
    """With room left in the window, a Retry-After is for the one call that was refused."""
    assert closed_for({"retry-after": "8"}, 41, MOMENT) is None


def test_retry_after_may_be_a_date() -> None:
    """Retry-After may be a date."""
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:20 GMT"}

    assert closed_for(headers, 0, MOMENT) == 20.0


@pytest.mark.parametrize("written", [None, "soon", "-5"])
def test_the_reset_serves_where_there_is_no_wait(written: str | None) -> None:
    """Without a Retry-After that makes sense, the end of the window says the same."""
    headers = {"x-ratelimit-reset": str(int(MOMENT) + 20)}
    if written is not None:
        headers["retry-after"] = written

    assert closed_for(headers, 0, MOMENT) == 20.0


def test_retry_after_wins() -> None:
    """Seconds need no clock, and a moment needs two that agree."""
    headers = {"retry-after": "7", "x-ratelimit-reset": str(int(MOMENT) + 20)}

    assert closed_for(headers, 0, MOMENT) == 7.0


@pytest.mark.parametrize(("after", "seconds"), [(0, 0.0), (300, 300.0), (-1, None), (301, None)])
def test_an_unreasonable_reset_is_ignored(after: int, seconds: float | None) -> None:
    """A moment in the past, or far ahead, comes from a clock that is wrong."""
    headers = {"x-ratelimit-reset": str(int(MOMENT) + after)}

    assert closed_for(headers, 0, MOMENT) == seconds


def test_a_429_without_headers_names_no_wait() -> None:
    """Without headers nothing is known."""
    assert closed_for({}, None, MOMENT) is None


async def slot_after(status: int, headers: Mapping[str, str]) -> float:
    """A slot at second 100, without patience, after an answer at the same time."""
    clock = Clock(clock=lambda: 100.0, today=lambda: datetime.fromtimestamp(MOMENT, UTC))
    pacer = Slots(Pacing(max_wait=0), clock)
    await pacer.report("key", 60, status, headers)
    with anyio.fail_after(60):
        return await pacer.wait_for_slot("key", 60, until=math.inf)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 503])
async def test_only_a_429_closes_the_quota(status: int) -> None:
    """Any other Retry-After is about something else."""
    assert await slot_after(status, {"retry-after": "7"}) == 100.0


@pytest.mark.anyio
async def test_a_reset_is_unix_time() -> None:
    """The end of RMZ's window is compared with the calendar, and not with the monotonic clock."""
    headers = {"x-ratelimit-reset": str(int(MOMENT) + 20), "x-ratelimit-remaining": "0"}

    with pytest.raises(NoSlotError) as caught:
        await slot_after(429, headers)

    assert caught.value.wait == 21.0
