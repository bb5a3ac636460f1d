"""What happens to processes: leaving them, forking them, interrupting them.

Every script runs in an interpreter of its own, with all warnings as errors and a hard time limit.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sync.conftest import ANSWERS, HELD, Shop

LIMIT = 30
STRICT = (sys.executable, "-X", "dev", "-W", "error")

PRELUDE = """
import atexit, os, signal, sys, threading, time
from contextlib import suppress
import rmz_sync

client = rmz_sync.Client()
"""

# Seconds. It takes a quarter of one; the rest is for a machine that is busy with other things.
LEAVING = 3.0


@contextmanager
def script(shop: Shop, body: str, *options: str) -> Generator[subprocess.Popen[str]]:
    """Run *body*, and end it for sure."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-X",
            "dev",
            "-W",
            "error",
            *options,
            "-c",
            PRELUDE + textwrap.dedent(body),
        ],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "RMZ_API_TOKEN": "1|token", "RMZ_BASE_URL": shop.url, "PYTHONPATH": "."},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run(shop: Shop, body: str, *options: str) -> tuple[int, str, str]:
    """Run *body* to its end: its exit status, its output, its errors."""
    with script(shop, body, *options) as process:
        output, errors = process.communicate(timeout=LIMIT)
        return process.returncode, output, errors


EXITS = {
    "open": (0, "client.subscriptions.get(1)"),
    "sys.exit": (7, "client.subscriptions.get(1); leaves(); sys.exit(7)"),
    "os._exit": (5, "client.subscriptions.get(1); leaves(); os._exit(5)"),
    "sys.exit in a thread": (
        0,
        """
        def work():
            client.subscriptions.get(1)
            sys.exit(3)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        """,
    ),
    "in flight": (
        0,
        f"""
        client.subscriptions.get(1)
        call = threading.Thread(target=client.subscriptions.get, args=({HELD},), daemon=True)
        call.start()
        call.join(0.2)
        assert call.is_alive()
        """,
    ),
    "close in __del__": (
        0,
        """
        class Shop:
            def __init__(self):
                self.client = rmz_sync.Client()
                self.client.subscriptions.get(1)
                self.itself = self

            def __del__(self):
                self.client.close()

        shop = Shop()
        """,
    ),
    "call in __del__": (
        0,
        """
        class Shop:
            def __init__(self):
                self.client = rmz_sync.Client()
                self.client.subscriptions.get(1)
                self.itself = self

            def __del__(self, error=rmz_sync.ConfigurationError):
                try:
                    self.client.subscriptions.get(1)
                except error:
                    pass

        shop = Shop()
        """,
    ),
    "call in atexit": (
        0,
        """
        client.subscriptions.get(1)

        @atexit.register
        def goodbye():
            client.subscriptions.get(1)
            client.close()
        """,
    ),
    "first call in atexit": (
        0,
        """
        @atexit.register
        def goodbye():
            with suppress(rmz_sync.ConfigurationError):
                client.subscriptions.get(1)
        """,
    ),
    "abandoned walk": (
        0,
        """
        items = iter(client.subscriptions.list())
        pages = client.subscriptions.list().pages()
        next(items), next(pages)
        """,
    ),
}


@pytest.mark.parametrize("kind", EXITS)
def test_leaving_without_close(shop: Shop, kind: str) -> None:
    """Leaving without close does not hang, prints nothing and keeps the exit status."""
    status, body = EXITS[kind]
    leaves = "def leaves(): print(time.monotonic(), flush=True)\n"
    found, output, errors = run(shop, leaves + textwrap.dedent(body) + "\nleaves()\n")
    left = time.monotonic()
    assert (found, errors) == (status, "")
    assert left - float(output) < LEAVING


def test_the_first_call_imports_nothing(shop: Shop) -> None:
    """A call imports nothing: a child that was forked meanwhile would wait for that for ever."""
    body = """
    before = set(sys.modules)
    client.subscriptions.get(1)
    named = rmz_sync.Client(base_url=os.environ["RMZ_BASE_URL"].replace("127.0.0.1", "localhost"))
    with suppress(rmz_sync.ConnectionFailedError):
        named.subscriptions.get(1)
    print(*sorted(set(sys.modules) - before))
    """
    assert run(shop, body) == (0, "\n", "")


