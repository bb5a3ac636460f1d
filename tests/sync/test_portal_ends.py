from __future__ import annotations

import _thread
import asyncio
import errno
import gc
import os
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, NoReturn

import pytest

from rmz_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RMZError,
)
from tests.seams import CutOff, Portal, cut_off, end_inherited_thread, set_slice
from tests.sync.conftest import Endless, Finish, answer, silence, threads


def test_a_closed_portal_refuses_calls(portal: Portal) -> None:
    """A closed portal refuses calls clearly, and may be closed again."""
    portal.run(answer)
    portal.close()
    assert threads() == []
    with pytest.raises(ConfigurationError, match="closed"):
        portal.run(answer)
    portal.close()


def test_closing_an_unused_portal_starts_nothing(portal: Portal, finish: Finish) -> None:
    """A portal that was never used is closed without starting anything."""
    portal.close()
    assert not finish.called.is_set()
    assert threads() == []


def test_close_cancels_what_runs(portal: Portal, finish: Finish) -> None:
    """Closing cancels other threads' calls; their outcome is reported as unknown."""
    endless = Endless()
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(portal.run, endless.call)
        assert endless.running.wait(10)
        portal.close()
        with pytest.raises(OutcomeUnknownError, match=r"endless\.call was cut off"):
            caller.result(10)
    assert endless.cleaned.is_set()
    assert finish.called.is_set()


def first(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, goes: bool = True) -> None:
    """Do something just before the next call is handed to its loop, or in place of that."""
    hand_over = asyncio.BaseEventLoop.call_soon_threadsafe

    def once(*args: Any, **options: Any) -> None:
        monkeypatch.undo()
        act()
        if goes:
            hand_over(*args, **options)

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_soon_threadsafe", once)


