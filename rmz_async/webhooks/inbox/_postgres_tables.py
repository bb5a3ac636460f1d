"""The tables of an inbox in PostgreSQL."""

from __future__ import annotations

from rmz_async._extras import extra

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    from sqlalchemy import (
        BigInteger,
        Boolean,
        CheckConstraint,
        Column,
        Double,
        ForeignKey,
        Identity,
        Index,
        Integer,
        LargeBinary,
        MetaData,
        Table,
        Text,
        text,
    )
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateIndex, CreateTable


METADATA = MetaData()

DELIVERIES = Table(
    "rmz_deliveries",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("request_id", Text),
    Column("secret_index", Integer),
    Column("subject", Text),
    Column("fault", Text),
    Column("received_at", Double, nullable=False),
)

# A task's `due` is the time from which it can be claimed, the end of a lease included; 0 is any
# time.
TASKS = Table(
    "rmz_tasks",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "delivery_id",
        BigInteger,
        ForeignKey("rmz_deliveries.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("handler", Text, nullable=False),
    Column("grouping", Text, nullable=False),
    Column("subject", Text),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("fence", Integer, nullable=False, server_default=text("0")),
    Column("due", Double, nullable=False, server_default=text("0")),
    Column("leased_until", Double, nullable=False, server_default=text("0")),
    Column("error", Text),
)

# The one row holds about the latest time that any process has seen.
TIME = Table(
    "rmz_time",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("seen", Double, nullable=False),
)
FIRST_TIME = "INSERT INTO rmz_time VALUES (1, 0) ON CONFLICT DO NOTHING"

KNOWN = Table(
    "rmz_known",
    METADATA,
    Column("subject", Text, primary_key=True),
    Column("state", postgresql.JSONB, nullable=False),
    Column("seen_at", Double, nullable=False),
)

# The one row says how far RMZ's list of subscriptions was compared with rmz_known.
WALK = Table(
    "rmz_walk",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("page", Integer, nullable=False, server_default=text("1")),
    Column("fence", Integer, nullable=False, server_default=text("0")),
    Column("leased_until", Double, nullable=False, server_default=text("0")),
    Column("is_first", Boolean, nullable=False, server_default=text("true")),
)
FIRST_WALK = "INSERT INTO rmz_walk (id) VALUES (1) ON CONFLICT DO NOTHING"

_WAITING = TASKS.c.state == "waiting"

Index("rmz_tasks_of_delivery", TASKS.c.delivery_id)
Index("rmz_tasks_due", TASKS.c.due, TASKS.c.id, postgresql_where=_WAITING)
Index(
    "rmz_tasks_of_subject",
    TASKS.c.subject,
    TASKS.c.handler,
    TASKS.c.id,
    postgresql_where=_WAITING & TASKS.c.subject.is_not(None),
)


def as_sql() -> str:
    """Return the statements that create the tables, unless they are there."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has no type for it
    statements = [
        str(CreateTable(table, if_not_exists=True).compile(dialect=dialect)).strip()
        for table in METADATA.sorted_tables
    ]
    statements += [
        str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect)).strip()
        for table in METADATA.sorted_tables
        for index in sorted(table.indexes, key=lambda index: str(index.name))
    ]
    statements += [FIRST_TIME, FIRST_WALK]
    return "".join(f"{statement};\n" for statement in statements)
