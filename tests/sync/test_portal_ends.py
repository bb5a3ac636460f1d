from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import pytest

from rmz_async.errors import ConfigurationError, OutcomeUnknownError
from rmz_sync import _loop_thread, _portal
from rmz_sync._loop_thread import Call, LoopThread, Notice, notice
from rmz_sync._portal import Portal
from tests.sync.conftest import Endless, Finish, answer, is_closed, silence, threads


def test_refused_after_close(portal: Portal) -> None:
    """A closed portal refuses calls clearly, closes their coroutines, and may be closed again."""
    portal.run(answer())
    portal.close()
    assert threads() == []
    work = answer()
    with pytest.raises(ConfigurationError, match="closed"):
        portal.run(work)
    assert is_closed(work)
    portal.close()


def test_close_before_the_first_call(portal: Portal, finish: Finish) -> None:
    """A portal that was never used is closed without starting anything."""
    portal.close()
    assert not finish.called.is_set()
    assert threads() == []


def test_close_cancels_what_runs(portal: Portal, finish: Finish) -> None:
    """Closing cancels other threads' calls; they are told that the outcome is unknown."""
    endless = Endless()
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(portal.run, endless.call())
        assert endless.running.wait(10)
        portal.close()
        with pytest.raises(OutcomeUnknownError, match=r"endless\.call was cut off"):
            caller.result(10)
    assert endless.cleaned.is_set()
    assert finish.called.is_set()


def test_close_cancels_what_is_about_to_run(finish: Finish) -> None:
    """A call that was handed over and had no turn yet is cut off; a later one is refused unread."""
    thread = LoopThread(finish)
    holding, held = threading.Event(), threading.Event()
    late = answer()
    too_late = Call(late)

    async def hold() -> None:
        holding.set()
        held.wait(10)

    async def cleans_up() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            thread.begin(too_late)

    about_to_run = Call(cleans_up())
    thread.begin(Call(hold()))
    assert holding.wait(10)
    thread.end()
    thread.begin(about_to_run)
    held.set()
    thread.join()
    assert isinstance(about_to_run.error, OutcomeUnknownError)
    assert isinstance(too_late.error, ConfigurationError)
    assert is_closed(late)


def test_handed_over_too_late(finish: Finish) -> None:
    """A call that reaches a loop which was just closed is refused, and its end is no error."""
    thread = LoopThread(finish)
    thread.end()
    thread.join()
    work = answer()
    with pytest.raises(ConfigurationError, match="before answer began"):
        thread.call(work)
    assert is_closed(work)
    thread.end()


