"""The tables of an inbox in SQLite."""

from __future__ import annotations

# A task's `due` is the time from which it can be claimed, the end of a lease included; 0 is any
# time. The one row of rmz_time holds the latest time that any process has seen. The one row
# of rmz_walk says how far RMZ's list of subscriptions was compared with rmz_known, and which was
# the latest delivery whose state rmz_known has.
SCHEMA = """\
CREATE TABLE IF NOT EXISTS rmz_deliveries (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    request_id TEXT,
    secret_index INTEGER,
    subject TEXT,
    fault TEXT,
    subject_state TEXT,
    received_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS rmz_tasks (
    id INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES rmz_deliveries (id) ON DELETE CASCADE,
    handler TEXT NOT NULL,
    grouping TEXT NOT NULL,
    subject TEXT,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL,
    leased_until REAL NOT NULL DEFAULT 0,
    error TEXT
);
CREATE INDEX IF NOT EXISTS rmz_tasks_of_delivery ON rmz_tasks (delivery_id);
CREATE INDEX IF NOT EXISTS rmz_tasks_due ON rmz_tasks (due, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS rmz_tasks_of_subject ON rmz_tasks (subject, handler, id)
    WHERE state = 'waiting' AND subject IS NOT NULL;
CREATE TABLE IF NOT EXISTS rmz_time (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seen REAL NOT NULL
);
INSERT OR IGNORE INTO rmz_time VALUES (1, 0);
CREATE TABLE IF NOT EXISTS rmz_known (
    subject TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    seen_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rmz_walk (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    page INTEGER NOT NULL DEFAULT 1,
    fence INTEGER NOT NULL DEFAULT 0,
    leased_until REAL NOT NULL DEFAULT 0,
    is_first INTEGER NOT NULL DEFAULT 1,
    taken_over INTEGER NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO rmz_walk (id) VALUES (1);
"""

LATER_COLUMNS = (
    ("rmz_deliveries", "subject_state", "TEXT"),
    ("rmz_walk", "taken_over", "INTEGER NOT NULL DEFAULT 0"),
)
"""The columns that tables of an older version may lack: the table, the column and its kind."""
