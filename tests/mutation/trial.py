"""Runs a module's tests on a changed module, each time in a process of its own."""

from __future__ import annotations

import gc
import importlib.util
import os
import resource
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from types import CodeType, ModuleType

import anyio
import attrs
import pytest

from tests.mutation.changes import Change

# A change can make a list grow without end.
MEMORY = 2 << 30
PACKAGES = ("rmz_async", "rmz_sync")
# The plugin of Hypothesis would import all of it, and no unit test uses it.
OPTIONS = ("-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")
# A warning about the modules that all processes share.
UNREWRITTEN = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


@attrs.frozen
class Limits:
    """How long the tests may run, in seconds.

    Attributes:
        processor: The time for which they compute, which is the same on a busy machine.
        clock: The time that passes, also while they wait for what never comes.
    """

    processor: int
    clock: int


@attrs.frozen
class Trial:
    """The result of the tests with a change.

    Attributes:
        change: The change.
        survived: Whether no test failed.
        timed_out: Whether they did not end in time, which also shows the change, unless the machine
            was busy. Tests that compute for too long are ended before, and count as failed.
    """

    change: Change
    survived: bool
    timed_out: bool = False


@attrs.frozen
class _Changed(MetaPathFinder, Loader):
    """Imports one module from code that is given."""

    name: str
    path: Path
    code: CodeType

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        """Answer for the one module."""
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the code."""
        exec(self.code, module.__dict__)  # noqa: S102 - made from the project's own source


def warm_up() -> None:
    """Import once what every process needs, and what no change reaches."""
    for plugin in entry_points(group="pytest11"):
        if plugin.name != "hypothesispytest":
            plugin.load()
    for backend in anyio.get_all_backends():
        anyio.run(anyio.sleep, 0, backend=backend)
    # Else each process would look through all of it, too.
    gc.freeze()


def start(
    name: str, path: Path, code: CodeType, tests: Sequence[str], *, limits: Limits, silent: bool
) -> int:
    """Start the tests of one module on *code*; return the process's number."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        obey(limits)
        if silent:
            be_silent()
        forget_packages()
        sys.meta_path.insert(0, _Changed(name, path, code))
        status = pytest.main([*OPTIONS, *UNREWRITTEN, *tests])
    finally:
        # Nothing of the first process is to be done twice.
        os._exit(status)


def obey(limits: Limits) -> None:
    """Let this process end if it takes too much."""
    # Ends the process, even if its parent has gone.
    signal.alarm(limits.clock)
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor, limits.processor))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def be_silent() -> None:
    """Let this process read and write nothing at its three streams."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)


def forget_packages() -> None:
    """Let the next import of the project's packages be the first."""
    for imported in list(sys.modules):
        if imported.partition(".")[0] in PACKAGES:
            del sys.modules[imported]


def is_late(status: int) -> bool:
    """Return whether a process was ended because the time was over."""
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM


def play(
    name: str,
    path: Path,
    made: Iterable[Change],
    tests: Sequence[str],
    *,
    limits: Limits,
    at_once: int,
) -> Iterator[Trial]:
    """Test changes, and report each as soon as it is known.

    Args:
        name: The name of the module.
        path: Its file.
        made: The changes.
        tests: The files of tests that are run.
        limits: How long they may run.
        at_once: The number of processes.
    """
    waiting = iter(made)
    running: dict[int, Change] = {}
    while True:
        for change in islice(waiting, at_once - len(running)):
            running[start(name, path, change.code, tests, limits=limits, silent=True)] = change
        if not running:
            return
        pid, status = os.wait()
        yield Trial(running.pop(pid), survived=status == 0, timed_out=is_late(status))
