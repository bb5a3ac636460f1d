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
    import rmz_sync.sandbox
    from rmz_async.sandbox import Sandbox, Served

__all__ = (
    "rmz_client",
    "rmz_sandbox",
    "rmz_sandbox_options",
    "rmz_served",
    "rmz_sync_client",
    "rmz_sync_sandbox",
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
def rmz_sync_sandbox(rmz_sandbox_options: dict[str, Any]) -> Generator[rmz_sync.sandbox.Sandbox]:
    """Give a sandbox in process for code that cannot await: its methods block.

    The clock stands still, and the rate limits are off.
    """
    from rmz_sync.sandbox import Sandbox

    options: dict[str, Any] = {"throttle": False, **rmz_sandbox_options}
    with Sandbox(**options) as sandbox:
        yield sandbox


@pytest.fixture
def rmz_sync_client(request: pytest.FixtureRequest) -> Generator[rmz_sync.Client]:
    """Give a sync client, which sends each request immediately.

    The client calls `rmz_sync_sandbox` in process, or `rmz_served` if the test uses that one.
    """
    import rmz_sync

    if "rmz_served" in request.fixturenames:
        served: Served = request.getfixturevalue("rmz_served")
        client = rmz_sync.Client(served.token, base_url=served.base_url, pacing=None)
    else:
        sandbox: rmz_sync.sandbox.Sandbox = request.getfixturevalue("rmz_sync_sandbox")
        client = sandbox.client(pacing=None)
    with closing(client):
        yield client
