"""Directives that print what the code says about itself, so that no page repeats it."""

from __future__ import annotations

import importlib
import inspect
import textwrap
import typing
from collections.abc import Callable, Iterator, Sequence

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from rmz_async import errors, operations
from rmz_async.operations import OPERATIONS, Operation, Repeat
from rmz_async.pagination import Pager

Table = tuple[Sequence[str], Iterator[Sequence[str]]]


def rules() -> Table:
    """Return what each rule does."""
    return (
        ("Rule", "After a failure that may have reached RMZ"),
        ((f"`{rule.name}`", f"{rule.value[0].upper()}{rule.value[1:]}.") for rule in Repeat),
    )


def calls() -> Table:
    """Return which rule each call has."""
    return (
        ("Call", "Rule", "Per minute"),
        ((f"`{row.name}`", f"`{row.repeat.name}`", str(row.per_minute)) for row in OPERATIONS),
    )


def find_out() -> Table:
    """Return how to find out whether a call that changes something was applied."""
    return (
        ("Call", "How to find out"),
        ((f"`{row.name}`", f"{row.find_out}.") for row in OPERATIONS if row.find_out),
    )


def api_map() -> Table:
    """Return where each endpoint is in Python."""
    return (
        ("Endpoint", "Python", "Answer"),
        (
            (
                f"[`{row.method} {row.path}`]({row.source})",
                f"{_method(row, 'rmz_async', row.name)} {_method(row, 'rmz_sync', 'sync')}",
                _answer(row),
            )
            for row in OPERATIONS
        ),
    )


def _method(row: Operation, package: str, label: str) -> str:
    resource, method = row.name.split(".")
    owner = _resource_class(package, resource)
    return f"{{py:meth}}`{label} <{owner.__module__}.{owner.__name__}.{method}>`"


def _resource_class(package: str, resource: str) -> type:
    module = importlib.import_module(f"{package}.resources.{resource}")
    (name,) = module.__all__
    return getattr(module, name)


def _answer(row: Operation) -> str:
    resource, method = row.name.split(".")
    function = inspect.unwrap(getattr(_resource_class("rmz_async", resource), method))
    returned = typing.get_type_hints(function)["return"]
    if typing.get_origin(returned) is Pager:
        (item,) = typing.get_args(returned)
        return f"{_model(Pager)} of {_model(item)}"
    return _model(returned)


def _model(model: type) -> str:
    return f"{{py:class}}`~rmz_async.{model.__name__}`"


TABLES: dict[str, Callable[[], Table]] = {
    "api-map": api_map,
    "calls": calls,
    "find-out": find_out,
    "rules": rules,
}


class OperationTable(SphinxDirective):
    """Prints one of the tables: ``{operations} calls``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the table in Markdown and have the page's own parser read it."""
        self.env.note_dependency(operations.__file__)
        head, rows = TABLES[self.arguments[0]]()
        lines = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, source=__file__), self.content_offset, parent)
        for table in parent.findall(nodes.table):
            table["classes"].append(self.arguments[0])
        return parent.children


class ErrorTree(SphinxDirective):
    """Prints the tree that the docstring of ``rmz_async/errors.py`` draws."""

    def run(self) -> list[nodes.Node]:
        """Take the literal block out of the docstring."""
        self.env.note_dependency(errors.__file__)
        block = inspect.cleandoc(errors.__doc__ or "").split("::\n\n", 1)[1].split("\n\n", 1)[0]
        return [nodes.literal_block(text=textwrap.dedent(block), language="none")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx about the directives."""
    app.add_directive("operations", OperationTable)
    app.add_directive("error-tree", ErrorTree)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
