"""A handler whose worker is killed once, after its effect and before that is committed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from rmz_async import webhooks
from rmz_sync import webhooks as blocking

KILLED = Path("killed")
"""Stands in the worker's folder as soon as a worker was killed."""


def add_dying_handler(receiver: webhooks.Receiver | blocking.Receiver) -> None:
    """Register the handler; in the process that receives, and in the worker."""

    @receiver.on(webhooks.SubscriptionExpired)
    def end(event: webhooks.SubscriptionExpired) -> None:
        with receiver.transaction(event) as connection:
            connection.execute("INSERT INTO ends VALUES (?)", (event.subscription.id,))
            if not KILLED.exists():
                KILLED.touch()
                os.kill(os.getpid(), signal.SIGKILL)
