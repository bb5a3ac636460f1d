"""A process that measures what a hostile answer costs the one that reads it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

Probe = Callable[..., "Measured"]


@attrs.frozen
class Measured:
    """The cost of one piece of work to a process.

    Attributes:
        ended: The name of the error that it ended in, or of what it returned.
        grown: By how many MiB the most memory that the process ever had has grown.
        seconds: How long it took.
    """

    ended: str
    grown: float
    seconds: float


@pytest.fixture(scope="session")
def probe() -> Iterator[Probe]:
    """Have a process of its own do something, and measure it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.security.probe"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def ask(**asked: Any) -> Measured:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(asked) + "\n")
        process.stdin.flush()
        return Measured(**json.loads(process.stdout.readline()))

    yield ask
    process.communicate(timeout=120)
