"""The known states of subscriptions, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from rmz_async.webhooks.inbox.known import RESTART, Decide, Seen, Walk
from rmz_async.webhooks.inbox.records import Delivery

# In the order in which they came. A delivery whose period began before the known one is late.
_TAKE_OVER = """
INSERT INTO rmz_known (subject, state, seen_at)
SELECT subject, subject_state, received_at FROM rmz_deliveries
WHERE id > (SELECT taken_over FROM rmz_walk) AND subject_state IS NOT NULL ORDER BY id
ON CONFLICT (subject) DO UPDATE
SET state = json_patch(state, excluded.state), seen_at = excluded.seen_at
WHERE coalesce(json_extract(excluded.state, '$.start'), '~')
    >= coalesce(json_extract(state, '$.start'), '')
"""
_TAKEN_OVER = """
UPDATE rmz_walk SET taken_over = (SELECT coalesce(MAX(id), 0) FROM rmz_deliveries)
"""
_LEARN = """
INSERT INTO rmz_known (subject, state, seen_at) VALUES (?, ?, ?)
ON CONFLICT (subject) DO UPDATE SET state = excluded.state, seen_at = excluded.seen_at
"""
_RESUME = """
UPDATE rmz_walk SET
    fence = fence + 1,
    page = CASE WHEN leased_until < :old THEN 1 ELSE page END,
    leased_until = :until
WHERE leased_until <= :now
RETURNING page, fence, is_first
"""
_GO_ON = "UPDATE rmz_walk SET page = ?, leased_until = ? WHERE fence = ?"
_LEAVE = "UPDATE rmz_walk SET leased_until = ? WHERE fence = ?"
_COMPLETE = "UPDATE rmz_walk SET leased_until = ?, page = 1, is_first = 0 WHERE fence = ?"


def state_column(delivery: Delivery) -> str | None:
    """Return the state that a delivery shows, as it lies beside the delivery."""
    return json.dumps(delivery.state) if delivery.state and delivery.subject is not None else None


def take_over(connection: sqlite3.Connection) -> None:
    """Keep the states that the deliveries since the last time show.

    Only who compares or forgets needs that, and RMZ waits while a delivery is stored.
    """
    connection.execute(_TAKE_OVER)
    connection.execute(_TAKEN_OVER)


def resume(connection: sqlite3.Connection, now: float, lease: float) -> Walk | None:
    """Take up the walk, unless another process makes it."""
    times = {"now": now, "until": now + lease, "old": now - RESTART}
    row = connection.execute(_RESUME, times).fetchone()
    return None if row is None else Walk(page=row[0], fence=row[1], is_first=bool(row[2]))


def go_on(connection: sqlite3.Connection, walk: Walk, until: float) -> bool:
    """Note that a page was compared; return whether the walk is still this process's."""
    return connection.execute(_GO_ON, (walk.page + 1, until, walk.fence)).rowcount == 1


def leave(connection: sqlite3.Connection, walk: Walk, now: float, is_complete: bool) -> None:
    """End the lease."""
    connection.execute(_COMPLETE if is_complete else _LEAVE, (now, walk.fence))


def learn(
    connection: sqlite3.Connection,
    page: Sequence[Seen],
    decide: Decide,
    asked_at: float,
) -> Sequence[Delivery]:
    """Keep the states of a page, and return the deliveries that follow from them."""
    take_over(connection)
    found: list[Delivery] = []
    for seen in page:
        row = connection.execute(
            "SELECT state, seen_at FROM rmz_known WHERE subject = ?", (seen.subject,)
        ).fetchone()
        known: dict[str, Any] = {}
        if row is not None:
            if row[1] > asked_at:
                continue
            known = json.loads(row[0])
        found += decide(seen, known)
        state = json.dumps({**known, **seen.state})
        connection.execute(_LEARN, (seen.subject, state, asked_at))
    return found
