"""An event whose strings a database would refuse takes effect once, and hides no other."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import attrs
import pytest
import sqlalchemy

import rmz_sync
from rmz_async import ConfigurationError
from rmz_async.webhooks import Event, EventType, Receiver, sample, sign, verify
from rmz_async.webhooks.inbox.interface import Inbox
from tests.webhooks.receiving import SECRET
from tests.webhooks.storages import Storage, claim_one, delivery

# Nothing that a database could compress.
LONG = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(150))
HALVES = ("e\ud800", "e\udfff")
ZEROS = ("e\0", "e\0\0")
ENDLESS = (f"{LONG}a", f"{LONG}b")
LIKE_THEM = ("e?", "e\N{REPLACEMENT CHARACTER}", LONG[:500])
IDS = (*HALVES, *ZEROS, *ENDLESS, *LIKE_THEM)


@pytest.fixture
def receiver(inbox: Inbox, storage: Storage) -> Receiver:
    """A receiver on each database."""
    return Receiver(secrets=[SECRET], inbox=inbox, _clock=storage.time.clock())


def body_of(event_id: str) -> bytes:
    """Return the body of an event with any id."""
    payload = json.loads(sample(EventType.SUBSCRIPTION_RENEWED))
    return json.dumps({**payload, "event_id": event_id}).encode()


def insert(connection: Any, value: str) -> None:
    """Record an effect in either database."""
    if isinstance(connection, sqlalchemy.Connection):
        statement = sqlalchemy.text("INSERT INTO effects VALUES (:value)")
        connection.execute(statement, {"value": value})
    else:
        connection.execute("INSERT INTO effects VALUES (?)", (value,))


def effects(inbox: Inbox) -> list[str]:
    """Return the effects."""
    inbox.add([delivery("look", ("first",))])
    with inbox.transaction(claim_one(inbox)) as connection:
        rows = execute(connection, "SELECT value FROM effects")
        return [value for (value,) in rows]


def execute(connection: Any, statement: str) -> Any:
    """Run a statement in either database."""
    is_postgres = isinstance(connection, sqlalchemy.Connection)
    return connection.execute(sqlalchemy.text(statement) if is_postgres else statement)


def make_table(inbox: Inbox) -> None:
    """Make the table of the effects."""
    inbox.add([delivery("make", ("first",))])
    with inbox.transaction(claim_one(inbox)) as connection:
        execute(connection, "CREATE TABLE effects (value TEXT)")


@pytest.mark.anyio
async def test_each_event_with_an_odd_id_takes_effect_once(
    receiver: Receiver, inbox: Inbox
) -> None:
    """Ids that differ in characters which no database stores are ids of different events."""
    make_table(inbox)

    @receiver.on("subscription.*")
    async def book(event: Event) -> None:
        async with receiver.transaction(event) as connection:
            insert(connection, event.dedupe_key)

    deliveries = [(body, {"Signature": sign(body, SECRET)}) for body in map(body_of, IDS)]
    for body, headers in deliveries * 2:
        assert (await receiver.receive(body, headers)).status == 200
    await receiver.drain()

    keys = [verify(*each, secrets=[SECRET]).dedupe_key for each in deliveries]
    assert sorted(effects(inbox)) == sorted(keys)
    assert len(set(keys)) == len(IDS)
    assert tuple(keys[-len(LIKE_THEM) :]) == LIKE_THEM


def test_a_plain_handler_has_its_transaction_too(inbox: Inbox, storage: Storage) -> None:
    receiver = rmz_sync.webhooks.Receiver(
        secrets=[SECRET], inbox=inbox, _clock=storage.time.clock()
    )
    make_table(inbox)

    @receiver.on("*")
    def book(event: Event) -> None:
        with receiver.transaction(event) as connection:
            insert(connection, "booked")

    for body in map(body_of, IDS):
        receiver.receive(body, {"Signature": sign(body, SECRET)})
    receiver.drain()

    assert effects(inbox) == ["booked"] * len(IDS)


@pytest.mark.anyio
async def test_the_row_of_an_older_version_has_its_transaction_too(
    receiver: Receiver, inbox: Inbox
) -> None:
    """That version stored the key with other characters in the place of the odd ones."""
    seen: list[str | None] = []

    @receiver.on("*", name="first")
    async def book(event: Event) -> None:
        async with receiver.transaction(event):
            seen.append(event.event_id)

    inbox.add([attrs.evolve(delivery("e?", ("first",)), body=body_of("e\ud800"))])
    await receiver.drain()

    assert seen == ["e\ud800"]
    assert inbox.stats().done == 1


@pytest.mark.anyio
async def test_orders_with_endless_ids_are_stored_and_kept_apart(receiver: Receiver) -> None:
    """RMZ would deliver an event that is not stored again, and switch the webhook off."""
    ids: list[int] = []

    @receiver.on("order.*", coalesce=True)
    async def keep(event: Event) -> None:
        assert event.order is not None
        ids.append(event.order.id)

    # As long an integer as Python reads by itself.
    first = int(LONG[:3500], 16)
    for number in (first, first + 1):
        body = sample(EventType.ORDER_CREATED, id=number)
        assert (await receiver.receive(body, {"Signature": sign(body, SECRET)})).status == 200
    await receiver.drain()

    assert ids == [first, first + 1]


@pytest.mark.parametrize("value", ["a\0b", "a\ud800b"])
def test_a_character_that_a_database_refuses_loses_no_delivery(inbox: Inbox, value: str) -> None:
    """RMZ may write it into an event's name; an error of a handler may hold it, too."""
    first = delivery(value, ("first",), request_id=value, subject=value, fault=value)
    assert inbox.add([first]) == [1]
    assert inbox.add([first]) == [None]
    inbox.failed(claim_one(inbox), value, retry_after=None)

    entry = inbox.entry(1)
    assert entry is not None
    shown = {entry.key, entry.request_id, entry.subject, entry.fault, entry.tasks[0].error}
    assert len(shown) == 1
    assert shown <= {"a\N{REPLACEMENT CHARACTER}b", "a?b"}


@pytest.mark.parametrize("name", ["", "a\0b", "a\ud800b", "a" * 501])
def test_a_handler_has_a_name_that_every_database_stores(address: str, name: str) -> None:
    receiver = Receiver(secrets=[SECRET], inbox=address)
    with pytest.raises(ConfigurationError, match="name must have 1 to 500 characters"):
        receiver.on("*", name=name)(print)
