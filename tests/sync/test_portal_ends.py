"""A portal ends when it is closed, dropped or brought down, and so do its thread and its calls."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest

from rmz_async.errors import (
    ConfigurationError,
    OutcomeUnknownError,
)
from tests.seams import CutOff, Portal, cut_off
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


def test_a_call_to_a_loop_that_is_ending_is_refused_immediately() -> None:
    """A call that comes while the connections are closed does not wait until they are."""
    finishing, refused = threading.Event(), threading.Event()
    in_time: list[bool] = []

    async def finish() -> None:
        finishing.set()
        in_time.append(await asyncio.to_thread(refused.wait, 10))

    portal = Portal(finish)
    portal.run(answer)
    portal.__del__()
    assert finishing.wait(10)
    with pytest.raises(ConfigurationError, match="before anything was sent"):
        portal.run(answer)
    refused.set()
    portal.close()
    assert in_time == [True]


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