def test_a_wrong_answer_imports_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What explains an answer that is not of the documented shape is imported before it comes."""
    monkeypatch.setitem(ANSWERS, "/subscriptions/lookup", {"count": "x"})
    body = """
    before = set(sys.modules)
    try:
        client.subscriptions.lookup(external_customer_id="usr_1")
    except rmz_sync.UnexpectedAnswerError as error:
        assert "expected an integer @ data.count" in str(error), error
        print(*sorted(set(sys.modules) - before))
    """
    assert run(shop, body) == (0, "\n", "")


# From 3.12 on, Python warns of a fork while a thread runs: rightly, as other code may not be ready.
FORK_WARNING = ("-W", "ignore:This process:DeprecationWarning")

CHILD = """
def child(status=None):
    signal.alarm(10)
    try:
        status = 0 if client.subscriptions.get(2).id == 2 else 1
    finally:
        os._exit(2 if status is None else status)

def wait(pid):
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


def test_fork_before_the_first_call(shop: Shop) -> None:
    """A client that was made before the fork and not used works on both sides, unwarned."""
    body = """
    pid = os.fork()
    if pid == 0:
        child()
    wait(pid)
    assert client.subscriptions.get(1).id == 1
    """
    assert run(shop, CHILD + textwrap.dedent(body)) == (0, "", "")


def test_fork_after_a_call(shop: Shop) -> None:
    """A child that leaves in the usual way prints nothing, and its parent can go on."""
    body = """
    import gc
    client.subscriptions.get(1)
    pid = os.fork()
    if pid == 0:
        signal.alarm(10)
        assert client.subscriptions.get(2).id == 2
        client.close()
        del client
        gc.collect()
        sys.exit(0)
    wait(pid)
    assert client.subscriptions.get(1).id == 1
    client.close()
    """
    assert run(shop, CHILD + textwrap.dedent(body), *FORK_WARNING) == (0, "", "")


def test_fork_pool(shop: Shop) -> None:
    """The workers of a forking pool share a client that the parent has used."""
    body = """
    import multiprocessing

    def get(number):
        return client.subscriptions.get(number).id

    client.subscriptions.get(1)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(get, range(1, 13), chunksize=1) == list(range(1, 13))
        pool.close()
        pool.join()
    assert get(1) == 1
    """
    assert run(shop, body, *FORK_WARNING) == (0, "", "")


def test_fork_in_the_middle_of_a_call(shop: Shop) -> None:
    """A fork while another thread waits for an answer harms neither side."""
    body = f"""
    found = []
    call = threading.Thread(target=lambda: found.append(client.subscriptions.get({HELD}).id))
    call.start()
    sys.stdin.readline()
    pid = os.fork()
    if pid == 0:
        child()
    wait(pid)
    print("forked", flush=True)
    call.join()
    assert found == [{HELD}]
    """
    with script(shop, CHILD + textwrap.dedent(body), *FORK_WARNING) as process:
        assert shop.arrived.wait(LIMIT)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("fork\n")
        process.stdin.flush()
        assert process.stdout.readline() == "forked\n"
        shop.release.set()
        assert process.communicate(timeout=LIMIT) == ("", "")
        assert process.returncode == 0


def test_thirty_forks_among_calls(shop: Shop) -> None:
    """Thirty forks while four threads make calls: every child and every call gets its answer."""
    body = """
    over, failed, made = threading.Event(), [], []

    def hammer():
        while not over.is_set():
            try:
                made.append(client.subscriptions.get(1).id)
            except BaseException as error:
                failed.append(error)

    threads = [threading.Thread(target=hammer, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        pid = os.fork()
        if pid == 0:
            child()
        wait(pid)
    over.set()
    for thread in threads:
        thread.join()
    assert not failed, failed
    assert set(made) == {1}
    """
    assert run(shop, CHILD + textwrap.dedent(body), *FORK_WARNING) == (0, "", "")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (f"client.subscriptions.get({HELD})", "subscriptions.get"),
        (f"client.subscriptions.extend({HELD}, days=7)", "subscriptions.extend"),
    ],
)
def test_ctrl_c(shop: Shop, call: str, name: str) -> None:
    """Ctrl-C ends a read or a write soon, hangs up, and says what may have happened."""
    body = f"""
    try:
        {call}
    except KeyboardInterrupt as interrupt:
        print(time.monotonic())
        print(*interrupt.__notes__)
    assert client.subscriptions.get(1).id == 1
    """
    with script(shop, body) as process:
        assert shop.arrived.wait(LIMIT)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=LIMIT)
    caught, note = output.splitlines()
    assert errors == ""
    assert process.returncode == 0
    assert float(caught) - sent < LEAVING
    assert note.startswith(f"{name} was cancelled")
    assert shop.hung_up.wait(LIMIT)


def test_ctrl_c_unhandled(shop: Shop) -> None:
    """Ctrl-C that nobody catches ends the process as Ctrl-C does."""
    with script(shop, f"client.subscriptions.get({HELD})") as process:
        assert shop.arrived.wait(LIMIT)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1
