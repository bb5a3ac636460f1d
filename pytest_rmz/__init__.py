"""Fixtures for pytest: a sandbox for each test, and clients of it.

pytest imports this module at every start, so that it stands apart from ``rmz_async`` and imports
the sandbox only when a test asks for it. Without the extra ``sandbox`` a test that asks for it
fails with the command that installs it, and no other test does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import rmz_async
    import rmz_sync
    from rmz_async.sandbox import Sandbox, Served

__all__ = (
    "rmz_client",
    "rmz_sandbox",
    "rmz_sandbox_options",
    "rmz_served",
    "rmz_sync_client",
)


@pytest.fixture
def rmz_sandbox_options() -> dict[str, Any]:
    """Return the arguments of each `Sandbox`; override this fixture to change them."""
    return {}


@pytest.fixture
def rmz_sandbox(request: pytest.FixtureRequest, rmz_sandbox_options: dict[str, Any]) -> Sandbox:
    """Return a sandbox in process, with the seeded store and a clock that stands still.

    For plain tests, and for async tests with any plugin. With anyio's plugin the deliveries that
    are under way after the test are given up; another plugin ends them with its event loop.
    """
    if "anyio_backend" in request.fixturenames:
        closed: Sandbox = request.getfixturevalue("_rmz_closed_sandbox")
        return closed
    from rmz_async.sandbox import Sandbox

    return Sandbox(**rmz_sandbox_options)


@pytest.fixture
async def _rmz_closed_sandbox(
    anyio_backend: object, rmz_sandbox_options: dict[str, Any]
) -> AsyncGenerator[Sandbox]:
    from rmz_async.sandbox import Sandbox

    async with Sandbox(**rmz_sandbox_options) as sandbox:
        yield sandbox


@pytest.fixture
def rmz_client(rmz_sandbox: Sandbox) -> rmz_async.Client:
    """Return an async client of `rmz_sandbox`, which waits on the sandbox's clock."""
    return rmz_sandbox.client()


@pytest.fixture
def rmz_served(rmz_sandbox_options: dict[str, Any]) -> Generator[Served]:
    """Give a sandbox of its own on a free loopback port, for code that cannot await.

    The clock stands still, and the rate limits are off: a client over a port waits in real time.
    """
    from rmz_async.sandbox import Sandbox

    options: dict[str, Any] = {"throttle": False, **rmz_sandbox_options}
    with Sandbox(**options).serve(clock_runs=False) as served:
        yield served


@pytest.fixture
def rmz_sync_client(rmz_served: Served) -> Generator[rmz_sync.Client]:
    """Give a sync client of `rmz_served`, which sends each request immediately."""
    import rmz_sync

    client = rmz_sync.Client(rmz_served.token, base_url=rmz_served.base_url, pacing=None)
    with closing(client):
        yield client
