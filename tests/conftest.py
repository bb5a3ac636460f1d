"""Both event loops for all tests, an interrupt that interrupts, and patience."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from zlib import crc32

import pytest
import trustme

from tests import seams

# A way to send a request, in the name of a test.
WAY = re.compile(r"(?<=[-\[])(asyncio|trio)(-httpx|-aiohttp)?(?=[-\]])")
# Their claims are about the event loop or the transport, so that they always run over each.
ABOUT_WAYS = {
    *(f"tests/unit/test_{name}.py" for name in ("per_loop", "pool")),
    *(
        f"tests/wire/test_{name}.py"
        for name in ("aiohttp", "cancellation", "closing", "deadline", "event_loops", "handshakes")
    ),
}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop's name; a test marked ``anyio`` runs on each."""
    return str(request.param)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With RMZ_ONE_WAY, run each test over one event loop and transport, and all tests over each.

    A run of all the tests over all of them has to be elsewhere. The names choose, and so do the
    Python and the libraries of the run, for RMZ_ONE_WAY is a part of the choice.
    """
    run = os.environ.get("RMZ_ONE_WAY")
    if run is None:
        return
    ways: dict[str, list[pytest.Item]] = {}
    for item in items:
        ways.setdefault(_without_way(item), []).append(item)
    kept = {each[crc32(f"{run} {name}".encode()) % len(each)] for name, each in ways.items()}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


def _without_way(item: pytest.Item) -> str:
    """Return what the same test is called over another event loop or transport."""
    case = getattr(item, "callspec", None)
    file = item.nodeid.partition("::")[0]
    if case is None or "anyio_backend" not in case.params or file in ABOUT_WAYS:
        return item.nodeid
    return WAY.sub("", item.nodeid, count=1)


def pytest_sessionfinish() -> None:
    """Save what this process has measured, because xdist kills workers that are slow to end.

    A process that is killed while it saves leaves a file that nobody can read, so that nothing may
    be left to save at its end.
    """
    coverage = sys.modules.get("coverage")
    measuring = None if coverage is None else coverage.Coverage.current()
    if measuring is not None:
        measuring.stop()
        measuring.save()


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> None:
    """A shell that starts tests in the background has them and their processes ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust one authority: to load all that certifi has costs each new client of httpx 20 ms."""
    file = tmp_path_factory.mktemp("authority") / "authority.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(scope="session", autouse=True)
def _patient() -> None:
    seams.be_patient()
