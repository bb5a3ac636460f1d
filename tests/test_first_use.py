"""A program that uses no receiver and no paywall does not wait for the import of their insides."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Prints how many modules of this project are there before the first one is made, and after it.
COUNTED = """
import json, sys
import rmz_async, rmz_sync
def count():
    return sum(name.startswith(("rmz_async.", "rmz_sync.")) for name in sys.modules)
before = count()
{make}
print(json.dumps([before, count()]))
"""

MADE = {
    "a receiver": "rmz_async.webhooks.Receiver(secrets=['x' * 16], inbox='sqlite:///:memory:')",
    "a blocking receiver": (
        "rmz_sync.webhooks.Receiver(secrets=['x' * 16], inbox='sqlite:///:memory:')"
    ),
    "a paywall": "rmz_async.Paywall(rmz_async.Client('1|token'))",
    "a blocking paywall": "rmz_sync.Paywall(rmz_sync.Client('1|token'))",
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_the_inside_is_imported_with_the_first_one(make: str) -> None:
    """Each has more than fifteen modules of its own."""
    made = subprocess.run(
        [sys.executable, "-c", COUNTED.format(make=make)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    before, after = json.loads(made.stdout)
    assert after - before > 15
