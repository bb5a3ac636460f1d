"""Hand deliveries over to a queue by their numbers, again and again until they are done."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, cast

import anyio

from rmz_async._callables import check_result, is_async
from rmz_async._calls.refusals import quoted
from rmz_async._per_loop import PerLoop
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks._worker import Worker

logger: logging.Logger = logging.getLogger("rmz_async")

Enqueue: TypeAlias = Callable[[int], Awaitable[object] | object]
"""A function that puts the number of a delivery into a queue; async, or plain."""

# Seconds after which a delivery that the queue has not run is handed over again.
HAND_OVER_AGAIN = 60.0

# Seconds that the queue may take: RMZ waits for the answer.
PATIENCE = 1.0

# The most deliveries that are handed over between two reads of the inbox.
MAX_AT_A_TIME = 100

# Plain calls of the queue at the same time in one event loop. On trio, a queue that hangs keeps
# their threads, so these are none of the default limiter, which the inbox and the application use.
MAX_THREADS = 10


class HandOver:
    """A queue, and the deliveries on their way to it."""

    delay: float = HAND_OVER_AGAIN

    def __init__(self, worker: Worker, enqueue: Enqueue) -> None:
        self._worker = worker
        self._enqueue = enqueue
        self._limiters = PerLoop(lambda: anyio.CapacityLimiter(MAX_THREADS))

    async def hand_over(self, inbox_id: int) -> None:
        """Put a number into the queue; if that fails, it is done again later."""
        try:
            with anyio.fail_after(PATIENCE):
                if is_async(self._enqueue):
                    enqueue = cast("Callable[[int], Awaitable[object]]", self._enqueue)
                    check_result(await enqueue(inbox_id))
                else:
                    await anyio.to_thread.run_sync(
                        self._enqueue_plainly,
                        inbox_id,
                        abandon_on_cancel=True,
                        limiter=self._limiters.for_running_loop(),
                    )
        except Exception as error:  # noqa: BLE001 - each queue has errors of its own
            logger.warning(
                "delivery %d was not handed over, and the next attempt follows: %s",
                inbox_id,
                quoted(f"{type(error).__name__}: {error}"),
            )

    def _enqueue_plainly(self, inbox_id: int) -> None:
        check_result(self._enqueue(inbox_id))

    async def hand_over_due(self) -> None:
        """Hand over what is due: what the queue has lost, and what is to be attempted again."""
        due = partial(
            self._worker.inbox.postpone,
            self._worker.handlers.names,
            limit=MAX_AT_A_TIME,
            delay=self.delay,
        )
        for inbox_id in await in_thread(due):
            await self.hand_over(inbox_id)
