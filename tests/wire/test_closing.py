"""Closing a client during calls, and leaving Python during them: neither waits for anybody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

import anyio
import pytest

from rmz_async import Client, ConnectionFailedError, OutcomeUnknownError, RetryPolicy
from tests.transports import TRANSPORTS
from tests.wire.conftest import TOKEN, a_full_queue, client_of, stalls

pytestmark = pytest.mark.anyio

ONCE = RetryPolicy(max_attempts=1)


async def closed_during(rmz: Client, expected: type[Exception], under_way: Any) -> None:
    """Close the client while a change is under way, and see that it ends immediately."""
    ended = anyio.Event()

    async def extend() -> None:
        with pytest.raises(expected):
            await rmz.subscriptions.extend(501, days=7)
        ended.set()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as calls:
            calls.start_soon(extend)
            await under_way()
            await rmz.aclose()
            await ended.wait()


async def test_a_call_that_resolves_a_name_ends(unanswered: threading.Event, http: Any) -> None:
    """Nothing was sent."""
    rmz = Client(TOKEN, base_url="https://rmz.invalid", http=http, retry=ONCE, pacing=None)

    async def asked() -> None:
        assert await anyio.to_thread.run_sync(unanswered.wait, 10)

    await closed_during(rmz, ConnectionFailedError, asked)


async def test_a_call_that_connects_ends(http: Any) -> None:
    """Nothing was sent."""
    with a_full_queue() as port:
        rmz = Client(TOKEN, base_url=f"http://127.0.0.1:{port}", http=http, retry=ONCE, pacing=None)
        await closed_during(rmz, ConnectionFailedError, anyio.wait_all_tasks_blocked)


async def test_a_call_that_waits_for_its_answer_ends(serving: Any, http: Any) -> None:
    """The call may have been applied."""
    with serving(stalls) as server:
        rmz = client_of(server, http=http)
        await closed_during(rmz, OutcomeUnknownError, lambda: server.until_asked(1))


async def test_a_call_that_reads_its_answer_ends(serving: Any, http: Any) -> None:
    """The call may have been applied."""
    begun = threading.Event()

    def begin(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        begun.set()
        connection.recv(1)

    async def reading() -> None:
        assert await anyio.to_thread.run_sync(begun.wait, 10)
        await anyio.wait_all_tasks_blocked()

    with serving(begin) as server:
        await closed_during(client_of(server, http=http), OutcomeUnknownError, reading)


PROGRAM = """
import asyncio, socket, sys, time
import rmz_async, rmz_sync

def look_up(*_, **__):
    print("asked", flush=True)
    time.sleep(90)

socket.getaddrinfo = look_up
options = dict(base_url="https://rmz.invalid", http={http!r}, timeout={timeout}, pacing=None)

async def read():
    async with rmz_async.Client("1|t", **options) as rmz:
        await rmz.subscriptions.get(501)

def wait():
    rmz_sync.Client("1|t", **options).subscriptions.get(501)

try:
    asyncio.run(read()) if {is_async} else wait()
except (rmz_async.RMZError, KeyboardInterrupt) as error:
    print(type(error).__name__)
"""


def left(http: str | None, *, is_async: bool, timeout: float, interrupt: bool) -> list[str]:
    """Run a program whose name server does not answer; return what it printed, if it has ended."""
    program = PROGRAM.format(http=http, is_async=is_async, timeout=timeout)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        printed = [process.stdout.readline().strip()]
        if interrupt:
            os.kill(process.pid, signal.SIGINT)
        # Long before the name server would answer.
        printed += process.communicate(timeout=60)[0].split()
    return printed


@pytest.mark.parametrize("http", TRANSPORTS)
@pytest.mark.parametrize("is_async", [True, False])
def test_a_name_server_keeps_no_process_from_leaving(http: str | None, is_async: bool) -> None:
    """Once the call has run into its time-out."""
    printed = left(http, is_async=is_async, timeout=1, interrupt=False)
    assert set(printed) == {"asked", "ConnectionFailedError"}


@pytest.mark.parametrize("http", TRANSPORTS)
@pytest.mark.parametrize("is_async", [True, False])
def test_a_name_server_keeps_no_process_from_leaving_after_ctrl_c(
    http: str | None, is_async: bool
) -> None:
    """Though the call had much time left."""
    printed = left(http, is_async=is_async, timeout=60, interrupt=True)
    assert printed == ["asked", "KeyboardInterrupt"]
