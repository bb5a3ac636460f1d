from __future__ import annotations

import asyncio
import contextvars
import gc
import signal
import threading
import traceback
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NoReturn

import anyio
import anyio.lowlevel
import httpx
import pytest
import trio

from rmz_async.errors import NotFoundError, OutcomeUnknownError
from tests.seams import Portal, set_grace, set_slice
from tests.sync.conftest import Endless, Shop, answer, threads

where: contextvars.ContextVar[str] = contextvars.ContextVar("where", default="nowhere")


def interrupt(*, when: threading.Event) -> threading.Thread:
    """Send the main thread a Ctrl-C as soon as *when* is set."""

    def send() -> None:
        assert when.wait(10)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_the_first_call_starts_the_only_thread(portal: Portal) -> None:
    """A portal starts its thread with the first call, and keeps to that one."""
    assert threads() == []
    assert portal.run(answer) == portal.run(answer) == 42
    assert len(threads()) == 1
    assert threads()[0].daemon


def test_many_threads_share_one_portal_thread(portal: Portal) -> None:
    """64 threads making 50 calls each get their own answers, from one thread."""

    async def echo(number: int) -> int:
        await asyncio.sleep(0)
        return number

    def fifty(first: int) -> bool:
        numbers = range(first, first + 50)
        return [portal.run(echo, number) for number in numbers] == list(numbers)

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(fifty, range(0, 64 * 50, 50)))
    assert len(threads()) == 1


def test_calls_of_two_threads_run_at_the_same_time(portal: Portal) -> None:
    """Two threads' calls run at the same time: each waits for the other."""
    both: list[asyncio.Event] = []

    async def meet(mine: int) -> None:
        while len(both) < 2:
            both.append(asyncio.Event())
        both[mine].set()
        await asyncio.wait_for(both[1 - mine].wait(), 10)

    with ThreadPoolExecutor(2) as pool:
        for call in [pool.submit(portal.run, meet, mine) for mine in (0, 1)]:
            call.result(10)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_caller_inside_a_running_loop_gets_its_answer(portal: Portal, backend: str) -> None:
    """A caller inside a loop of its own gets its answer, and the call sees the portal's loop."""

    async def sniff() -> str:
        # The HTTP library asks the same way.
        await anyio.lowlevel.checkpoint()
        return type(anyio.Event()).__module__

    async def caller() -> str:
        return portal.run(sniff)

    assert anyio.run(caller, backend=backend) == "anyio._backends._asyncio"


def test_a_caller_inside_trio_gets_its_answer(portal: Portal, shop: Shop) -> None:
    """The HTTP library works for a caller inside trio."""

    async def get() -> int:
        async with httpx.AsyncClient() as http:
            return (await http.get(shop.url)).status_code

    async def caller() -> int:
        return portal.run(get)

    assert trio.run(caller) == 404


def test_a_call_sees_the_callers_context_and_cannot_change_it(portal: Portal) -> None:
    """A call sees the caller's context variables, and cannot change them."""

    async def look() -> str:
        seen = where.get()
        where.set("changed")
        return seen

    where.set("here")
    assert portal.run(look) == "here"
    assert where.get() == "here"


def test_exceptions_are_the_original_ones(portal: Portal) -> None:
    """The caller gets the very exception, with one frame of this package in its traceback."""
    error = TimeoutError("mine")

    async def fail() -> NoReturn:
        raise error

    with pytest.raises(TimeoutError) as caught:
        portal.run(fail)
    assert caught.value is error
    assert error.__cause__ is error.__context__ is None
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert names[1:] == ["run", "fail"]


def test_exceptions_are_freed_at_once(portal: Portal) -> None:
    """An exception and the frames that it went through are not left to the garbage collector."""

    class Marked(Exception):  # noqa: N818 - a name for one test
        pass

    async def fail() -> NoReturn:
        raise Marked

    seen: weakref.ref[Marked] | None = None
    gc.disable()
    try:
        try:
            portal.run(fail)
        except Marked as error:
            seen = weakref.ref(error)
        assert seen is not None
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_exceptions_that_end_loops_spare_the_portals_loop(
    portal: Portal, kind: type[BaseException]
) -> None:
    """KeyboardInterrupt and its like, raised in a call, reach the caller and spare the loop."""

    async def fail() -> NoReturn:
        raise kind("mine")

    assert portal.run(answer) == 42
    before = threads()
    with pytest.raises(kind, match="mine"):
        portal.run(fail)
    assert portal.run(answer) == 42
    assert threads() == before


def test_ctrl_c_cancels_and_waits(portal: Portal) -> None:
    """Ctrl-C cancels the call, waits until it has cleaned up, says so, and spares the loop."""
    endless = Endless()
    sender = interrupt(when=endless.running)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(endless.call)
    assert endless.cleaned.is_set()
    assert caught.value.__notes__ == [
        "endless.call was interrupted: its outcome is unknown: endless.call was interrupted; if it "
        "changes anything, the change may have been applied: read the object to find out"
    ]
    sender.join()
    assert portal.run(answer) == 42


