from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Any

import pytest

from rmz_async import InvalidRequestError, Order, OrderStatus, Page, operations
from rmz_async._calls.outcome import Evidence, Window
from rmz_async.resources.orders import Orders

pytestmark = pytest.mark.anyio

ID_RULE = ("must be a positive integer",)
BAD_IDS: list[Any] = [0, -1, True, "501", 501.0, None, "../store", 2**63]


class FourInAnotherEnum(IntEnum):
    """Some other table's number."""

    SHIPPED = 4


class Day(date):
    """A date of another library, as some of them have it."""


async def test_get_reads_by_id(recorder: Any) -> None:
    """An order is read by its id."""
    found = await recorder.make(Orders).get(78901)

    call = recorder.only
    assert found is recorder.answer
    assert (call.operation, call.returns) == (operations.ORDERS_GET, Order)
    assert (call.object_id, call.query, call.body, call.settlement) == (78901, {}, None, None)


@pytest.mark.parametrize("order_id", BAD_IDS)
async def test_bad_ids_are_refused(recorder: Any, order_id: Any) -> None:
    """An id that could change the address is refused by name, and nothing is sent."""
    orders = recorder.make(Orders)
    for call in (orders.get(order_id), orders.update(order_id, status=4)):
        with pytest.raises(InvalidRequestError, match=r"^orders\.(get|update) was not") as caught:
            await call
        assert caught.value.errors == {"id": ID_RULE}

    assert recorder.calls == []


async def test_list_sends_nothing_by_itself(recorder: Any) -> None:
    """A list is asked for when it is walked, the newest order first."""
    pager = recorder.make(Orders).list()

    assert recorder.calls == []
    await pager.first()
    call = recorder.only
    assert (call.operation, call.returns) == (operations.ORDERS_LIST, Page[Order])
    assert (call.object_id, call.body, call.settlement) == (None, None, None)
    assert call.query == {
        "page": 1,
        "created_from": None,
        "created_to": None,
        "orderBy": "id",
        "orderDirection": "desc",
    }


@pytest.mark.parametrize("kind", [date, Day])
async def test_the_filters_of_a_list(recorder: Any, kind: type[date]) -> None:
    """Filters go under RMZ's names, with every page."""
    pager = recorder.make(Orders).list(
        created_from=kind(2024, 1, 1),
        created_to=kind(2024, 1, 31),
        order_by="total",
        order_direction="asc",
        page=3,
    )
    await pager.first()

    assert recorder.only.query == {
        "page": 3,
        "created_from": date(2024, 1, 1),
        "created_to": date(2024, 1, 31),
        "orderBy": "total",
        "orderDirection": "asc",
    }


