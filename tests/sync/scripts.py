"""Scripts that a test runs in an interpreter of its own, with all warnings as errors."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.sync.conftest import Shop

LIMIT = 30
"""Seconds that a script may take. A quiet machine needs one or two of them."""

PRELUDE = """
import atexit, os, signal, sys, threading, time
from contextlib import suppress
import rmz_sync

client = rmz_sync.Client(http={http!r})
"""

# From 3.12 on, Python warns of a fork while a thread runs: rightly, as other code may not be ready.
FORK_WARNING = ("-W", "ignore:This process:DeprecationWarning")


@contextmanager
def script(
    shop: Shop, body: str, *options: str, prelude: str = PRELUDE, http: str | None = None
) -> Generator[subprocess.Popen[str]]:
    """Run *body*, and end it for sure."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-X",
            "dev",
            "-W",
            "error",
            *options,
            "-c",
            prelude.format(http=http) + textwrap.dedent(body),
        ],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "RMZ_API_TOKEN": "1|token", "RMZ_BASE_URL": shop.url, "PYTHONPATH": "."},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def run(
    shop: Shop,
    body: str,
    *options: str,
    prelude: str = PRELUDE,
    http: str | None = None,
    limit: int = LIMIT,
) -> tuple[int, str, str]:
    """Run *body* to its end: its exit status, its output, its errors."""
    with script(shop, body, *options, prelude=prelude, http=http) as process:
        output, errors = process.communicate(timeout=limit)
        return process.returncode, output, errors
