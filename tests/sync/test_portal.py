from __future__ import annotations

import asyncio
import contextvars
import gc
import signal
import threading
import traceback
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import anyio
import anyio.lowlevel
import httpx
import pytest
import trio

from rmz_sync import _loop_thread
from rmz_sync._loop_thread import Call, LoopThread
from rmz_sync._portal import Portal
from tests.sync.conftest import Endless, Shop, answer, is_closed, threads

where: contextvars.ContextVar[str] = contextvars.ContextVar("where", default="nowhere")


def interrupt(*, when: threading.Event) -> threading.Thread:
    """Send the main thread a Ctrl-C as soon as *when* is set."""

    def send() -> None:
        assert when.wait(10)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_no_thread_before_the_first_call(portal: Portal) -> None:
    """A portal starts its thread with the first call, and keeps to that one."""
    assert threads() == []
    assert portal.run(answer()) == portal.run(answer()) == 42
    assert len(threads()) == 1
    assert threads()[0].daemon


def test_many_threads_share_it(portal: Portal) -> None:
    """64 threads making 50 calls each get their own answers, from one thread."""

    async def echo(number: int) -> int:
        await asyncio.sleep(0)
        return number

    def fifty(first: int) -> bool:
        numbers = range(first, first + 50)
        return [portal.run(echo(number)) for number in numbers] == list(numbers)

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(fifty, range(0, 64 * 50, 50)))
    assert len(threads()) == 1


def test_calls_run_side_by_side(portal: Portal) -> None:
    """Two threads' calls run at once: each waits for the other."""
    both: list[asyncio.Event] = []

    async def meet(mine: int) -> None:
        while len(both) < 2:
            both.append(asyncio.Event())
        both[mine].set()
        await asyncio.wait_for(both[1 - mine].wait(), 10)

    with ThreadPoolExecutor(2) as pool:
        for call in [pool.submit(portal.run, meet(mine)) for mine in (0, 1)]:
            call.result(10)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_inside_a_running_loop(portal: Portal, backend: str) -> None:
    """A caller inside a loop of its own gets its answer, and the call sees the portal's loop."""

    async def sniff() -> str:
        # The HTTP library asks the same way.
        await anyio.lowlevel.checkpoint()
        return type(anyio.Event()).__module__

    async def caller() -> str:
        return portal.run(sniff())

    assert anyio.run(caller, backend=backend) == "anyio._backends._asyncio"


def test_inside_bare_trio(portal: Portal, shop: Shop) -> None:
    """The HTTP library works for a caller inside trio."""

    async def get() -> int:
        async with httpx.AsyncClient() as http:
            return (await http.get(shop.url)).status_code

    async def caller() -> int:
        return portal.run(get())

    assert trio.run(caller) == 404


def test_context_goes_in_and_not_out(portal: Portal) -> None:
    """A call sees the caller's context variables, and cannot change them."""

    async def look() -> str:
        seen = where.get()
        where.set("changed")
        return seen

    where.set("here")
    assert portal.run(look()) == "here"
    assert where.get() == "here"


def test_exceptions_are_the_original_ones(portal: Portal) -> None:
    """The caller gets the very exception, with two frames of this package in its traceback."""
    error = TimeoutError("mine")

    async def fail() -> NoReturn:
        raise error

    with pytest.raises(TimeoutError) as caught:
        portal.run(fail())
    assert caught.value is error
    assert error.__cause__ is error.__context__ is None
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert names[1:] == ["run", "call", "fail"]


def test_exceptions_are_freed_at_once(portal: Portal) -> None:
    """An exception and the frames that it went through are not left to the garbage collector."""

    class Marked(Exception):  # noqa: N818
        pass

    async def fail() -> NoReturn:
        raise Marked

    seen: weakref.ref[Marked] | None = None
    gc.disable()
    try:
        try:
            portal.run(fail())
        except Marked as error:
            seen = weakref.ref(error)
        assert seen is not None
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_exceptions_that_end_loops_do_not(portal: Portal, kind: type[BaseException]) -> None:
    """KeyboardInterrupt and its like, raised in a call, reach the caller and spare the loop."""

    async def fail() -> NoReturn:
        raise kind("mine")

    assert portal.run(answer()) == 42
    before = threads()
    with pytest.raises(kind, match="mine"):
        portal.run(fail())
    assert portal.run(answer()) == 42
    assert threads() == before


def test_ctrl_c_cancels_and_waits(portal: Portal) -> None:
    """Ctrl-C cancels the call, waits until it has cleaned up, says so, and spares the loop."""
    endless = Endless()
    sender = interrupt(when=endless.running)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(endless.call())
    assert endless.cleaned.is_set()
    assert "endless.call was cancelled" in caught.value.__notes__[0]
    sender.join()
    assert portal.run(answer()) == 42


def test_ctrl_c_does_not_wait_for_ever(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that cannot be cancelled delays Ctrl-C by the grace period and no more."""
    monkeypatch.setattr(_loop_thread, "GRACE", 0.05)
    running, leave = threading.Event(), asyncio.Event()

    async def stubborn() -> None:
        while not leave.is_set():
            try:
                running.set()
                await leave.wait()
            except asyncio.CancelledError:
                continue

    sender = interrupt(when=running)
    with pytest.raises(KeyboardInterrupt):
        portal.run(stubborn())
    sender.join()

    async def let_go() -> None:
        leave.set()

    portal.run(let_go())


def test_interrupted_before_it_began(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt between making a call and handing it over leaves no coroutine behind."""

    def interrupted(self: LoopThread, call: Call[object]) -> NoReturn:
        raise KeyboardInterrupt

    portal.run(answer())
    monkeypatch.setattr(LoopThread, "begin", interrupted)
    work = answer()
    with pytest.raises(KeyboardInterrupt):
        portal.run(work)
    assert is_closed(work)


def test_interrupted_before_its_first_step(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is interrupted while the loop is busy with another begins, and then cleans up."""
    begin = LoopThread.begin
    endless, busy, free = Endless(), threading.Event(), threading.Event()

    async def block() -> None:
        busy.set()
        free.wait(10)

    def interrupted(self: LoopThread, call: Call[object]) -> NoReturn:
        begin(self, call)
        threading.Timer(0.05, free.set).start()
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as pool:
        blocker = pool.submit(portal.run, block())
        assert busy.wait(10)
        monkeypatch.setattr(LoopThread, "begin", interrupted)
        with pytest.raises(KeyboardInterrupt):
            portal.run(endless.call())
        blocker.result(10)
    assert endless.cleaned.is_set()


def test_interrupted_after_its_end(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt that comes when the call is over cancels nothing and waits for nothing."""
    begin = LoopThread.begin

    def late(self: LoopThread, call: Call[object]) -> None:
        begin(self, call)
        call.ended.acquire()
        raise KeyboardInterrupt

    monkeypatch.setattr(LoopThread, "begin", late)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(answer())
    assert not hasattr(caught.value, "__notes__")


def test_waits_longer_than_a_slice(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call may take longer than the time between two looks at its loop."""
    monkeypatch.setattr(_loop_thread, "SLICE", 0.001)
    assert portal.run(asyncio.sleep(0.02, "slow")) == "slow"
