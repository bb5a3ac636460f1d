from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from rmz_async import sandbox
from rmz_async.sandbox import Duration
from rmz_async.sandbox.seed.store import seeded_store
from rmz_async.sandbox.store.ids import Ids
from rmz_async.sandbox.store.table import Table
from rmz_async.sandbox.wire.exact_json import dumps, loads
from rmz_async.sandbox.wire.forms import (
    day_and_time,
    english,
    price_label,
    relative,
    weekday_and_time,
)


def test_every_public_name_exists_once() -> None:
    """Everything that is promised exists."""
    assert len(sandbox.__all__) == len(set(sandbox.__all__))
    assert all(hasattr(sandbox, name) for name in sandbox.__all__)


def test_json_keeps_every_digit() -> None:
    """Numbers are written and read as they are, whatever a float would make of them."""
    written = b'{"a":[99.00,1E-7,0.10000000000000000001],"b":{"c":null,"d":true}}'
    read = loads(written)
    assert read == {
        "a": [Decimal("99.00"), Decimal("1E-7"), Decimal("0.10000000000000000001")],
        "b": {"c": None, "d": True},
    }
    assert dumps(read) == written.replace(b"1E-7", b"0.0000001")


def test_json_escapes_what_is_not_ascii() -> None:
    """Strings and keys are escaped like PHP's."""
    assert dumps({"é": ('"', "سنه")}) == b'{"\\u00e9":["\\"","\\u0633\\u0646\\u0647"]}'


@pytest.mark.parametrize("body", [b"NaN", b"-Infinity", b"\xff", b"[" * 100_000, b'"\\udc00"', b""])
def test_json_is_strict(body: bytes) -> None:
    """A body that is no JSON, or could not be written again, is one kind of error."""
    with pytest.raises(ValueError):  # noqa: PT011 - the parser's own messages differ
        loads(body)


@pytest.mark.parametrize(
    ("amount", "label"),
    [("199.99", "١٩٩٫٩٩ ر.س"), ("49", "٤٩٫٠٠ ر.س"), ("1234567.5", "١٬٢٣٤٬٥٦٧٫٥٠ ر.س")],
)
def test_prices_are_labelled_in_arabic(amount: str, label: str) -> None:
    """Digits and separators are those that a reader of Arabic expects."""
    assert price_label(Decimal(amount)) == label


def test_every_duration_has_a_length_and_a_label() -> None:
    """The documented seven, from a month to ten years, each with a label."""
    assert [(str(duration), duration.length.days) for duration in Duration] == [
        ("monthly", 30),
        ("quarterly", 90),
        ("semiAnnual", 180),
        ("annually", 365),
        ("biennial", 730),
        ("quinquennial", 1825),
        ("decennial", 3650),
    ]
    assert len({duration.label for duration in Duration}) == 7


def test_ids_count_by_kind() -> None:
    """Each kind starts by itself, and nothing is dealt out twice."""
    ids = Ids()
    assert [ids.number("a", first=5), ids.number("a", first=5), ids.number("b")] == [5, 6, 1]
    keys = [ids.key("page") for _ in range(100)]
    assert len(set(keys)) == 100
    assert {len(key) for key in keys} == {26}
    assert Ids().key("page") == keys[0]


def test_next_id_is_above_all() -> None:
    """Numbers go on from the highest, even one that a test has set up."""
    table: Table[int, str] = Table()
    assert table.next_id(first=501) == 501
    table[900] = "a"
    table[502] = "b"
    assert table.next_id(first=501) == 901
    del table[900]
    assert table.next_id(first=501) == 503


NOW = datetime(2024, 3, 15, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "label"),
    [
        (timedelta(0), "منذ ثانية واحدة"),
        (timedelta(seconds=2), "منذ ثانيتين"),
        (timedelta(seconds=3), "منذ 3 ثوان"),
        (timedelta(seconds=59), "منذ 59 ثانية"),
        (timedelta(minutes=1), "منذ دقيقة واحدة"),
        (timedelta(minutes=10), "منذ 10 دقائق"),
        (timedelta(minutes=11), "منذ 11 دقيقة"),
        (timedelta(hours=2), "منذ ساعتين"),
        (timedelta(days=1), "منذ يوم واحد"),
        (timedelta(days=14), "منذ أسبوعين"),
        (timedelta(days=60), "منذ شهرين"),
        (timedelta(days=400), "منذ سنة"),
        (timedelta(days=-3), "بعد 3 أيام"),
        (timedelta(seconds=-1), "بعد ثانية واحدة"),
    ],
    ids=str,
)
def test_distances_are_worded_in_arabic(passed: timedelta, label: str) -> None:
    """The numbers 1, 2, a few and many have each their own form, for past and future."""
    assert relative(NOW - passed, NOW) == label


@pytest.mark.parametrize(
    ("hour", "arabic", "english_time"),
    [
        (0, "12:30 ص", "12:30 AM"),
        (11, "11:30 ص", "11:30 AM"),
        (12, "12:30 م", "12:30 PM"),
        (23, "11:30 م", "11:30 PM"),
    ],
)
def test_moments_are_worded(hour: int, arabic: str, english_time: str) -> None:
    """In the three documented forms, each with a clock of twelve hours."""
    moment = NOW.replace(hour=hour)
    assert day_and_time(moment, comma=True) == f"15 مارس 2024، {arabic}"
    assert day_and_time(moment, comma=False) == f"15 مارس 2024 {arabic}"
    assert weekday_and_time(moment) == f"الجمعة، مارس 15، 2024 {arabic}"
    assert english(moment) == f"Fri, Mar 15, 2024 {english_time}"


def test_seeded_stores_share_nothing() -> None:
    """A change by one test is not seen by the next."""
    first, second = seeded_store(NOW), seeded_store(NOW)
    for table in ("categories", "products", "codes", "coupons", "orders", "customers"):
        mine, other = getattr(first, table), getattr(second, table)
        assert mine == other
        assert not {id(row) for row in mine.values()} & {id(row) for row in other.values()}


def test_the_addresses_of_pages_differ_from_run_to_run() -> None:
    """A guessed key would let anyone pay there, or look into a portal; a seed repeats the keys."""
    runs = [sandbox.Sandbox().state.ids.key("portal session") for _ in range(2)]
    seeded = [sandbox.Sandbox(seed=7).state.ids.key("portal session") for _ in range(2)]

    assert len({*runs, *seeded}) == 3
