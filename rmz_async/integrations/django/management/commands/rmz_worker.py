"""``manage.py rmz_worker``: run the handlers of RMZ's events."""

from __future__ import annotations

import inspect
import signal
from argparse import ArgumentParser
from typing import Any, cast

import anyio
from django.core.management.base import BaseCommand

from rmz_async.integrations.django.configuration import receiver_of_settings

__all__ = ("Command",)


class Command(BaseCommand):
    """Runs handlers until SIGINT or SIGTERM, and lets those that run end."""

    help = "Run the handlers of RMZ's events, until Ctrl-C or SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of the command."""
        parser.add_argument(
            "--concurrency",
            type=int,
            default=10,
            help="how many handlers may run at the same time; 10 if left out",
        )
        parser.add_argument(
            "--once", action="store_true", help="run what is due now, then end; for cron"
        )

    def handle(self, *, concurrency: int, once: bool, **_: Any) -> None:
        """Run the command."""
        receiver = receiver_of_settings()
        if once:
            self.stdout.write(f"{_drained(receiver)} handlers ran")
        elif _is_async(receiver):
            anyio.run(self._work, receiver, concurrency)
        else:
            with receiver.working(concurrency=concurrency):
                anyio.run(self._until_signalled)

    async def _work(self, receiver: Any, concurrency: int) -> None:
        async with receiver.working(concurrency=concurrency):
            await self._until_signalled()

    async def _until_signalled(self) -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            self.stdout.write("working; Ctrl-C ends it")
            await anext(signals)


def _is_async(receiver: Any) -> bool:
    return inspect.iscoroutinefunction(receiver.receive)


def _drained(receiver: Any) -> int:
    return cast("int", anyio.run(receiver.drain) if _is_async(receiver) else receiver.drain())
