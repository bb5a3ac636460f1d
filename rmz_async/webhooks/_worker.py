"""The worker: claims tasks, keeps their leases, runs their handlers, and records the results."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import cast
from weakref import WeakKeyDictionary

import anyio
import attrs

from rmz_async._calls.clock import Clock
from rmz_async._calls.refusals import quoted
from rmz_async.errors import TaskLostError
from rmz_async.observing import Observer, Work
from rmz_async.webhooks._batching import Batches
from rmz_async.webhooks._handlers import Handlers
from rmz_async.webhooks._reading import event_of
from rmz_async.webhooks._records import handler_record, known
from rmz_async.webhooks._threads import in_thread
from rmz_async.webhooks._transaction import Run, current_run
from rmz_async.webhooks.inbox._steady_time import SteadyTime
from rmz_async.webhooks.inbox.interface import Inbox, TaskState
from rmz_async.webhooks.inbox.records import Task

logger: logging.Logger = logging.getLogger("rmz_async")

# Seconds after which the tasks of a process that has died are taken by another.
LEASE = 30.0

# Seconds between two renewals of the leases of the tasks that run here.
RENEWAL = 10.0


@attrs.define(eq=False, repr=False)
class Worker:
    """Runs the tasks of one inbox, for all event loops of a process.

    Attributes:
        inbox: The inbox.
        handlers: The handlers.
        clock: Time, sleep and chance.
        timeout: Seconds that an attempt of an async handler may take.
        observer: Gets a record of each attempt; None for none.
        done: The tasks that have succeeded, on their way to the inbox.
    """

    inbox: Inbox
    handlers: Handlers
    clock: Clock
    timeout: float
    observer: Observer | None = None
    done: Batches[Task, None] = attrs.field(init=False)
    # The claim time of each task that waits for a free place: its lag includes that wait.
    _claimed_at: WeakKeyDictionary[Task, float] = attrs.field(
        init=False, factory=WeakKeyDictionary[Task, float]
    )
    # The time until which no other worker can have each task that was claimed.
    _leases: WeakKeyDictionary[Task, float] = attrs.field(
        init=False, factory=WeakKeyDictionary[Task, float]
    )
    _time: SteadyTime = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.done = Batches(self._done)
        self._time = SteadyTime(self.clock)

    async def claim(self, limit: int, inbox_id: int | None = None) -> Sequence[Task]:
        """Claim tasks that are due, or those of one delivery."""
        tasks = await in_thread(partial(self._claim, limit, inbox_id))
        if self.observer is not None:
            self._claimed_at.update(dict.fromkeys(tasks, self.clock.clock()))
        return tasks

    @asynccontextmanager
    async def keeping_leases(self) -> AsyncGenerator[set[Task]]:
        """Renew the leases of the tasks in the set that this returns."""
        running: set[Task] = set()
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._renew, running)
            try:
                yield running
            except Exception as error:  # noqa: BLE001 - raised below, outside of the group
                failure = error
            group.cancel_scope.cancel()
        # Inside of the group it would become a part of an exception group.
        if failure is not None:
            raise failure

    async def give_back(self, tasks: Collection[Task]) -> None:
        """Give claimed tasks back that do not run, because their worker ends."""
        try:
            await in_thread(partial(self.inbox.release, tuple(tasks)))
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            logger.error("tasks wait for the end of their lease: %s", quoted(str(error)))  # noqa: TRY400 - one line

    async def run(self, task: Task, running: set[Task], limiter: anyio.CapacityLimiter) -> None:
        """Run the handler of a task that was claimed; the handler's errors end in the inbox."""
        if self.observer is None:
            await self._run(task, running, limiter)
            return
        began = self.clock.clock()
        waited = began - self._claimed_at.pop(task, began)
        with self.observer.around(Work.HANDLER, known(task.name)):
            outcome = "cancelled"
            try:
                outcome = await self._run(task, running, limiter)
            finally:
                seconds = self.clock.clock() - began
                self.observer.on_handler(handler_record(task, outcome, seconds, waited))

    async def _run(self, task: Task, running: set[Task], limiter: anyio.CapacityLimiter) -> str:
        if self._time.now() >= self._leases[task]:
            # The task waited here, and another worker may have run it, and those after it.
            running.discard(task)
            await self.give_back([task])
            return "lost"
        running.add(task)
        run = Run(task, self.inbox)
        token = current_run.set(run)
        outcome = "ok"
        most = self.handlers.named(task.handler).rules.max_attempts
        if task.attempt > most:
            # The number of attempts is checked when an attempt ends, and those before had no end.
            logger.warning(
                "%s begins attempt %d of %d for %s: earlier ones had no end, as if the handler "
                "had killed its process",
                task.handler,
                task.attempt,
                most,
                task.name,
            )
        try:
            event = event_of(task.body, task.request_id, task.secret_index)
            # The task's own key may be that of an older version, which replaced characters.
            run.key = event.dedupe_key
            with anyio.fail_after(self.timeout):
                await self.handlers.named(task.handler).call(event, limiter)
        except TaskLostError as error:
            logger.warning("%s", error)
            outcome = "lost"
        except BaseException as error:
            # The database has the last word before a cancellation goes on.
            with anyio.CancelScope(shield=True):
                if not _is_failure(error):
                    await self._settle(run, partial(self.inbox.release, [task]))
                    raise
                outcome = await self._failed(run, error)
                # A program that is started again must not end at the same event each time.
                if isinstance(error, SystemExit):
                    raise
        else:
            if not run.is_committed:
                with anyio.CancelScope(shield=True):
                    await self._succeeded(run)
        finally:
            current_run.reset(token)
            running.discard(task)
        return outcome

    async def _succeeded(self, run: Run) -> None:
        try:
            if run.is_marked and await in_thread(partial(self._waits, run.task)):
                logger.warning(
                    "%s has succeeded for %s, but the transaction that it gave to mark_done was "
                    "not committed, and its effect is missing",
                    run.task.handler,
                    run.task.name,
                )
            await self.done.submit(run.task)
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            _report_unsettled(run.task, error)

    async def _failed(self, run: Run, error: BaseException) -> str:
        task, rules = run.task, self.handlers.named(run.task.handler).rules
        reason = quoted(f"{type(error).__name__}: {error}")
        if run.is_committed:
            logger.warning(
                "%s failed for %s after it had committed, and is done: %s",
                task.handler,
                task.name,
                reason,
            )
            return "ok"
        is_last = task.attempt >= rules.max_attempts
        # At least half of the wait, so that those who failed together do not all come back
        # together.
        wait = rules.wait_after(task.attempt) * (0.5 + self.clock.draw() / 2)
        logger.log(
            logging.ERROR if is_last else logging.WARNING,
            "%s failed for %s (attempt %d of %d): %s",
            task.handler,
            task.name,
            task.attempt,
            rules.max_attempts,
            reason,
        )
        retry_after = None if is_last else wait
        await self._settle(run, partial(self.inbox.failed, task, reason, retry_after=retry_after))
        return "dead" if is_last else "failed"

    async def _settle(self, run: Run, call: Callable[[], None]) -> None:
        try:
            if not run.is_committed:
                await in_thread(call)
        except Exception as error:  # noqa: BLE001 - each database has errors of its own
            _report_unsettled(run.task, error)

    async def _renew(self, running: set[Task]) -> None:
        while True:
            await self.clock.sleep(RENEWAL)
            if running:
                tasks, until = tuple(running), self._time.now() + LEASE
                try:
                    await in_thread(partial(self.inbox.renew, tasks, lease=LEASE))
                    # A renewal does not say which tasks were lost before.
                    now = self._time.now()
                    kept = [task for task in tasks if now < self._leases[task]]
                    self._leases.update(dict.fromkeys(kept, until))
                except Exception as error:  # noqa: BLE001 - each database has errors of its own
                    logger.error("leases were not renewed: %s", quoted(str(error)))  # noqa: TRY400 - the next renewal may succeed

    def _claim(self, limit: int, inbox_id: int | None) -> Sequence[Task]:
        tasks = self.inbox.claim(self.handlers.names, limit=limit, lease=LEASE, inbox_id=inbox_id)
        # In the thread, because the event loop may be held up before it gets the tasks.
        self._leases.update(dict.fromkeys(tasks, self._time.now() + LEASE))
        return tasks

    def _waits(self, task: Task) -> bool:
        entry = self.inbox.entry(task.inbox_id)
        tasks = () if entry is None else entry.tasks
        return any(
            each.handler == task.handler and each.state == TaskState.WAITING for each in tasks
        )

    def _done(self, tasks: Sequence[Task]) -> Sequence[None]:
        self.inbox.done(tasks)
        return [None] * len(tasks)


def _is_failure(error: BaseException) -> bool:
    """Return whether a handler has failed, and was neither cancelled nor interrupted."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return group.split((Exception, SystemExit))[1] is None
    return isinstance(error, (Exception, SystemExit)) or _is_stray(error)


def _is_stray(error: BaseException) -> bool:
    """Return whether a handler has raised asyncio's cancellation without being cancelled."""
    # A handler that raises it has imported it; `import rmz_async` need not wait for it.
    import asyncio

    if not isinstance(error, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return task is not None and not task.cancelling()


def _report_unsettled(task: Task, error: Exception) -> None:
    # The lease ends, and the handler runs again.
    logger.error(
        "the result of %s for %s was not stored: %s", task.handler, task.name, quoted(str(error))
    )
