"""Interruptions at many moments of a call: none is swallowed, and each says what became of it."""

from __future__ import annotations

import sys

import pytest

from tests.sync.conftest import Shop
from tests.sync.scripts import LIMIT, run


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timer signals")
def test_every_interruption_arrives_with_a_note(shop: Shop) -> None:
    """A few hundred, in first calls, in later ones and in ``close``; no thread is left behind.

    No note contradicts the requests that the server has read.
    """
    body = """
    from tests.sync.interrupts import main

    results = main(100)
    assert not [name for name in results if name.startswith("BAD")], results
    assert any(name.startswith("first: ") and "in time" not in name for name in results), results
    """
    assert run(shop, body, limit=5 * LIMIT) == (0, "", "")
