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

from rmz_async import _transport, errors, operations, options
from rmz_async._calls import retry as _retry
from rmz_async._http import exchange as _connections
from rmz_async.operations import OPERATIONS, Operation, Reaction, Repeat
from rmz_async.options import Pacing, RetryPolicy
from rmz_async.pagination import Pager

Table = tuple[Sequence[str], Iterator[Sequence[str]]]


def rules() -> Table:
    """Return what each rule does."""
    return (
        ("Rule", "After a failure that may have reached RMZ"),
        ((f"`{rule.name}`", f"{rule.words[0].upper()}{rule.words[1:]}.") for rule in Repeat),
    )


def resending() -> Table:
    """Return what follows each kind of failure, for each call; reads are all alike."""
    reads = [row for row in OPERATIONS if row.repeat is Repeat.SAFE]
    writes = [row for row in OPERATIONS if row.repeat is not Repeat.SAFE]
    return (
        ("Call", "No answer to trust", "Rate limit", "Another 429", "Not sent"),
        (
            (name, *_reactions(row))
            for name, row in (
                *((f"`{row.name}`", row) for row in writes),
                (f"all {len(reads)} that read", reads[0]),
            )
        ),
    )


def _reactions(row: Operation) -> Iterator[str]:
    rule = row.repeat
    if rule.ambiguous is Reaction.READ_BACK and not row.resend_within:
        yield f"{_WORDS[rule.ambiguous]}, never again"
    elif rule.ambiguous is Reaction.READ_BACK:
        yield f"{_WORDS[rule.ambiguous]}, perhaps once more, within {row.resend_within:g} s"
    elif row.resend_within:
        yield f"{_WORDS[rule.ambiguous]}, within {row.resend_within:g} s"
    else:
        yield _WORDS[rule.ambiguous]
    yield _WORDS[rule.throttled]
    yield _WORDS[rule.refused]
    yield _WORDS[rule.not_sent]


_WORDS = {
    Reaction.REPEAT: "again",
    Reaction.REPEAT_ONCE: "once more",
    Reaction.READ_BACK: "read back",
    Reaction.RAISE: "error",
}


def limits() -> Table:
    """Return how long each part of a call may take."""
    policy, pacing = RetryPolicy(), Pacing()
    return (
        ("What", "At most", "Set by"),
        (
            (what, f"{seconds:g} s", f"`{setting}`" if setting else "fixed")
            for what, seconds, setting in (
                ("A call: its tries, its waits, its turn", options.DEFAULT_TIMEOUT, "timeout"),
                ("One try", policy.attempt_timeout, "RetryPolicy.attempt_timeout"),
                ("Opening a connection", _connections.CONNECT_TIMEOUT, ""),
                ("The wait before a repeat", policy.max_backoff, "RetryPolicy.max_backoff"),
                ("The wait for a slot", pacing.max_wait, "Pacing.max_wait"),
                ("Reading back, beyond the call's end", _transport.SETTLE_GRACE, ""),
                ("How late the end itself may come", _transport.FENCE, ""),
            )
        ),
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
    if returned is type(None):
        return "nothing"
    return " or ".join(map(_model, typing.get_args(returned) or (returned,)))


def _model(model: type) -> str:
    return f"{{py:class}}`~rmz_async.{model.__name__}`"


TABLES: dict[str, Callable[[], Table]] = {
    "api-map": api_map,
    "find-out": find_out,
    "limits": limits,
    "resending": resending,
    "rules": rules,
}


# What the tables are made of.
_SOURCES = (_connections, _retry, _transport, operations, options)


class PrintedTable(SphinxDirective):
    """Prints one of the tables: ``{table-of} limits``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the table in Markdown and have the page's own parser read it."""
        for module in _SOURCES:
            self.env.note_dependency(module.__file__)
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
    app.add_directive("table-of", PrintedTable)
    app.add_directive("error-tree", ErrorTree)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
