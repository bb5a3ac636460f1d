"""Both event loops for all tests, an interrupt that interrupts, and patience."""

from __future__ import annotations

import signal

import pytest

from tests import seams


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop's name; a test marked ``anyio`` runs on each."""
    return str(request.param)


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell that starts tests in the background has them and their processes ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _patient() -> None:
    seams.be_patient()
