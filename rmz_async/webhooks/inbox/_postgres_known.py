"""The known states of subscriptions, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rmz_async._extras import extra
from rmz_async.webhooks.inbox._postgres_tables import KNOWN, WALK
from rmz_async.webhooks.inbox.known import RESTART, Decide, Seen, Walk
from rmz_async.webhooks.inbox.records import Delivery

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    from sqlalchemy import Connection, bindparam, case, func, select, update
    from sqlalchemy.dialects.postgresql import insert

_NEW = insert(KNOWN)
# A delivery whose period began before the known one is late.
_TAKE_OVER = _NEW.on_conflict_do_update(
    index_elements=["subject"],
    set_={"state": KNOWN.c.state.concat(_NEW.excluded.state), "seen_at": _NEW.excluded.seen_at},
    where=func.coalesce(_NEW.excluded.state["start"].astext, "~").collate("C")
    >= func.coalesce(KNOWN.c.state["start"].astext, "").collate("C"),
)
_LEARN = (
    update(KNOWN)
    .where(KNOWN.c.subject == bindparam("of"))
    .values(state=bindparam("new"), seen_at=bindparam("at"))
)
NOBODY_KNOWS = float("-inf")


def take_over(connection: Connection, deliveries: Sequence[Delivery], now: float) -> None:
    """Keep the states that new deliveries show."""
    # In the order of the subjects: two processes could else wait for each other. Each has a
    # statement of its own, because PostgreSQL changes a row only once in a statement.
    for delivery in sorted(deliveries, key=lambda delivery: delivery.subject or ""):
        if delivery.state and delivery.subject is not None:
            row = {"subject": delivery.subject, "state": dict(delivery.state), "seen_at": now}
            connection.execute(_TAKE_OVER, row)


def resume(connection: Connection, now: float, lease: float) -> Walk | None:
    """Take up the walk, unless another process makes it."""
    statement = (
        update(WALK)
        .where(WALK.c.leased_until <= now)
        .values(
            fence=WALK.c.fence + 1,
            page=case((WALK.c.leased_until < now - RESTART, 1), else_=WALK.c.page),
            leased_until=now + lease,
        )
        .returning(WALK.c.page, WALK.c.fence, WALK.c.is_first)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Walk(page=row.page, fence=row.fence, is_first=row.is_first)


def go_on(connection: Connection, walk: Walk, until: float) -> bool:
    """Note that a page was compared; return whether the walk is still this process's."""
    return _change(connection, walk, {"page": walk.page + 1, "leased_until": until})


def leave(connection: Connection, walk: Walk, now: float, is_complete: bool) -> None:
    """End the lease."""
    done = {"page": 1, "is_first": False} if is_complete else {}
    _change(connection, walk, {"leased_until": now, **done})


def learn(
    connection: Connection, page: Sequence[Seen], decide: Decide, asked_at: float
) -> Sequence[Delivery]:
    """Keep the states of a page, and return the deliveries that follow from them."""
    if not page:
        return ()
    subjects = sorted(seen.subject for seen in page)
    # A row for each, so that no delivery that is stored meanwhile can make it known.
    nothing: dict[str, Any] = {}
    rows = [{"subject": subject, "state": nothing, "seen_at": NOBODY_KNOWS} for subject in subjects]
    connection.execute(_NEW.on_conflict_do_nothing(), rows)
    known = {
        row.subject: row
        for row in connection.execute(
            select(KNOWN)
            .where(KNOWN.c.subject.in_(subjects))
            .order_by(KNOWN.c.subject)
            .with_for_update()
        )
    }
    found: list[Delivery] = []
    changed: list[dict[str, object]] = []
    for seen in page:
        row = known[seen.subject]
        if row.seen_at > asked_at:
            continue
        found += decide(seen, row.state)
        changed.append({"of": seen.subject, "new": {**row.state, **seen.state}, "at": asked_at})
    if changed:
        connection.execute(_LEARN, changed)
    return found


def _change(connection: Connection, walk: Walk, values: Mapping[str, Any]) -> bool:
    statement = update(WALK).where(WALK.c.fence == walk.fence).values(values)
    return connection.execute(statement).rowcount == 1
