"""Interruptions at many moments of a call: none is swallowed, and each says what became of it."""

from __future__ import annotations

import sys

import pytest

from tests.sync.conftest import Shop
from tests.sync.scripts import LIMIT, run


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no timer signals")
def test_every_interruption_arrives_with_a_note(shop: Shop) -> None:
    """A few hundred, in first calls and in later ones; no thread is left behind."""
    body = """
    from tests.sync.interrupts import main

    results = main(150, os.environ["RMZ_BASE_URL"])
    bad = [name for name in results if "no note" in name or "swallowed" in name]
    assert not bad, results
    assert results["threads left"] == 0, results
    assert results["first: noted"] > 0 and results["later: noted"] > 0, results
    """
    # Standard error is not compared: Python prints an interruption that hits the callback of a weak
    # reference.
    status, output, errors = run(shop, body, limit=3 * LIMIT)
    assert (status, output) == (0, ""), errors
