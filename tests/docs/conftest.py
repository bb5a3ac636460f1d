"""A sandbox for each test of a page, named in the environment as a reader's own would be."""

from __future__ import annotations

import logging
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from rmz_async.sandbox import Sandbox, Served
from tests.docs.pages import ROOT, Page


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Serve a sandbox without rate limits; ``RMZ_BASE_URL`` and ``RMZ_API_TOKEN`` name it."""
    with Sandbox(throttle=False).serve() as served:
        monkeypatch.setenv("RMZ_API_TOKEN", served.token)
        monkeypatch.setenv("RMZ_BASE_URL", served.base_url)
        monkeypatch.setenv("RMZ_WEBHOOK_SECRET", secrets.token_hex(14))
        monkeypatch.setenv("PAYWALL_STATE_SECRET", secrets.token_hex(14))
        # Nothing connects to it while an example is imported.
        monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379")
        yield served


@pytest.fixture
def page(
    sandbox: Served,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Page]:
    """Open the page that the test module names as ``PAGE``, or the test's parameter.

    Examples that write a file write it into a folder of the test.
    """
    monkeypatch.chdir(tmp_path)
    # A reader has saved the service of the tutorial beside its tests.
    monkeypatch.syspath_prepend(ROOT / "docs" / "examples")
    # Each test imports them again, as a process of its own would.
    for example in (ROOT / "docs" / "examples").glob("*_app.py"):
        monkeypatch.delitem(sys.modules, example.stem, raising=False)
    # A task of taskiq looks its module up.
    monkeypatch.setitem(sys.modules, "example", ModuleType("example"))
    path = getattr(request, "param", None) or request.module.PAGE
    opened = Page(path, sandbox)
    yield opened
    opened.close()
    for name in ("httpx", "rmz_async"):
        logging.getLogger(name).setLevel(logging.NOTSET)
