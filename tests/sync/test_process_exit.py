"""Leaving Python without closing the client never hangs, and prints nothing."""

from __future__ import annotations

import pytest

from tests.sync.conftest import HELD, Shop
from tests.sync.scripts import run
from tests.transports import AIOHTTP

EXITS = {
    "open": (0, "client.subscriptions.get(1)"),
    "unused": (0, "client.subscriptions"),
    "sys.exit": (7, "client.subscriptions.get(1); sys.exit(7)"),
    "os._exit": (5, "client.subscriptions.get(1); os._exit(5)"),
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
    "in flight and sys.exit": (
        7,
        f"""
        for _ in range(8):
            call = threading.Thread(target=client.subscriptions.get, args=({HELD},), daemon=True)
            call.start()
        call.join(0.2)
        sys.exit(7)
        """,
    ),
    "close in __del__": (
        0,
        """
        class Shop:
            def __init__(self):
                self.client = client
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
                self.client = client
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
    assert run(shop, body) == (status, "", "")


@pytest.mark.skipif(not AIOHTTP, reason="the extra aiohttp is not installed")
@pytest.mark.parametrize("kind", ["open", "in flight", "call in __del__", "call in atexit"])
def test_leaving_over_aiohttp_prints_no_complaint(shop: Shop, kind: str) -> None:
    """The same over aiohttp, which complains of what is not closed."""
    status, body = EXITS[kind]
    assert run(shop, body, http="aiohttp") == (status, "", "")


def test_a_program_that_fails_prints_its_own_traceback_only(shop: Shop) -> None:
    """A program that fails with an open client prints its own traceback and nothing else."""
    status, output, errors = run(shop, "client.subscriptions.get(1); raise ValueError('mine')")
    assert (status, output) == (1, "")
    assert errors.count("Traceback") == 1
    assert errors.endswith("ValueError: mine\n")
