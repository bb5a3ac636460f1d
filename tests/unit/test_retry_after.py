"""The header Retry-After, in seconds, as a date and without sense."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from rmz_async._calls.headers import retry_after

# Wednesday, 21 October 2015, 07:28:00 GMT.
MOMENT = 1445412480.0


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("007", 7.0),
        ("999999999", 999_999_999.0),
    ],
)
def test_retry_after_in_seconds(written: str, seconds: float) -> None:
    """A whole number is seconds, up to nine digits."""
    found = retry_after(written, MOMENT)

    assert found == seconds
    assert type(found) is float


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "soon",
        "-5",
        "1.5",
        "1e3",
        "1000000000",
        "9" * 400,
        "٧",
        "nan",
        "inf",
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "Wed, 21 Oct 99999 07:28:00 GMT",
    ],
)
def test_retry_after_without_sense(written: str) -> None:
    """A header that is neither seconds nor a date counts as missing."""
    assert retry_after(written, MOMENT) is None


def test_a_missing_retry_after_gives_no_wait() -> None:
    """A missing header gives no wait."""
    assert retry_after(None, MOMENT) is None


def test_retry_after_as_a_date() -> None:
    """A date gives the time until then."""
    assert retry_after("Wed, 21 Oct 2015 07:28:30 GMT", MOMENT) == 30.0


def test_retry_after_as_a_date_elsewhere() -> None:
    """A date that names another zone is read in that zone."""
    assert retry_after("Wed, 21 Oct 2015 10:28:30 +0300", MOMENT) == 30.0


def test_retry_after_in_the_past() -> None:
    """A date that is over gives no negative wait."""
    assert retry_after("Wed, 21 Oct 2015 07:27:00 GMT", MOMENT) == 0.0


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is not GMT."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_greenwich")
@pytest.mark.parametrize("written", ["Wed Oct 21 07:28:30 2015", "Wed, 21 Oct 2015 07:28:30 -0000"])
def test_a_date_without_a_zone_is_gmt(written: str) -> None:
    """HTTP's old form of a date names no zone, and means GMT on every machine."""
    assert retry_after(written, MOMENT) == 30.0
