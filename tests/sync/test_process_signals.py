"""Ctrl-C, and other signals whose handlers raise, in the middle of a call."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.sync.conftest import HELD, Shop
from tests.sync.scripts import LIMIT, script
from tests.transports import TRANSPORTS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals")

CALLS = {
    "subscriptions.get": (f"client.subscriptions.get({HELD})", "it failed", "nothing was changed"),
    "subscriptions.extend": (
        f"client.subscriptions.extend({HELD}, days=7)",
        "its outcome is unknown",
        "it may have been applied",
    ),
}


# The server does not answer the call, which would last longer than a script may.
@pytest.mark.parametrize("http", TRANSPORTS)
@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c_ends_a_call_and_says_what_may_have_happened(
    shop: Shop, name: str, http: str | None
) -> None:
    """Ctrl-C ends a read or a write, hangs up, says what may have happened, and no more."""
    call, outcome, change = CALLS[name]
    body = f"""
    try:
        {call}
    except KeyboardInterrupt as interrupt:
        print(*interrupt.__notes__, flush=True)
    sys.stdin.readline()
    assert client.subscriptions.get(1).id == 1
    """
    with script(shop, body, http=http) as process:
        assert shop.arrived.wait(LIMIT)
        process.send_signal(signal.SIGINT)
        assert shop.hung_up.wait(LIMIT), "and not only because the process ends"
        output, errors = process.communicate("go on\n", timeout=LIMIT)
    assert (process.returncode, errors) == (0, "")
    assert output.startswith(f"{name} was interrupted: {outcome}: {name} on {HELD} ")
    assert "(interrupted)" in output
    assert change in output
    asked = [path for _, path, _ in shop.requests if str(HELD) in path]
    assert len(asked) == 1, "it is not tried again"


def test_a_time_limit_by_signal(shop: Shop) -> None:
    """An exception of another signal's handler, as task queues raise it, ends a call likewise."""
    body = f"""
    class OutOfTime(Exception):
        pass

    def late(*_):
        raise OutOfTime

    signal.signal(signal.SIGALRM, late)
    try:
        client.subscriptions.get({HELD})
    except OutOfTime as error:
        print(*error.__notes__, flush=True)
    sys.stdin.readline()
    assert client.subscriptions.get(1).id == 1
    """
    with script(shop, body) as process:
        assert shop.arrived.wait(LIMIT)
        process.send_signal(signal.SIGALRM)
        assert shop.hung_up.wait(LIMIT)
        output, errors = process.communicate("go on\n", timeout=LIMIT)
    assert (process.returncode, errors) == (0, "")
    assert output.startswith("subscriptions.get was interrupted: it failed: ")


def test_ctrl_c_ends_a_walk_and_leaves_the_client_usable(shop: Shop) -> None:
    """Ctrl-C in the middle of a page's request ends the walk, and the client stays usable."""
    body = f"""
    def items():
        yield from client.subscriptions.list()
        yield client.subscriptions.get({HELD})

    found = []
    try:
        for item in items():
            found.append(item.id)
    except KeyboardInterrupt:
        print(len(found))
    assert client.subscriptions.get(1).id == 1
    """
    with script(shop, body) as process:
        assert shop.arrived.wait(LIMIT)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=LIMIT) == ("6\n", "")
    assert shop.hung_up.wait(LIMIT)


def test_ctrl_c_that_is_not_caught_ends_the_process(shop: Shop) -> None:
    """Ctrl-C that is not caught ends the process as Ctrl-C does."""
    with script(shop, f"client.subscriptions.get({HELD})") as process:
        assert shop.arrived.wait(LIMIT)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == -signal.SIGINT
    assert errors.count("Traceback") == 1
