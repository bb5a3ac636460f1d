from __future__ import annotations

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
def counted(request: pytest.FixtureRequest) -> ModuleType:
    """The module as it was written, under a name of its own in each test.

    Functions of another test's module may still wait for the garbage collector.
    """
    module = ModuleType(f"counted in {request.node.name}")
    exec(code_of(SOURCE), module.__dict__)  # noqa: S102 - the source above
    return module


def put(name: str, old: str, new: str) -> bool:
    assert SOURCE.count(old) == 1
    return put_in(functions_of(name), code_of(SOURCE), code_of(SOURCE.replace(old, new)))


def test_a_change_of_a_function_reaches_who_has_imported_it_already(counted: ModuleType) -> None:
    twice = counted.twice

    assert put(counted.__name__, "number * by", "number // by")

    assert twice(6) == 3


def test_a_change_reaches_functions_behind_decorators_and_functions_in_functions(
    counted: ModuleType,
) -> None:
    counter = counted.Counter()

    assert put(counted.__name__, "self.start + 1", "self.start - 1")
    assert counter.first == 0
    assert put(counted.__name__, "yield self.first", "yield None")
    with counter.counting() as number:
        assert number is None
    assert put(counted.__name__, "        return number\n", "        return -number\n")
    assert counted.outer(5)() == -5


@pytest.mark.parametrize(
    ("old", "new"),
    [("LIMIT = 1", "LIMIT = 2"), ("start = 1", "start = 2"), ("by=2", "by=3")],
)
def test_a_change_that_takes_effect_at_the_import_is_refused(
    counted: ModuleType, old: str, new: str
) -> None:
    """Else it would count as a mistake that no test finds."""
    assert not put(counted.__name__, old, new)
    assert counted.twice(6) == 12


def test_a_function_that_is_nowhere_to_be_found_is_refused() -> None:
    """The module is not imported."""
    assert not put("nowhere", "number * by", "number // by")
