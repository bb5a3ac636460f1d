"""The handlers of "The inbox", with deliveries that are signed as RMZ signs them."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy

from rmz_async import webhooks
from rmz_async.webhooks import EventType
from tests.docs.pages import Page

PAGE = "docs/inbox.md"
SECRET = "the-secret-of-28-characters."


class Queue:
    """A task queue."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    async def put(self, number: int) -> None:
        """Keep a number."""
        self.numbers.append(number)


@pytest.fixture
def page(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Page:
    """The page, in a folder of its own, with what the reader has."""
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("rmz-inbox.db") as connection:
        connection.execute("CREATE TABLE renewals (subscription INTEGER)")
        connection.execute("CREATE TABLE welcomes (subscription INTEGER)")
    connection.close()
    page.names["queue"] = Queue()
    return page


async def deliver(receiver: webhooks.Receiver, *kinds: EventType) -> None:
    """Deliver an event of each kind."""
    for kind in kinds:
        body = webhooks.sample(kind)
        ack = await receiver.receive(body, {"Signature": webhooks.sign(body, SECRET)})
        assert ack.status == 200


def rows(table: str) -> list[tuple[int]]:
    """Return the rows of a table in the inbox's file."""
    connection = sqlite3.connect("rmz-inbox.db")
    found = connection.execute(f"SELECT subscription FROM {table}").fetchall()  # noqa: S608 - of this test
    connection.close()
    return found


def test_each_event_reaches_its_handlers(page: Page) -> None:
    page.run("Handlers")

    async def main() -> None:
        receiver = page["receiver"]
        await deliver(receiver, *EventType)
        await receiver.drain()
        await receiver.aclose()

    page.wait(main())
    assert page.printed.count("please pay: usr_abc123") == 1
    assert page.printed.count("order 78901") == 2
    assert sum(line.startswith("not handled: ") for line in page.printed) == 10


def test_effects_happen_once(page: Page) -> None:
    """In the inbox's transaction, and in one of SQLAlchemy's."""
    engine = sqlalchemy.create_engine("sqlite:///rmz-inbox.db")
    page.names["engine"] = engine
    page.run("Effects that happen once")

    async def main() -> None:
        receiver = page["receiver"]
        for _ in range(2):
            await deliver(receiver, EventType.SUBSCRIPTION_RENEWED, EventType.SUBSCRIPTION_CREATED)
            for number in (1, 2):
                await receiver.run_one(number)
        await receiver.aclose()

    page.names["set_access"] = lambda user, granted: None
    page.wait(main())
    engine.dispose()
    assert rows("renewals") == rows("welcomes") == [(501,)]


def test_a_queue_runs_what_is_handed_over(page: Page) -> None:
    page.run()

    async def main() -> None:
        receiver = page["receiver"]
        await deliver(receiver, EventType.ORDER_CREATED)
        (number,) = page["queue"].numbers
        await page["run_delivery"](number)
        assert (await receiver.stats()).done == 1
        await receiver.aclose()

    page.wait(main())
    assert "order 78901" in page.printed


def test_an_order_without_an_event_is_found(page: Page) -> None:
    page.run("Make up for missed events")
    orders = page.sandbox.state.orders
    first, *others = orders

    missed = page.wait(page["missed_orders"](date(2020, 1, 1), set(others)))

    assert missed == [first]


def test_the_receiver_of_the_page_is_well(page: Page) -> None:
    page.run("Watch the webhook")

    async def look() -> dict[str, object]:
        await deliver(page["receiver"], EventType.SUBSCRIPTION_RENEWED)
        found: dict[str, object] = await page["status"]()
        return found

    assert page.wait(look())["level"] == "ok"


def test_the_play_of_the_page_ends_well(page: Page) -> None:
    page.run()

    page.wait(page["check"]())
