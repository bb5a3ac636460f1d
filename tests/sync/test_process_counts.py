"""Clients that share a quota store: whatever interrupts the count of one holds up no other."""

from __future__ import annotations

import sys

import pytest

from tests.sync.conftest import Shop
from tests.sync.scripts import FORK_WARNING, LIMIT, PRELUDE, run

# In `Quota.wait`, which the store calls in the middle of its work, `interrupt` is called once.
INTERRUPTED = """
import asyncio, gc
import rmz_async
from rmz_async._pacing.quota import Quota

store = rmz_async.InMemoryQuotaStore()
pacing = rmz_async.Pacing(store=store)
other = rmz_sync.Client(pacing=pacing)
interruptions = []
plain = Quota.wait

def wait(*given):
    if interruptions:
        interruptions.pop()()
    return plain(*given)

Quota.wait = wait

def call_while(interrupt):
    interruptions.append(interrupt)
    # asyncio's debug mode would write that an interruption takes its time.
    asyncio.run(call(), debug=False)
    assert not interruptions

async def call():
    async with rmz_async.Client(pacing=pacing) as rmz:
        assert (await rmz.subscriptions.get(1)).id == 1
"""


def test_a_finalizer_may_call_in_the_middle_of_a_count(shop: Shop) -> None:
    """The garbage collector may run wherever something is allocated, in a count too."""
    body = """
    class Owner:
        def __init__(self):
            self.itself = self

        def __del__(self):
            calls.append(other.subscriptions.get(2).id)
            other.close()

    calls = []
    gc.disable()
    Owner()
    call_while(gc.collect)
    assert calls == [2]
    """
    assert run(shop, body, prelude=PRELUDE + INTERRUPTED) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_handler_may_call_in_the_middle_of_a_count(shop: Shop) -> None:
    """Python runs a handler between any two steps of the main thread."""
    body = """
    calls = []
    signal.signal(signal.SIGUSR1, lambda *_: calls.append(other.subscriptions.get(2).id))
    call_while(lambda: signal.raise_signal(signal.SIGUSR1))
    assert calls == [2]
    other.close()
    """
    assert run(shop, body, prelude=PRELUDE + INTERRUPTED) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_child_that_is_forked_in_the_middle_of_a_count_may_call(shop: Shop) -> None:
    """The thread that was counting is not there in the child."""
    body = """
    def fork():
        # In a thread of its own, as a signal to another thread would.
        forking = threading.Thread(target=in_thread)
        forking.start()
        forking.join()

    def in_thread():
        child = os.fork()
        if not child:
            with rmz_sync.Client(pacing=pacing) as mine:
                os._exit(0 if mine.subscriptions.get(2).id == 2 else 3)
        statuses.append(os.waitpid(child, 0)[1])

    statuses = []
    call_while(fork)
    assert statuses == [0]
    other.close()
    """
    assert run(shop, body, *FORK_WARNING, prelude=PRELUDE + INTERRUPTED) == (0, "", "")


def test_finalizers_in_all_threads_hold_up_no_count(shop: Shop) -> None:
    """Clients of one store, made and collected in four threads, all get their answers."""
    body = """
    class Owner:
        def __init__(self):
            self.client = rmz_sync.Client(pacing=pacing)
            self.itself = self

        def __del__(self):
            assert other.subscriptions.get(2).id == 2
            self.client.close()

    pacing = rmz_async.Pacing(store=store, per_minute=10_000)
    other = rmz_sync.Client(pacing=pacing)
    gc.set_threshold(5)

    def work():
        for number in range(1, 21):
            owner = Owner()
            assert owner.client.subscriptions.get(number).id == number
            del owner

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    other.close()
    """
    assert run(shop, body, prelude=PRELUDE + INTERRUPTED, limit=4 * LIMIT) == (0, "", "")