@pytest.mark.parametrize("order_by", ["id", "created_at", "updated_at", "total"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_a_list_is_sorted_by_four_fields(
    recorder: Any, order_by: str, direction: str
) -> None:
    """Four fields, in two directions."""
    await recorder.make(Orders).list(order_by=order_by, order_direction=direction).first()

    query = recorder.only.query
    assert (query["orderBy"], query["orderDirection"]) == (order_by, direction)


async def test_a_range_may_be_one_day(recorder: Any) -> None:
    """A range may begin and end on the same day."""
    day = date(2024, 1, 1)
    await recorder.make(Orders).list(created_from=day, created_to=day).first()

    assert recorder.only.query["created_from"] == recorder.only.query["created_to"] == day


DATE_RULE = ("must be a date without a time",)
BY_RULE = ("must be id, created_at, updated_at or total",)
DIRECTION_RULE = ("must be asc or desc",)


@pytest.mark.parametrize(
    ("filters", "errors"),
    [
        *(({"page": value}, {"page": ID_RULE}) for value in (0, -1, True, "2", 2.0, None)),
        *(
            ({name: value}, {name: DATE_RULE})
            for name in ("created_from", "created_to")
            for value in (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01", "", 20240101, True)
        ),
        (
            {"created_from": date(2024, 1, 2), "created_to": date(2024, 1, 1)},
            {"created_from": ("must not be later than created_to",)},
        ),
        (
            {"created_from": "2024-01-02", "created_to": date(2024, 1, 1)},
            {"created_from": DATE_RULE},
        ),
        *(
            ({"order_by": value}, {"orderBy": BY_RULE})
            for value in ("", "name", "ID", "i", "id, created_at", None, True, ["id"])
        ),
        *(
            ({"order_direction": value}, {"orderDirection": DIRECTION_RULE})
            for value in ("", "ASC", "up", None, ["asc"])
        ),
    ],
    ids=lambda value: next(iter(value)),
)
async def test_faults_of_a_list(
    recorder: Any, filters: dict[str, Any], errors: dict[str, Any]
) -> None:
    """Filters are checked when the list is made: a wrong one would give other orders."""
    with pytest.raises(InvalidRequestError, match=r"^orders\.list was not sent") as caught:
        recorder.make(Orders).list(**filters)

    assert caught.value.errors == errors


@pytest.mark.parametrize("status", [*range(1, 7), *OrderStatus], ids=repr)
async def test_update_sends_the_status_as_a_number(recorder: Any, status: int) -> None:
    """A status is sent as its number, and nothing is returned."""
    assert await recorder.make(Orders).update(78901, status=status) is None

    call = recorder.only
    assert (call.operation, call.returns) == (operations.ORDERS_UPDATE, type(None))
    assert (call.object_id, call.query, call.body) == (78901, {}, {"status": int(status)})
    assert type(call.body["status"]) is int


@pytest.mark.parametrize(
    "status", [0, 7, -1, True, "4", 4.0, None, FourInAnotherEnum.SHIPPED], ids=repr
)
async def test_a_bad_status_is_refused(recorder: Any, status: Any) -> None:
    """Anything but the six numbers is refused, a number of another table included."""
    with pytest.raises(InvalidRequestError, match=r"^orders\.update was not sent") as caught:
        await recorder.make(Orders).update(78901, status=status)

    assert caught.value.errors == {"status": ("must be an integer from 1 to 6",)}
    assert recorder.calls == []


async def test_the_faults_of_an_update_come_together(recorder: Any) -> None:
    """The id and the status are both named."""
    with pytest.raises(InvalidRequestError) as caught:
        await recorder.make(Orders).update(0, status=0)

    assert list(caught.value.errors) == ["id", "status"]


async def test_how_an_update_is_settled(recorder: Any) -> None:
    """The very order is read back, and if it was moved the call returns nothing as always."""
    await recorder.make(Orders).update(78901, status=4)

    settlement = recorder.only.settlement
    assert settlement.result(Order(id=78901, current_status=OrderStatus.COMPLETED)) is None
    assert settlement.read.operation is operations.ORDERS_GET
    assert (settlement.read.object_id, settlement.read.returns) == (78901, Order)
    assert settlement.read.settlement is None


SINCE = datetime(2026, 1, 15, tzinfo=UTC)
BEFORE = SINCE - timedelta(seconds=601)
JUST_BEFORE = SINCE - timedelta(seconds=600)
WINDOW = Window(since=SINCE, until=SINCE + timedelta(seconds=60))


@pytest.mark.parametrize("status", [4, OrderStatus.COMPLETED])
@pytest.mark.parametrize(
    ("found", "updated_at", "window", "evidence"),
    [
        (OrderStatus.COMPLETED, SINCE, WINDOW, Evidence.APPLIED),
        (OrderStatus.COMPLETED, BEFORE, WINDOW, Evidence.APPLIED),
        (OrderStatus.COMPLETED, None, None, Evidence.APPLIED),
        (OrderStatus.IN_PROGRESS, BEFORE, WINDOW, Evidence.NOT_APPLIED),
        (OrderStatus.IN_PROGRESS, JUST_BEFORE, WINDOW, Evidence.UNSEEN),
        (OrderStatus.IN_PROGRESS, SINCE, WINDOW, Evidence.UNCLEAR),
        (OrderStatus.IN_PROGRESS, None, WINDOW, Evidence.UNCLEAR),
        (OrderStatus.IN_PROGRESS, BEFORE, None, Evidence.UNCLEAR),
        (9, SINCE, WINDOW, Evidence.UNCLEAR),
        (None, None, None, Evidence.UNCLEAR),
    ],
)
async def test_a_move_is_judged_by_place_and_time(
    recorder: Any, status: int, found: Any, updated_at: Any, window: Any, evidence: Evidence
) -> None:
    """The order has the wanted status; or it has not, and has not changed since the call."""
    await recorder.make(Orders).update(78901, status=status)

    order = Order(id=78901, current_status=found, updated_at=updated_at)
    assert recorder.only.settlement.compare(order, window) is evidence
