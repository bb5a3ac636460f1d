"""Tests changes of functions in processes that have imported all and collected the tests before.

The imports are most of what one trial costs. Only what a test finds counts here: each change that
no test has found, or that is not all in one function, is judged by `trial` in a process of its own.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from types import CodeType, FunctionType

import attrs
import pytest

from tests.mutation.changes import Change
from tests.mutation.trial import (
    OPTIONS,
    UNREWRITTEN,
    Limits,
    be_silent,
    forget_packages,
    is_late,
    obey,
)

# Nobody sees what would take a while to write.
UNTRACED = "--tb=no"
# No status of pytest has this number.
NOT_IN_A_FUNCTION = 77
# The report that the tests find nothing where nothing is changed.
UNCHANGED = -1

Place = tuple[str, int]


def found(
    name: str,
    plain: CodeType,
    made: Sequence[Change],
    tests: Sequence[str],
    *,
    limits: Limits,
    at_once: int,
) -> set[int]:
    """Return the places in *made* of changes that a test has found.

    Args:
        name: The name of the module.
        plain: The module without any change.
        made: The changes.
        tests: The files of tests that are run.
        limits: How long they may run for one change.
        at_once: The number of processes.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        with os.fdopen(reading) as lines:
            numbers = {int(line) for line in lines}
        os.waitpid(pid, 0)
        if UNCHANGED not in numbers:
            raise RuntimeError(f"{name}: its tests fail if a process collects for another")
        return numbers - {UNCHANGED}
    try:
        os.close(reading)
        # Before pytest keeps the streams for its own words.
        be_silent()
        forget_packages()
        loop = _Loop(name, plain, made, limits, at_once, writing)
        os._exit(pytest.main([*OPTIONS, *UNREWRITTEN, UNTRACED, *tests], plugins=[loop]))
    finally:
        # Nothing of the first process is to be done twice.
        os._exit(1)


@attrs.define(eq=False)
class _Loop:
    """Runs the collected tests once for each change, instead of once."""

    name: str
    plain: CodeType
    made: Sequence[Change]
    limits: Limits
    at_once: int
    report_to: int
    failures: tuple[int, int] = attrs.field(init=False, factory=os.pipe)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Name the test that has found a change."""
        if report.failed:
            os.write(self.failures[1], f"{report.nodeid}\n".encode())

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Return True if all is done; None in each new process, so that pytest runs the tests."""
        importlib.import_module(self.name)
        originals = functions_of(self.name)
        in_order = list(session.items)
        os.set_blocking(self.failures[0], False)
        pid = os.fork()
        if not pid:
            obey(self.limits)
            return None
        if os.waitpid(pid, 0)[1] == 0:
            self._report(UNCHANGED)
        running: dict[int, int] = {}
        for number, change in enumerate(self.made):
            if len(running) == self.at_once:
                if self._wait(running):
                    self._reorder(session.items)
                else:
                    # The test that comes first now would hang with the next changes, too.
                    session.items[:] = in_order
            pid = os.fork()
            if not pid:
                obey(self.limits)
                if not put_in(originals, self.plain, change.code):
                    os._exit(NOT_IN_A_FUNCTION)
                return None
            running[pid] = number
        while running:
            self._wait(running)
        return True

    def _wait(self, running: dict[int, int]) -> bool:
        """Wait for a process, report what it has found, and return whether it ended in time."""
        pid, status = os.wait()
        number = running.pop(pid)
        if is_late(status):
            return False
        if status and os.waitstatus_to_exitcode(status) != NOT_IN_A_FUNCTION:
            self._report(number)
        return True

    def _reorder(self, items: list[pytest.Item]) -> None:
        """Let the test that has found the last change run first: it may find the next one."""
        try:
            names = os.read(self.failures[0], 1 << 16).decode().splitlines()
        except BlockingIOError:
            return
        items.sort(key=lambda item: item.nodeid not in names)

    def _report(self, number: int) -> None:
        os.write(self.report_to, f"{number}\n".encode())


def functions_of(name: str) -> dict[Place, list[FunctionType]]:
    """Return the functions of an imported module, also those that a decorator hides."""
    functions: dict[Place, list[FunctionType]] = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__module__ == name:
            functions[_place(each.__code__)].append(each)
    return functions


def put_in(originals: dict[Place, list[FunctionType]], plain: CodeType, changed: CodeType) -> bool:
    """Give a function the code of a change; return whether that is all of the change.

    Args:
        originals: The functions of the module.
        plain: The module without any change.
        changed: The module with one.
    """
    new = dict(_codes(changed))
    different = [(place, code) for place, code in _codes(plain) if code != new.get(place)]
    if len(different) != 1:
        return False
    ((place, old),) = different
    functions = originals.get(place, [])
    if not functions or any(each.__code__ != old for each in functions):
        return False
    try:
        for each in functions:
            each.__code__ = new[place]
    except ValueError:
        # The change has another number of variables of an outer function.
        return False
    return True


def _codes(code: CodeType) -> Iterator[tuple[Place, CodeType]]:
    """Walk the functions that are in no other function."""
    for each in code.co_consts:
        if isinstance(each, CodeType):
            if each.co_flags & inspect.CO_OPTIMIZED:
                yield _place(each), each
            else:
                yield from _codes(each)


def _place(code: CodeType) -> Place:
    return code.co_qualname, code.co_firstlineno
