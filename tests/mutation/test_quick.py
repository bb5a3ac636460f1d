from __future__ import annotations

import sys
from collections.abc import Iterator
from types import CodeType, ModuleType

import pytest

from tests.mutation.quick import functions_of, put_in

SOURCE = """
import contextlib
LIMIT = 1

def twice(number, by=2):
    return number * by

class Counter:
    start = 1
    @property
    def first(self):
        return self.start + 1
    @contextlib.contextmanager
    def counting(self):
        yield self.first

def outer(number):
    def inner():
        return number
    return inner
"""


def code_of(source: str) -> CodeType:
    return compile(source, "counted.py", "exec", dont_inherit=True)


@pytest.fixture
def counted() -> Iterator[ModuleType]:
    """The module as it was written, imported."""
    module = ModuleType("counted")
    sys.modules["counted"] = module
    exec(code_of(SOURCE), module.__dict__)  # noqa: S102 - the source above
    yield module
    del sys.modules["counted"]


def put(old: str, new: str) -> bool:
    assert SOURCE.count(old) == 1
    return put_in(functions_of("counted"), code_of(SOURCE), code_of(SOURCE.replace(old, new)))


def test_a_change_of_a_function_reaches_who_has_imported_it_already(counted: ModuleType) -> None:
    twice = counted.twice

    assert put("number * by", "number // by")

    assert twice(6) == 3


def test_a_change_reaches_functions_behind_decorators_and_functions_in_functions(
    counted: ModuleType,
) -> None:
    counter = counted.Counter()

    assert put("self.start + 1", "self.start - 1")
    assert counter.first == 0
    assert put("yield self.first", "yield None")
    with counter.counting() as number:
        assert number is None
    assert put("        return number\n", "        return -number\n")
    assert counted.outer(5)() == -5


@pytest.mark.parametrize(
    ("old", "new"),
    [("LIMIT = 1", "LIMIT = 2"), ("start = 1", "start = 2"), ("by=2", "by=3")],
)
def test_a_change_that_takes_effect_at_the_import_is_refused(
    counted: ModuleType, old: str, new: str
) -> None:
    """Else it would count as a mistake that no test finds."""
    assert not put(old, new)
    assert counted.twice(6) == 12


def test_a_function_that_is_nowhere_to_be_found_is_refused() -> None:
    """The module is not imported."""
    assert not put("number * by", "number // by")
