"""The errors of an inbox in PostgreSQL say what to do, and show nothing of a customer."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from rmz_async import ConfigurationError
from rmz_async.webhooks.inbox.postgres import PostgresInbox
from tests.webhooks.postgres import locked, new_schema
from tests.webhooks.storages import claim_one, delivery, store


def test_missing_tables_are_named_with_the_command_that_makes_them() -> None:
    inbox = PostgresInbox(new_schema())
    for call in (inbox.stats, lambda: inbox.add([delivery()]), inbox.entries):
        with pytest.raises(ConfigurationError, match=r"run python -m rmz_async\.webhooks create"):
            call()
    inbox.close()


def test_a_missing_table_of_a_handler_is_the_databases_error() -> None:
    inbox = PostgresInbox(new_schema())
    inbox.create()
    store(inbox, "e-1")
    task = claim_one(inbox)
    with (
        pytest.raises(DBAPIError, match="renewals"),
        inbox.transaction(task) as connection,
    ):
        connection.execute(text("SELECT * FROM renewals"))
    inbox.close()


def test_a_delivery_that_is_not_stored_shows_none_of_its_values() -> None:
    """The error is logged."""
    address = new_schema()
    inbox = PostgresInbox(address)
    inbox.create()
    with locked(address, "rmz_deliveries"), pytest.raises(DBAPIError) as caught:
        inbox.add([delivery("sara@example.com")])

    assert "statement timeout" in str(caught.value)
    assert "sara@example.com" not in str(caught.value)
    inbox.close()
