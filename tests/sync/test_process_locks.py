"""Finalizers and signal handlers that use clients, in the middle of other clients' calls."""

from __future__ import annotations

import sys

import pytest

from tests.sync.conftest import Shop
from tests.sync.scripts import LIMIT, run


def test_clients_in_cycles_are_closed_by_the_garbage_collector(shop: Shop) -> None:
    """Finalizers that close clients, in any thread and at any moment, hold up no first call."""
    body = """
    import gc

    class Owner:
        def __init__(self):
            self.client = rmz_sync.Client(pacing=None)
            self.itself = self

        def __del__(self):
            self.client.close()

    # The collector runs at nearly every allocation, in whichever thread allocates.
    gc.set_threshold(5)

    def work():
        for number in range(1, 61):
            owner = Owner()
            assert owner.client.subscriptions.get(number).id == number
            del owner

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    """
    assert run(shop, body, limit=4 * LIMIT) == (0, "", "")
    assert len(shop.requests) == 240


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timer signals")
def test_signal_handlers_make_first_calls_and_close(shop: Shop) -> None:
    """A handler that interrupts anything may make a client's first call and close it."""
    body = """
    client = rmz_sync.Client(pacing=None)
    handled = []

    def handle(*_):
        with rmz_sync.Client(pacing=None) as other:
            handled.append(other.subscriptions.get(2).id)

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.003, 0.05)
    for _ in range(60):
        with rmz_sync.Client(pacing=None) as mine:
            assert mine.subscriptions.get(1).id == 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert set(handled) == {2}
    """
    assert run(shop, body, limit=4 * LIMIT) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timer signals")
def test_a_signal_handler_closes_the_client_that_it_interrupts(shop: Shop) -> None:
    """The call that was interrupted raises that its client was closed, and nothing hangs."""
    body = """
    for number in range(20):
        mine = rmz_sync.Client(pacing=None)
        signal.signal(signal.SIGALRM, lambda *_: mine.close())
        signal.setitimer(signal.ITIMER_REAL, 0.0005 * (number + 1))
        try:
            while True:
                mine.subscriptions.get(1)
        except (rmz_sync.ConfigurationError, rmz_sync.ConnectionFailedError) as error:
            assert "closed" in str(error), error
    """
    assert run(shop, body, limit=4 * LIMIT) == (0, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of descriptors")
def test_without_a_free_descriptor_the_first_call_is_an_error_of_ours(shop: Shop) -> None:
    """The error says that nothing was sent; a call works once descriptors are free."""
    body = """
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    held = []
    with suppress(OSError):
        while True:
            held.append(os.open(os.devnull, os.O_RDONLY))
    for free in range(3):
        try:
            client.subscriptions.extend(1, days=7)
        except rmz_sync.ConnectionFailedError as error:
            assert "nothing was sent" in str(error) and "Too many open files" in str(error)
        else:
            raise AssertionError(free)
        os.close(held.pop())
    for descriptor in held:
        os.close(descriptor)
    assert client.subscriptions.get(1).id == 1
    """
    assert run(shop, body) == (0, "", "")


def test_python_exits_while_a_resolver_hangs(shop: Shop) -> None:
    """Neither the exit nor Ctrl-C waits for a name that is still being resolved."""
    body = """
    import socket

    def hang(*_, **__):
        time.sleep(60)

    socket.getaddrinfo = hang
    client = rmz_sync.Client(base_url="https://rmz.invalid/shawarma")
    call = threading.Thread(target=client.subscriptions.get, args=(1,), daemon=True)
    call.start()
    call.join(0.3)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        client.subscriptions.get(1)
    except KeyboardInterrupt as interrupt:
        assert "nothing was changed" in interrupt.__notes__[0], interrupt.__notes__
    """
    assert run(shop, body, limit=20) == (0, "", "")
