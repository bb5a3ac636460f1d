"""A thread that listens for the notifications of other processes, sent with each delivery."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rmz_async._extras import extra

with extra("postgres", needed_by="an inbox in PostgreSQL"):
    import psycopg
    from sqlalchemy import Engine, text
    from sqlalchemy.exc import DBAPIError


CHANNEL = "rmz_inbox"

SLICE = 0.5
"""Seconds between two checks of whether the listening has ended."""

PAUSE = 2.0
"""Seconds between two attempts to connect. Workers poll the inbox meanwhile."""


class Listening:
    """A connection that waits for notifications.

    Args:
        engine: Makes the connection.
        wake: Called in the thread for each notification.
    """

    def __init__(self, engine: Engine, wake: Callable[[], None]) -> None:
        self._engine = engine
        self._wake = wake
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rmz-inbox", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer; return when the connection is closed, within a time limit."""
        self._stopped.set()
        self._thread.join(4 * SLICE)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (DBAPIError, psycopg.Error):
                self._stopped.wait(PAUSE)

    def _listen(self) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(f"LISTEN {CHANNEL}"))
            # Deliveries may have been stored while no process listened.
            self._wake()
            driver: Any = connection.connection.driver_connection
            while not self._stopped.is_set():
                for _ in driver.notifies(timeout=SLICE, stop_after=1):
                    self._wake()