def test_waiting_for_a_loop_that_is_gone(finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that no loop will end any more is given up, not waited for."""
    thread = LoopThread(finish)
    thread.end()
    thread.join()

    def lose(self: LoopThread, call: Call[object]) -> None:
        pass

    monkeypatch.setattr(LoopThread, "begin", lose)
    with pytest.raises(ConfigurationError, match="before answer began"):
        thread.call(answer())


def test_interrupted_while_the_loop_goes(finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt that meets a loop which is gone closes the coroutine at once."""
    thread = LoopThread(finish)
    thread.end()
    thread.join()

    def interrupted(self: LoopThread, call: Call[object]) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(LoopThread, "begin", interrupted)
    work = answer()
    with pytest.raises(KeyboardInterrupt):
        thread.call(work)
    assert is_closed(work)


def test_leaving_in_the_middle_of_a_call(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait for a loop that the interpreter has stopped ends with an unknown outcome."""
    endless = Endless()
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(portal.run, endless.call())
        assert endless.running.wait(10)
        with monkeypatch.context() as leaving:
            leaving.setattr(sys, "is_finalizing", lambda: True)
            with pytest.raises(OutcomeUnknownError, match="cut off"):
                caller.result(10)
    portal.close()
    assert endless.cleaned.is_set()


def test_refusing_what_is_over(finish: Finish) -> None:
    """A call that has ended keeps its result, even if its loop is found gone a moment later."""
    thread = LoopThread(finish)
    call = Call(answer())
    thread.begin(call)
    assert call.ended.acquire(timeout=10)
    call.refuse()
    assert (call.result, call.error) == (42, None)
    thread.end()
    thread.join()


def test_what_an_ended_call_holds(portal: Portal) -> None:
    """What it wanted to have raised is forgotten, though the context that knows it lives on."""
    seen: list[Notice] = []

    async def say() -> None:
        seen.append(notice.get())
        notice.get().error = ConfigurationError

    portal.run(say())
    assert [kept.error for kept in seen] == [None]


def test_ended_twice(finish: Finish) -> None:
    """A call may end by itself just as another thread ends it."""
    thread = LoopThread(finish)
    call = Call(answer())
    thread.begin(call)
    assert call.ended.acquire(timeout=10)
    call.ended.release()
    call.over = False
    call.refuse()
    assert call.over
    thread.end()
    thread.join()


def test_close_raises_what_the_end_raised(portal: Portal, finish: Finish) -> None:
    """An error while the connections close reaches the caller of close, and the thread ends."""
    portal.run(answer())
    finish.error = OSError("cannot close")
    with pytest.raises(OSError, match="cannot close"):
        portal.close()
    assert threads() == []


def test_own_thread_is_refused(portal: Portal) -> None:
    """Calling or closing from the portal's own thread is an error, and not a deadlock."""

    async def call_again() -> int:
        return portal.run(answer())

    async def close() -> None:
        portal.close()

    for inner in (call_again, close):
        with pytest.raises(ConfigurationError, match="its own thread"):
            portal.run(inner())
    assert portal.run(answer()) == 42


def test_dropped_without_close(finish: Finish) -> None:
    """The thread of a portal that nobody holds any more closes the connections and ends."""
    portal = Portal(finish)
    portal.run(answer())
    (thread,) = threads()
    del portal
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
    assert finish.called.is_set()


def test_dropped_unused(finish: Finish) -> None:
    """A portal that was never used can be dropped."""
    portal = Portal(finish)
    del portal
    gc.collect()
    assert not finish.called.is_set()


def test_a_dead_loop_is_replaced(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that was brought down fails the calls in it, and the next call has a new one."""
    endless = Endless()
    monkeypatch.setattr(threading, "excepthook", silence)

    async def stray() -> NoReturn:
        raise SystemExit

    async def bring_down() -> None:
        tasks.append(asyncio.get_running_loop().create_task(stray()))

    tasks: list[asyncio.Task[NoReturn]] = []
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(portal.run, endless.call())
        assert endless.running.wait(10)
        (thread,) = threads()
        portal.run(bring_down())
        with pytest.raises(OutcomeUnknownError, match="its loop ended"):
            caller.result(10)
        thread.join(10)
    assert isinstance(tasks[0].exception(), SystemExit)
    assert portal.run(answer()) == 42


def test_a_loop_that_falls_before_the_first_step(
    finish: Finish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls that wait for their first step when the loop falls are refused as not begun."""
    monkeypatch.setattr(threading, "excepthook", silence)
    thread = LoopThread(finish)
    handed_over, scheduled = answer(), answer()
    calls = [Call(scheduled), Call(handed_over)]

    async def bring_down() -> None:
        thread.begin(calls[0])
        asyncio.get_running_loop().call_soon(sys.exit)
        thread.begin(calls[1])

    thread.begin(Call(bring_down()))
    thread.join()
    for call in calls:
        call.refuse()
        assert isinstance(call.error, ConfigurationError)
    assert is_closed(handed_over)
    assert is_closed(scheduled)


def test_no_thread_to_be_had(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, as in an exit handler, the call is refused cleanly."""

    def refuse(self: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    work = answer()
    with pytest.raises(ConfigurationError, match="can't start new thread"):
        portal.run(work)
    assert is_closed(work)
    assert not any(thread._pid for thread in _loop_thread._living)  # pyright: ignore[reportPrivateUsage]
    monkeypatch.undo()
    assert portal.run(answer()) == 42


def test_leaving_interpreter(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the interpreter leaves, calls are refused, and finalizers neither wait nor complain."""
    portal.run(answer())
    thread = portal._thread  # pyright: ignore[reportPrivateUsage]
    assert thread is not None
    work = answer()
    with monkeypatch.context() as leaving:
        leaving.setattr(sys, "is_finalizing", lambda: True)
        with pytest.raises(ConfigurationError, match="leaving"):
            portal.run(work)
        portal.__del__()
        portal.close()
    assert is_closed(work)
    assert thread.call(answer()) == 42, "it was neither asked to end nor waited for"
    thread.end()
    thread.join()


def test_forked_child_starts_afresh(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under another process id a portal starts a new thread, and leaves the inherited one alone."""
    portal.run(answer())
    (inherited,) = threads()
    theirs = portal._thread  # pyright: ignore[reportPrivateUsage]
    assert theirs is not None
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        assert portal.run(answer()) == 42
        assert len(threads()) == 2
        assert theirs in _loop_thread._living  # pyright: ignore[reportPrivateUsage]
        portal.close()
        assert threads() == [inherited]
        # Nor does dropping it touch the loop of the parent.
        portal._thread = theirs  # pyright: ignore[reportPrivateUsage]
        portal.__del__()
    assert portal._thread.call(answer()) == 42  # pyright: ignore[reportPrivateUsage]
    theirs.end()
    theirs.join()
    assert theirs not in _loop_thread._living  # pyright: ignore[reportPrivateUsage]


def test_two_first_calls(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two threads that make their first call at once, one uses what the other started."""
    gate = _portal._gate  # pyright: ignore[reportPrivateUsage]

    class Overtaken:
        def __enter__(self) -> None:
            monkeypatch.setattr(_portal, "_gate", gate)
            assert portal.run(answer()) == 42

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(_portal, "_gate", Overtaken())
    assert portal.run(answer()) == 42
    assert len(threads()) == 1


def test_lock_held_at_fork(portal: Portal) -> None:
    """A lock that another thread held at the fork does not stop the child."""
    gate = _portal._gate  # pyright: ignore[reportPrivateUsage]
    with gate:
        _portal._renew_gate()  # pyright: ignore[reportPrivateUsage]
        assert portal.run(answer()) == 42


def test_without_sniffio(finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that detects the running loop's kind is not needed."""
    monkeypatch.setitem(sys.modules, "sniffio", None)
    thread = LoopThread(finish)
    assert thread.call(answer()) == 42
    thread.end()
    thread.join()
