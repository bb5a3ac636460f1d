from __future__ import annotations

import pytest

from tests.mutation.changes import changes

MEMBERS = {("Step", "RAISE"): "REPEAT"}


def made(source: str) -> list[str]:
    """The description of each change of a module."""
    return [change.what for change in changes(source, "m.py", lambda *name: MEMBERS.get(name))]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["a < b -> a <= b", "a < b -> a >= b"]),
        ("x = a is None", ["a is None -> a is not None"]),
        ("x = a and b", ["a and b -> a or b", "a and b -> b", "a and b -> a"]),
        ("x = not a", ["not a -> a"]),
        ("x = a + b", ["a + b -> a - b"]),
        ("1.5", []),
        ("a(1)", ["a(1) -> pass", "1 -> 2", "1 -> 0"]),
        ("a = True", ["True -> False"]),
        ("a = 'text'", ["'text' -> 'textXX'"]),
        ("a = Step.RAISE", ["Step.RAISE -> Step.REPEAT"]),
        ("a = Step.SETTLE", []),
        ("a = min", ["min -> max"]),
        ("a = b if c else d", ["b if c else d -> b if not c else d"]),
        ("a += b", ["a += b -> a -= b", "a += b -> pass"]),
        ("a.b = c", ["a.b = c -> pass"]),
        ("a = a.b", ["a = a.b -> pass"]),
        ("a: int | None", []),
        ("a = cast('int', b)", []),
        ("__slots__ = ('a',)", []),
        ("T = TypeVar('T', bound=a)", []),
        ("P = ParamSpec('P')", []),
        ("if TYPE_CHECKING:\n a = 1", []),
        ("def f(a: int = 1) -> None:\n 'Text.'", ["1 -> 2", "1 -> 0"]),
        ("def f():\n return a", ["return a -> return None"]),
        ("with a:\n b = c", ["with a: ... -> if True: ..."]),
        ("while a:\n b = c", ["while a: ... -> while not a: ..."]),
        ("raise a", ["raise a -> pass"]),
    ],
)
def test_what_is_changed(source: str, expected: list[str]) -> None:
    """Each piece that means something when the code runs, and no type and no docstring."""
    assert made(source) == expected


def test_one_change_at_a_time() -> None:
    """Each is of the module as it was written, and the whole of it runs."""
    found: list[tuple[int, int]] = []
    for change in changes("a = 1\nb = 5\n", "m.py", lambda *_: None):
        names: dict[str, int] = {}
        exec(change.code, names)  # noqa: S102 - the two lines above
        found.append((names["a"], names["b"]))

    assert found == [(2, 5), (0, 5), (1, 6), (1, 4)]


def test_a_change_is_named_by_its_function_and_a_number() -> None:
    """A change is named by its function, and by a number if it is made there twice."""
    source = "class A:\n def f(self):\n  return a(1, 1)\n"

    assert [
        (change.line, change.where, change.what)
        for change in changes(source, "m.py", lambda *_: None)
        if change.what.startswith("1 -> 2")
    ] == [(3, "A.f", "1 -> 2"), (3, "A.f", "1 -> 2 (no. 2)")]
