"""A portal's thread starts with the first call; a call without a thread leaves nothing behind."""

from __future__ import annotations

import _thread
import errno
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, NoReturn

import pytest

from rmz_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    RMZError,
)
from tests.seams import Portal, end_inherited_thread, set_slice
from tests.sync.conftest import Endless, answer, threads


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
        assert noted.wait(10)
        begin(self)

    begin, noted = threading.Thread.start, threading.Event()
    with monkeypatch.context() as interrupted:
        interrupted.setattr(_thread, "start_new_thread", interrupt)
        with pytest.raises(kind, match="mine") as caught:
            portal.run(endless.call)
    noted.set()
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
