"""The changes that are made in a module, one at a time: each is a mistake that tests must find."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from types import CodeType

import attrs

from tests.mutation.variants import Members, variants

# Nothing that a test could see depends on these.
UNREAD = ("__slots__", "__all__")
TYPE_VARIABLES = ("TypeVar", "ParamSpec")


@attrs.frozen
class Change:
    """A change of a module.

    Attributes:
        line: The line of the change.
        where: The name of the function or class, which lasts longer than a line's number.
        what: The piece of source, and the piece that replaces it.
        code: The module with this change.
    """

    line: int
    where: str
    what: str
    code: CodeType


@attrs.frozen
class _Piece:
    node: ast.expr | ast.stmt
    where: str
    put: Callable[[ast.AST], None]


def changes(source: str, path: str, members: Members) -> Iterator[Change]:
    """Make every change that there is.

    Args:
        source: The module's.
        path: Its file, for tracebacks.
        members: As `variants` wants it.
    """
    tree = ast.parse(source)
    seen: Counter[tuple[str, str]] = Counter()
    for piece in list(_pieces(tree, "")):
        old = _in_a_line(piece.node)
        for new in list(variants(piece.node, members)):
            what = f"{old} -> {_in_a_line(ast.fix_missing_locations(new))}"
            piece.put(new)
            code = compile(tree, path, "exec", dont_inherit=True)
            piece.put(piece.node)
            seen[piece.where, what] += 1
            number = seen[piece.where, what]
            yield Change(
                line=piece.node.lineno,
                where=piece.where or "module",
                what=what if number == 1 else f"{what} (no. {number})",
                code=code,
            )


def _in_a_line(node: ast.AST) -> str:
    first, *more = ast.unparse(node).splitlines()
    return f"{first} ..." if more else first


def _pieces(node: ast.AST, where: str) -> Iterator[_Piece]:
    """Walk all that means something when the code runs."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        where = f"{where}.{node.name}".lstrip(".")
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for place, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_silent(node, child):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield _Piece(child, where, _put(node, field, place))
            yield from _pieces(child, where)


def _put(parent: ast.AST, field: str, place: int) -> Callable[[ast.AST], None]:
    def put(new: ast.AST) -> None:
        value = getattr(parent, field)
        if isinstance(value, list):
            value[place] = new
        else:
            setattr(parent, field, new)

    return put


def _is_type_variable(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in TYPE_VARIABLES


def _is_silent(parent: ast.AST, node: ast.AST) -> bool:
    """Say whether it is a docstring, a protocol's dots, a type, or a list of names."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) in UNREAD or _is_type_variable(node.value)
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(parent, ast.Call) and ast.unparse(parent.func) == "cast":
        return node is parent.args[0]
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
