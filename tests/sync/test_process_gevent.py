"""A process whose threads, locks and sockets gevent has replaced."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.sync.conftest import HELD, Shop
from tests.sync.scripts import FORK_WARNING, LIMIT, run, script
from tests.transports import TRANSPORTS

pytestmark = pytest.mark.skipif(
    find_spec("gevent") is None, reason="gevent is not installed: it has no wheel for this Python"
)

PRELUDE = """
from gevent import monkey
monkey.patch_all()

import os, sys, gevent, rmz_sync

client = rmz_sync.Client(http={http!r})
"""


@pytest.mark.parametrize("http", TRANSPORTS)
def test_greenlets_share_a_client(shop: Shop, http: str | None) -> None:
    """Eight greenlets share one client, each gets its own answers, and leaving is as always."""
    body = """
    def work(first):
        return [client.subscriptions.get(number).id for number in range(first, first + 5)]

    greenlets = [gevent.spawn(work, first) for first in range(1, 41, 5)]
    gevent.joinall(greenlets, raise_error=True)
    found = [number for greenlet in greenlets for number in greenlet.value]
    assert found == list(range(1, 41)), found
    """
    assert run(shop, body, prelude=PRELUDE, http=http) == (0, "", "")


@pytest.mark.parametrize("http", TRANSPORTS)
def test_other_greenlets_go_on(shop: Shop, http: str | None) -> None:
    """While one greenlet waits for an answer, others run, and can make calls of their own."""
    body = f"""
    call = gevent.spawn(client.subscriptions.get, {HELD})
    for _ in range(8):
        gevent.sleep(0.01)
        assert client.subscriptions.get(1).id == 1
    assert not call.ready()
    print("went on", flush=True)
    assert call.get().id == {HELD}
    """
    with script(shop, body, prelude=PRELUDE, http=http) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "went on\n"
        shop.release.set()
        assert process.communicate(timeout=LIMIT) == ("", "")
        assert process.returncode == 0


def test_a_killed_greenlet_hangs_up_and_the_client_goes_on(shop: Shop) -> None:
    """A greenlet that is killed in the middle of a call hangs up, and the client goes on."""
    body = f"""
    call = gevent.spawn(client.subscriptions.get, {HELD})
    gevent.sleep(0.2)
    call.kill()
    assert isinstance(call.value, gevent.GreenletExit)
    assert client.subscriptions.get(1).id == 1
    """
    assert run(shop, body, prelude=PRELUDE) == (0, "", "")
    assert shop.hung_up.wait(LIMIT)


def test_fork(shop: Shop) -> None:
    """A forked child has a client of its own here too."""
    body = """
    client.subscriptions.get(1)
    pid = os.fork()
    if pid == 0:
        assert client.subscriptions.get(2).id == 2
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert client.subscriptions.get(1).id == 1
    """
    assert run(shop, body, *FORK_WARNING, prelude=PRELUDE) == (0, "", "")