def test_ctrl_c_does_not_wait_for_ever(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that cannot be cancelled delays Ctrl-C by the grace period and no more."""
    set_grace(monkeypatch, 0.05)
    running, leave = threading.Event(), asyncio.Event()

    async def stubborn() -> None:
        while not leave.is_set():
            try:
                running.set()
                await leave.wait()
            except asyncio.CancelledError:
                continue

    sender = interrupt(when=running)
    # A test that freezes the clock would put another function there, and the wait would not end.
    with monkeypatch.context() as frozen:
        frozen.delattr("time.monotonic")
        with pytest.raises(KeyboardInterrupt):
            portal.run(stubborn)
    sender.join()

    async def let_go() -> None:
        leave.set()

    portal.run(let_go)


def interrupted(
    monkeypatch: pytest.MonkeyPatch,
    *,
    after: Callable[..., object] = lambda *_, **__: None,
    by: BaseException | None = None,
) -> None:
    """Raise a Ctrl-C as the next job is handed over; *after* gets what the hand-over would."""

    def once(*args: object, **options: object) -> NoReturn:
        monkeypatch.undo()
        after(*args, **options)
        raise by or KeyboardInterrupt

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_soon_threadsafe", once)


def test_an_interruption_before_the_hand_over_says_that_nothing_was_sent(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption just before a call reaches the loop says that nothing was sent."""
    portal.run(answer)
    interrupted(monkeypatch)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(answer)
    assert caught.value.__notes__ == [
        "answer was interrupted: it failed: answer was interrupted, before anything was sent"
    ]
    assert portal.run(answer) == 42


def test_an_interruption_before_the_job_is_made_says_that_nothing_was_sent(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption in the first steps of a call says that nothing was sent."""

    def once() -> NoReturn:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(threading, "Lock", once)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(answer)
    assert caught.value.__notes__ == ["answer was interrupted: it failed before anything was sent"]
    assert portal.run(answer) == 42


def test_a_call_interrupted_before_its_first_step_never_begins(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is interrupted while the loop is blocked has failed, and does not begin later."""
    set_grace(monkeypatch, 0.05)
    endless, busy, free = Endless(), threading.Event(), threading.Event()

    async def block() -> None:
        busy.set()
        free.wait(10)

    with ThreadPoolExecutor(1) as pool:
        blocker = pool.submit(portal.run, block)
        assert busy.wait(10)
        hand_over = asyncio.BaseEventLoop.call_soon_threadsafe
        with monkeypatch.context() as patch:
            interrupted(patch, after=hand_over)
            with pytest.raises(KeyboardInterrupt) as caught:
                portal.run(endless.call)
        free.set()
        blocker.result(10)
    assert caught.value.__notes__ == [
        "endless.call was interrupted: it failed before anything was sent"
    ]
    assert portal.run(answer) == 42
    assert not endless.running.is_set()


def test_ctrl_c_does_not_wait_for_a_blocked_loop(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that is blocked, by a token function perhaps, delays Ctrl-C by the grace period."""
    set_grace(monkeypatch, 0.05)
    running, free = threading.Event(), threading.Event()

    async def block() -> None:
        running.set()
        free.wait(10)

    sender = interrupt(when=running)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(block)
    assert "its outcome is unknown" in caught.value.__notes__[0]
    free.set()
    sender.join()


async def fail(error: BaseException) -> NoReturn:
    """Raise *error*."""
    raise error


@pytest.mark.parametrize(
    ("work", "note"),
    [
        (
            answer,
            "it had succeeded: if it changes anything, the change was applied",
        ),
        (partial(fail, NotFoundError("no such thing")), "it failed: no such thing"),
        (partial(fail, OutcomeUnknownError("it was sent")), "its outcome is unknown: it was sent"),
        (partial(fail, ValueError("a secret")), "it failed: ValueError"),
    ],
)
def test_an_interruption_after_the_end_says_what_became_of_the_call(
    portal: Portal,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[], Coroutine[Any, Any, object]],
    note: str,
) -> None:
    """An interruption that comes when the call is over says what became of it."""
    portal.run(answer)
    hand_over = asyncio.BaseEventLoop.call_soon_threadsafe

    async def take_turns() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    def to_its_end(loop: asyncio.BaseEventLoop, *args: Any, **options: Any) -> None:
        hand_over(loop, *args, **options)
        asyncio.run_coroutine_threadsafe(take_turns(), loop).result(10)

    interrupted(monkeypatch, after=to_its_end)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(work)
    assert note in caught.value.__notes__[0]
    assert "secret" not in caught.value.__notes__[0]


def test_a_second_ctrl_c_carries_a_note_too(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second Ctrl-C, while the first waits for the clean-up, carries a note too."""
    running, leave = threading.Event(), asyncio.Event()

    async def stubborn() -> None:
        running.set()
        try:
            await leave.wait()
        except asyncio.CancelledError:
            interrupt(when=running)
            await leave.wait()

    sender = interrupt(when=running)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(stubborn)
    sender.join()
    assert isinstance(caught.value.__context__, KeyboardInterrupt)
    assert "its outcome is unknown" in caught.value.__notes__[0]

    async def let_go() -> None:
        leave.set()

    portal.run(let_go)


def test_a_runtime_error_of_a_signal_handler_arrives(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that looks like a closed loop's interrupts a call like any other."""
    portal.run(answer)
    interrupted(monkeypatch, by=RuntimeError("mine"))
    with pytest.raises(RuntimeError, match="mine") as caught:
        portal.run(answer)
    assert "answer was interrupted" in caught.value.__notes__[0]


def test_a_call_may_take_longer_than_a_slice(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call may take longer than the time between two looks at its loop."""
    set_slice(monkeypatch, 0.001)
    assert portal.run(asyncio.sleep, 0.02, "slow") == "slow"