def test_close_refuses_what_has_not_begun(
    portal: Portal, finish: Finish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that reaches its loop when that is asked to end is refused, and never begins."""
    portal.run(answer)
    endless = Endless()
    first(monkeypatch, portal.__del__)
    with pytest.raises(ConfigurationError, match="before anything was sent"):
        portal.run(endless.call)
    assert finish.called.wait(10)
    assert not endless.running.is_set()


def test_a_call_that_comes_to_a_closed_loop_is_refused(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that comes to a loop which was just closed is refused."""
    portal.run(answer)
    first(monkeypatch, portal.close)
    with pytest.raises(ConfigurationError, match="before anything was sent"):
        portal.run(answer)


def test_a_call_whose_loop_is_gone_is_not_waited_for(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that no loop will end any more is given up, not waited for."""
    portal.run(answer)
    first(monkeypatch, portal.close, goes=False)
    with pytest.raises(ConfigurationError, match="before anything was sent"):
        portal.run(answer)


def test_an_interruption_that_meets_a_closed_loop_has_its_note(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption that meets a loop which is gone waits for nothing, and has its note."""
    portal.run(answer)

    def interrupt() -> NoReturn:
        portal.close()
        raise KeyboardInterrupt

    first(monkeypatch, interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        portal.run(answer)
    assert "before anything was sent" in caught.value.__notes__[0]


def test_a_call_in_an_exiting_interpreter_is_unknown(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait for a loop that the interpreter has stopped ends with an unknown outcome."""
    endless = Endless()
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(portal.run, endless.call)
        assert endless.running.wait(10)
        with monkeypatch.context() as leaving:
            leaving.setattr(sys, "is_finalizing", lambda: True)
            with pytest.raises(OutcomeUnknownError, match="cut off"):
                caller.result(10)
    portal.close()
    assert endless.cleaned.is_set()


def test_an_ended_call_holds_nothing(portal: Portal) -> None:
    """A connection that remembers a call's context does not keep what the call held."""
    seen: list[CutOff] = []

    async def say() -> None:
        seen.append(cut_off.get())
        cut_off.get().verdict = ConfigurationError

    portal.run(say)
    assert [kept.verdict for kept in seen] == [None]


def test_close_raises_what_the_end_raised(portal: Portal, finish: Finish) -> None:
    """An error while the connections close reaches the caller of close, and the thread ends."""
    portal.run(answer)
    finish.error = OSError("cannot close")
    with pytest.raises(OSError, match="cannot close"):
        portal.close()
    assert threads() == []


def test_an_interrupted_close_ends_the_thread(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, finish: Finish
) -> None:
    """Ctrl-C as ``close`` asks the loop to end arrives, and the loop ends nevertheless."""
    portal.run(answer)
    (thread,) = threads()

    def interrupt(*_: object) -> NoReturn:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_soon_threadsafe", interrupt)
    with pytest.raises(KeyboardInterrupt):
        portal.close()
    thread.join(10)
    assert not thread.is_alive()
    assert finish.called.is_set()


def test_calling_from_the_portals_own_thread_is_refused(portal: Portal) -> None:
    """Calling or closing from the portal's own thread is an error, and not a deadlock."""

    async def call_again() -> int:
        return portal.run(answer)

    async def close() -> None:
        portal.close()

    for inner in (call_again, close):
        with pytest.raises(ConfigurationError, match="its own thread"):
            portal.run(inner)
    assert portal.run(answer) == 42


def test_a_dropped_portal_ends_its_thread(finish: Finish) -> None:
    """The thread of a portal without a reference closes the connections and ends."""
    portal = Portal(finish)
    portal.run(answer)
    (thread,) = threads()
    del portal
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
    assert finish.called.is_set()


def test_an_unused_portal_can_be_dropped(finish: Finish) -> None:
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
        caller = pool.submit(portal.run, endless.call)
        assert endless.running.wait(10)
        (thread,) = threads()
        portal.run(bring_down)
        with pytest.raises(OutcomeUnknownError, match="its loop ended"):
            caller.result(10)
        thread.join(10)
    assert isinstance(tasks[0].exception(), SystemExit)
    assert portal.run(answer) == 42


def test_a_loop_that_is_stopped_is_replaced(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that a token function stops fails its call, and Python reports the thread's error."""
    reported: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: reported.append(args.exc_type))
    stopped: list[threading.Thread] = []

    async def stop() -> None:
        stopped.append(threading.current_thread())
        asyncio.get_running_loop().stop()
        await asyncio.sleep(60)

    with pytest.raises(OutcomeUnknownError, match="its loop ended"):
        portal.run(stop)
    stopped[0].join(10)
    assert portal.run(answer) == 42
    assert reported == [RuntimeError]


def test_a_finalizer_in_its_own_thread_does_not_wait(portal: Portal, finish: Finish) -> None:
    """Closing in the portal's own thread, between two calls, ends the thread without waiting."""

    async def close_soon() -> None:
        asyncio.get_running_loop().call_later(0.01, portal.close)

    portal.run(close_soon)
    (thread,) = threads()
    thread.join(10)
    assert not thread.is_alive()
    assert finish.called.is_set()


def immediately(function: Callable[..., object], args: tuple[object, ...]) -> None:
    """Run in this thread a function that another one would run soon."""
    function(*args)


def test_a_call_is_refused_if_no_thread_can_be_started(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no thread can be started, as in an exit handler, the call is refused cleanly."""

    def refuse(self: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(_thread, "start_new_thread", immediately)
        full.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ConfigurationError, match="can't start new thread"):
            portal.run(answer)
    assert portal.run(answer) == 42


def test_nothing_was_sent_if_no_event_loop_can_be_opened(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no event loop can be opened, every call says so, and that nothing was sent."""

    def refuse() -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as full:
        full.setattr(socket, "socketpair", refuse)
        for _ in range(3):
            with pytest.raises(ConnectionFailedError, match=r"nothing was sent.*Too many open"):
                portal.run(answer)
    assert threads() == []
    assert portal.run(answer) == 42


def test_a_slow_start_is_waited_for(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread may take longer to start than the time between two looks at it."""
    set_slice(monkeypatch, 0.001)
    pair, getpid, looks, looked = socket.socketpair, os.getpid, count(1), threading.Event()

    def look() -> int:
        if next(looks) == 20:
            looked.set()
        return getpid()

    def slow() -> object:
        assert looked.wait(10)
        return pair()

    monkeypatch.setattr(os, "getpid", look)
    monkeypatch.setattr(socket, "socketpair", slow)
    assert portal.run(answer) == 42


@pytest.mark.parametrize(
    ("started", "kind"),
    [(False, KeyboardInterrupt), (True, KeyboardInterrupt), (True, RuntimeError)],
)
def test_an_interruption_while_the_thread_starts_leaves_nothing(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, started: bool, kind: type[BaseException]
) -> None:
    """An interruption in the first call arrives, says that nothing was sent, and leaves nothing."""
    start, endless = _thread.start_new_thread, Endless()

    def interrupt(*args: Any) -> NoReturn:
        if started:
            monkeypatch.setattr(threading.Thread, "start", late)
            start(*args)
        raise kind("mine")

    def late(self: threading.Thread) -> None:
        assert told.wait(10)
        begin(self)

    begin, told = threading.Thread.start, threading.Event()
    with monkeypatch.context() as interrupted:
        interrupted.setattr(_thread, "start_new_thread", interrupt)
        with pytest.raises(kind, match="mine") as caught:
            portal.run(endless.call)
    told.set()
    assert caught.value.__notes__[0].endswith("it failed before anything was sent")
    assert portal.run(answer) == 42
    assert len(threads()) == 1
    assert not endless.running.is_set()
    portal.close()
    assert threads() == []


def test_a_call_is_refused_if_the_system_starts_no_thread(portal: Portal) -> None:
    """If the system has no room for a thread, the call is refused cleanly."""
    before = threading.stack_size(1 << 46)
    try:
        with pytest.raises(ConfigurationError, match="can't start new thread"):
            portal.run(answer)
    finally:
        threading.stack_size(before)
    assert portal.run(answer) == 42


@pytest.mark.parametrize("started", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", ["call", "close"])
def test_a_signal_handler_may_call_or_close_while_the_thread_starts(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, started: bool, act: str
) -> None:
    """A handler, or a finalizer, may call or close in the middle of the first call."""
    answers: list[object] = []

    def handle(*args: Any) -> None:
        monkeypatch.undo()
        if started:
            immediately(*args)
        if act == "call":
            answers.append(portal.run(answer))
        else:
            portal.close()
        if not started:
            immediately(*args)

    monkeypatch.setattr(_thread, "start_new_thread", handle)
    if act == "call":
        answers.append(portal.run(answer))
        assert answers == [42, 42]
    else:
        with pytest.raises(RMZError, match="was closed"):
            portal.run(Endless().call)
    portal.close()
    for thread in threads():
        thread.join(10)
        assert not thread.is_alive()


def test_a_thread_that_close_cannot_know_yet_ends(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal handler may close while the first call makes its thread, and finds none to end."""
    getpid = os.getpid

    def close_first() -> int:
        monkeypatch.undo()
        portal.close()
        return getpid()

    monkeypatch.setattr(os, "getpid", close_first)
    with pytest.raises(ConfigurationError, match="closed"):
        portal.run(answer)
    for thread in threads():
        thread.join(10)
    assert threads() == []


def test_a_thread_that_starts_while_the_portal_closes_ends(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that starts while the portal is closed ends, and its first call is refused."""
    start = threading.Thread.start

    def close(self: threading.Thread) -> None:
        monkeypatch.undo()
        with ThreadPoolExecutor(1) as pool:
            closer = pool.submit(portal.close)
            start(self)
            closer.result(10)

    monkeypatch.setattr(threading.Thread, "start", close)
    with pytest.raises(ConfigurationError, match="closed"):
        portal.run(answer)
    for thread in threads():
        thread.join(10)
    assert threads() == []


def test_calls_are_refused_while_python_exits(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Python exits, calls are refused, and finalizers neither wait nor complain."""
    portal.run(answer)
    with monkeypatch.context() as leaving:
        leaving.setattr(sys, "is_finalizing", lambda: True)
        with pytest.raises(ConfigurationError, match="exiting"):
            portal.run(answer)
        portal.__del__()
    assert portal.run(answer) == 42, "it was not asked to end"


def test_closing_does_not_wait_while_python_exits(
    finish: Finish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing does not wait for a thread that Python has stopped."""
    portal = Portal(finish)
    portal.run(answer)
    (thread,) = threads()
    with monkeypatch.context() as leaving:
        leaving.setattr(sys, "is_finalizing", lambda: True)
        portal.close()
    assert thread.is_alive()
    portal.close()
    assert not thread.is_alive()


def test_a_forked_child_starts_a_thread_of_its_own(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under another process id a portal starts a thread, and does not touch the inherited one."""
    portal.run(answer)
    (inherited,) = threads()
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        portal.__del__()
        assert inherited.is_alive()
        assert portal.run(answer) == 42
        assert len(threads()) == 2
        portal.close()
        assert threads() == [inherited]
    end_inherited_thread(portal)
    inherited.join(10)
    assert not inherited.is_alive()


def test_first_calls_of_many_threads_start_one(portal: Portal) -> None:
    """Threads that make their first call in the same moment share one thread."""
    together = threading.Barrier(32)

    def call() -> int:
        together.wait(10)
        return portal.run(answer)

    with ThreadPoolExecutor(32) as pool:
        calls = [pool.submit(call) for _ in range(32)]
        assert [made.result(10) for made in calls] == [42] * 32
        assert len(threads()) == 1
