"""More threads than connections, all with one client."""

from __future__ import annotations

import pytest

from tests.sync.conftest import Shop
from tests.sync.scripts import LIMIT, run
from tests.transports import TRANSPORTS


@pytest.mark.parametrize("http", TRANSPORTS)
def test_each_of_sixty_four_threads_gets_its_own_answers(shop: Shop, http: str | None) -> None:
    """64 threads make 50 calls each: every one gets its own answers, and nothing is left behind."""
    body = f"""
    from concurrent.futures import ThreadPoolExecutor

    before = threading.active_count()

    def work(first):
        numbers = range(first, first + 50)
        return [client.subscriptions.get(number).id for number in numbers] == list(numbers)

    with rmz_sync.Client(pacing=None, http={http!r}) as client, ThreadPoolExecutor(64) as pool:
        # Above the ids that mean something else here.
        assert all(pool.map(work, range(1_000, 1_000 + 64 * 50, 50)))
    assert threading.active_count() == before
    """
    assert run(shop, body, http=http, limit=4 * LIMIT) == (0, "", "")
    assert len(shop.requests) == 64 * 50
