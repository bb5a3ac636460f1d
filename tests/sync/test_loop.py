"""The event loop of a client's thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest

from tests.seams import new_loop


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop, which is closed after the test."""
    loop = new_loop()
    yield loop
    loop.close()


def test_a_wait_ends_although_a_test_has_frozen_the_clock(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Libraries that freeze the clock do so for all threads: each retry would hang its caller."""
    over = loop.create_future()
    ended = threading.Event()
    with monkeypatch.context() as frozen:
        frozen.setattr("time.monotonic", lambda: 1_767_225_600.0)
        loop.call_later(0.01, over.set_result, None)
        over.add_done_callback(lambda _: ended.set())
        thread = threading.Thread(target=loop.run_until_complete, args=[over])
        thread.start()
        has_ended = ended.wait(10)
    thread.join(10)
    assert has_ended


def test_names_are_resolved(loop: asyncio.AbstractEventLoop) -> None:
    """A name has the addresses that Python's own look-up finds."""
    found = loop.run_until_complete(loop.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM))
    assert found == socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)


def test_an_unknown_name_is_the_resolvers_error(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of the look-up reaches the one who asks."""

    def unknown(*_: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(socket.gaierror, match="not known"):
        loop.run_until_complete(loop.getaddrinfo("rmz.invalid", 443))


def test_nobody_waits_for_a_resolver_that_hangs(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up that was given up goes on in a daemon thread, and its late answer is no error."""
    asked, answer, found = threading.Event(), threading.Event(), threading.Event()

    def hang(*_: object) -> list[object]:
        asked.set()
        assert answer.wait(10)
        found.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(loop.getaddrinfo("rmz.invalid", 443), 0.01)

    loop.run_until_complete(give_up())
    assert asked.wait(10)
    (resolver,) = [each for each in threading.enumerate() if each.name == "rmz-sync-resolver"]
    assert resolver.daemon
    answer.set()
    resolver.join(10)
    assert found.is_set()


def test_no_thread_for_a_resolver_is_an_error_of_the_system(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If Python starts no more threads, the name is not resolved, and so nothing was sent."""

    def refuse(self: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(OSError, match="cannot be resolved"):
        loop.run_until_complete(loop.getaddrinfo("rmz.invalid", 443))
