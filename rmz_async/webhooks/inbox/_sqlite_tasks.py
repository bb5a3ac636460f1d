"""The tasks of deliveries in SQLite, which are made when a worker looks for them.

RMZ waits while a delivery is stored, and each index of rmz_tasks is a page more of the log. So a
delivery is stored with the names of its handlers, and the worker makes tasks of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from functools import lru_cache

from rmz_async.webhooks.inbox.interface import Grouping

# Storing a delivery waits for a transaction, and may wait for 1.2 seconds.
MOST_DELIVERIES = 5_000

_MARKS = "SELECT tasks_until, (SELECT coalesce(MAX(id), 0) FROM rmz_deliveries) FROM rmz_time"
_MAKE = """
INSERT INTO rmz_tasks (delivery_id, handler, grouping, subject, due)
SELECT delivery.id, handler.key, handler.value,
    CASE handler.value WHEN 'each' THEN NULL ELSE delivery.subject END, delivery.due
FROM rmz_deliveries AS delivery, json_each(delivery.handlers) AS handler
WHERE delivery.id > ? AND delivery.id <= ? ORDER BY delivery.id, handler.id
"""


def handlers_column(handlers: Mapping[str, Grouping]) -> str | None:
    """Return the handlers of a delivery as they lie beside it."""
    return _as_json(tuple(handlers.items())) if handlers else None


@lru_cache
def _as_json(handlers: tuple[tuple[str, Grouping], ...]) -> str:
    return json.dumps(dict(handlers))


def are_missing(connection: sqlite3.Connection) -> bool:
    """Say whether deliveries have come since tasks were made."""
    made, newest = connection.execute(_MARKS).fetchone()
    return bool(newest > made)


def make(connection: sqlite3.Connection) -> bool:
    """Make the tasks of the oldest deliveries that lack them; say whether these were all."""
    made, newest = connection.execute(_MARKS).fetchone()
    until = min(newest, made + MOST_DELIVERIES)
    if until > made:
        connection.execute(_MAKE, (made, until))
        connection.execute("UPDATE rmz_time SET tasks_until = ?", (until,))
    return bool(until == newest)
