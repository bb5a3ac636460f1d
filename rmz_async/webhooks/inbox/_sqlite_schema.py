"""The tables of an inbox in SQLite."""

from __future__ import annotations

# A task's `due` is the time from which it can be claimed, the end of a lease included; 0 is any
# time. The one row of rmz_time holds the latest time that any process has seen, and the latest
# delivery whose tasks are in rmz_tasks. The tasks of later ones are in their column `handlers`;
# rmz_all_tasks shows both. The one row of rmz_walk says how far RMZ's list of subscriptions was
# compared with rmz_known, and which was the latest delivery whose state rmz_known has.
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
    received_at REAL NOT NULL,
    handlers TEXT,
    due REAL NOT NULL DEFAULT 0
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
    seen REAL NOT NULL,
    tasks_until INTEGER NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO rmz_time (id, seen) VALUES (1, 0);
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
CREATE VIEW IF NOT EXISTS rmz_all_tasks AS
    SELECT id, delivery_id, handler, state, attempts, error, due, leased_until FROM rmz_tasks
    UNION ALL
    SELECT handler.id, delivery.id, handler.key, 'waiting', 0, NULL, delivery.due, 0
    FROM rmz_deliveries AS delivery, json_each(delivery.handlers) AS handler
    WHERE delivery.id > (SELECT tasks_until FROM rmz_time);
CREATE TRIGGER IF NOT EXISTS rmz_newest_deleted AFTER DELETE ON rmz_deliveries
WHEN old.id > (SELECT coalesce(MAX(id), 0) FROM rmz_deliveries)
BEGIN
    UPDATE rmz_time
    SET tasks_until = min(tasks_until, (SELECT coalesce(MAX(id), 0) FROM rmz_deliveries));
    UPDATE rmz_walk
    SET taken_over = min(taken_over, (SELECT coalesce(MAX(id), 0) FROM rmz_deliveries));
END;
"""

LATER_COLUMNS = (
    ("rmz_deliveries", "subject_state", "TEXT"),
    ("rmz_walk", "taken_over", "INTEGER NOT NULL DEFAULT 0"),
    ("rmz_deliveries", "handlers", "TEXT"),
    ("rmz_deliveries", "due", "REAL NOT NULL DEFAULT 0"),
    ("rmz_time", "tasks_until", "INTEGER NOT NULL DEFAULT 0"),
)
"""The columns that tables of an older version may lack: the table, the column and its kind."""
