"""The mistakes that can be made in one piece of source."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import TypeVar

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Pow: ast.Mult,
}
# Elsewhere ``|`` joins types, which have no effect when the code runs.
UPDATED = COMPUTED | {ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr}
OTHER = {"min": "max", "max": "min", "any": "all", "all": "any"}

Members = Callable[[str, str], str | None]
N = TypeVar("N", bound=ast.AST)


def variants(node: ast.AST, members: Members) -> Iterator[ast.AST]:
    """Give the pieces that may replace a piece of source.

    Args:
        node: The piece.
        members: Returns another member of an enum, by the enum's name and the member's; None if
            there is no such enum.
    """
    if isinstance(node, ast.stmt):
        yield from _of_statement(node)
    elif isinstance(node, ast.expr):
        yield from _of_expression(node, members)


def _of_statement(node: ast.stmt) -> Iterator[ast.stmt]:
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield ast.copy_location(ast.Return(ast.Constant(None)), node)
    if isinstance(node, ast.AugAssign) and type(node.op) in UPDATED:
        yield _with(node, op=UPDATED[type(node.op)]())
    if isinstance(node, ast.With | ast.AsyncWith) and node.items[0].optional_vars is None:
        yield ast.copy_location(ast.If(ast.Constant(True), node.body, []), node)
    if isinstance(node, ast.If | ast.While) and not _has_changes(node.test):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if _can_be_left_out(node):
        yield ast.copy_location(ast.Pass(), node)


def _can_be_left_out(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        # Else the name would not be there at all, which any test finds.
        bound_before = isinstance(target, ast.Name) and any(
            isinstance(part, ast.Name) and part.id == target.id for part in ast.walk(node.value)
        )
        return bound_before or isinstance(target, ast.Attribute | ast.Subscript)
    return isinstance(
        node, ast.Expr | ast.AugAssign | ast.Raise | ast.Delete | ast.Break | ast.Continue
    )


def _of_expression(node: ast.expr, members: Members) -> Iterator[ast.expr]:
    match node:
        case ast.Compare():
            yield from _of_comparison(node)
        case ast.BoolOp():
            yield from _of_conditions(node)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            yield _with(node, op=COMPUTED[type(op)]())
        case ast.IfExp(test=test) if not _has_changes(test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Constant(value=value):
            for constant in _of_constant(value):
                yield ast.copy_location(ast.Constant(constant), node)
        case ast.Name() | ast.Attribute():
            yield from _of_name(node, members)
        case _:
            pass


def _of_comparison(node: ast.Compare) -> Iterator[ast.expr]:
    for place, op in enumerate(node.ops):
        for other in COMPARED[type(op)]:
            yield _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])


def _of_conditions(node: ast.BoolOp) -> Iterator[ast.expr]:
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for place in range(len(node.values)):
        rest = [*node.values[:place], *node.values[place + 1 :]]
        yield _with(node, values=rest) if len(rest) > 1 else rest[0]


def _of_name(node: ast.Name | ast.Attribute, members: Members) -> Iterator[ast.expr]:
    if isinstance(node, ast.Name):
        if node.id in OTHER:
            yield _with(node, id=OTHER[node.id])
    elif isinstance(node.value, ast.Name):
        other = members(node.value.id, node.attr)
        if other is not None:
            yield _with(node, attr=other)


def _of_constant(value: object) -> list[int | float | str | bytes]:
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1, value - 1]
        case str():
            return [f"{value}XX"]
        case bytes():
            return [value + b"XX"]
        case _:
            return []


def _has_changes(test: ast.expr) -> bool:
    """Say whether a condition is negated by a change of its own."""
    return isinstance(test, ast.Compare | ast.UnaryOp)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: N, **fields: object) -> N:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
