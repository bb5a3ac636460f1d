"""Writes the tables and lists that say what the code says: ``python docs/tables.py``.

Each stands in a page between two markers, so that a forge shows it too. ``--check`` compares only,
and fails if a page is out of date.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType

from rmz_async import Client, _execution, errors, models, options
from rmz_async._calls.retry import lag_of
from rmz_async._http import request
from rmz_async.operations import OPERATIONS, Operation, Reaction, RetryRule
from rmz_async.options import Pacing, RetryPolicy
from rmz_async.pagination import Pager
from rmz_async.resources._attribute import ResourceAttribute

DOCS = Path(__file__).resolve().parent
MARKED = re.compile(
    r"(?s)(?P<begin>(?:<!--|\.\.) begin (?P<name>\S+)[^\n]*\n)"
    r".*?(?P<end>(?:<!--|\.\.) end (?P=name))"
)

Row = tuple[str, ...]


def endpoints() -> Iterator[Row]:
    """Give each endpoint of RMZ, and its method here."""
    yield ("Endpoint", "Method", "Returns")
    for row in OPERATIONS:
        yield (f"[`{row.method} {row.path}`]({row.source})", f"`{row.name}`", _returned(row))


def rules() -> Iterator[Row]:
    """Give each rule, and the calls that follow it."""
    yield ("Rule", "Calls", "After a failure that may have reached RMZ")
    for rule in RetryRule:
        calls = [f"`{row.name}`" for row in OPERATIONS if row.retry is rule]
        whose = f"all {len(calls)} that read" if rule is RetryRule.SAFE else ", ".join(calls)
        yield (f"`{rule.name}`", whose, f"{rule.words[0].upper()}{rule.words[1:]}")


def retries() -> Iterator[Row]:
    """Give what follows each kind of failure, for each call; reads are all alike."""
    yield ("Call", "No answer to trust", "Rate limit", "Another 429", "Not sent")
    reads = [row for row in OPERATIONS if row.retry is RetryRule.SAFE]
    writes = [row for row in OPERATIONS if row.retry is not RetryRule.SAFE]
    for name, row in (
        *((f"`{row.name}`", row) for row in writes),
        (f"all {len(reads)} that read", reads[0]),
    ):
        rule = row.retry
        words = _words_of(row)
        yield (
            name,
            _after_no_answer(row),
            *(words[reaction] for reaction in (rule.throttled, rule.refused, rule.not_sent)),
        )


def limits() -> Iterator[Row]:
    """Give how long each part of a call may take."""
    policy, pacing = RetryPolicy(), Pacing()
    yield ("Part", "At most", "Set by")
    for part, seconds, setting in (
        ("A call: its attempts and all its waits", options.DEFAULT_TIMEOUT, "timeout"),
        ("An attempt", policy.attempt_timeout, "RetryPolicy.attempt_timeout"),
        ("Opening a connection", request.CONNECT_TIMEOUT, ""),
        ("The wait before a retry", policy.max_backoff, "RetryPolicy.max_backoff"),
        ("The wait for a slot in the minute", pacing.max_wait, "Pacing.max_wait"),
        ("Reading back, after the end of the call", _execution.SETTLE_GRACE, ""),
    ):
        yield (part, f"{seconds:g} s", f"`{setting}`" if setting else "fixed")


def find_out() -> Iterator[Row]:
    """Give how to find out whether a call was applied."""
    yield ("Call", "How to find out")
    for row in OPERATIONS:
        if row.find_out:
            yield (f"`{row.name}`", f"{row.find_out}.")


def error_tree() -> str:
    """Return the tree that the docstring of ``errors.py`` draws."""
    block = inspect.cleandoc(errors.__doc__ or "").split("::\n\n", 1)[1].split("\n\n", 1)[0]
    return f"```none\n{textwrap.dedent(block)}\n```"


def resources(package: str) -> str:
    """Return the entries of the resources of a client, in the order of its attributes."""
    names = [name for name, one in vars(Client).items() if isinstance(one, ResourceAttribute)]
    modules = [importlib.import_module(f"{package}.resources.{name}") for name in names]
    return "".join(_entry(getattr(module, module.__all__[0]), module) for module in modules)


def every_model() -> str:
    """Return the entries of the models, a section for each module."""
    sections: list[str] = []
    for found in pkgutil.iter_modules(models.__path__):
        if not found.name.startswith("_"):
            module = importlib.import_module(f"{models.__name__}.{found.name}")
            kinds = [getattr(module, name) for name in module.__all__]
            title = found.name.replace("_", " ").capitalize()
            entries = [_model_entry(kind) for kind in kinds if isinstance(kind, type)]
            sections.append(f"\n{title}\n{'~' * len(title)}\n{''.join(entries)}")
    return "".join(sections)


def _entry(kind: type[typing.Any], module: ModuleType) -> str:
    entry = f"\n.. autoclass:: {module.__name__}.{kind.__name__}\n"
    own = [name for name, one in vars(kind).items() if name[0] != "_" and _is_documented(one)]
    return f"{entry}   :members: {', '.join(own)}\n" if own else entry


def _model_entry(kind: type[typing.Any]) -> str:
    """Return the entry of a model, whose fields have their descriptions beside them."""
    undocumented = "   :undoc-members:\n" if issubclass(kind, Enum) else ""
    return f"\n.. autoclass:: rmz_async.{kind.__name__}\n   :members:\n{undocumented}"


def _is_documented(member: object) -> bool:
    return isinstance(member, (property, classmethod)) or inspect.isfunction(member)


def _table(rows: Callable[[], Iterator[Row]]) -> str:
    head, *others = rows()
    lines = [head, ("---",) * len(head), *others]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


CONTENTS: dict[str, Callable[[], str]] = {
    "endpoints": lambda: _table(endpoints),
    "error-tree": error_tree,
    "find-out": lambda: _table(find_out),
    "limits": lambda: _table(limits),
    "models": every_model,
    "resources": lambda: resources("rmz_async"),
    "retries": lambda: _table(retries),
    "rules": lambda: _table(rules),
    "sync-resources": lambda: resources("rmz_sync"),
}

_WORDS = {
    Reaction.RETRY: "retry",
    Reaction.RETRY_ONCE: "retry once",
    Reaction.READ_BACK: "read back",
    Reaction.RAISE: "error",
}


def _words_of(row: Operation) -> dict[Reaction, str]:
    if row.retry is not RetryRule.ONCE:
        return _WORDS
    taken = _types_of(row)
    returned = taken.pop("return")
    # Only a call that takes the object as it was read has something to compare with.
    compares = any(returned in typing.get_args(one) for one in taken.values())
    return {**_WORDS, Reaction.READ_BACK: "compared, or unknown" if compares else "unknown"}


def _after_no_answer(row: Operation) -> str:
    reaction = row.retry.ambiguous
    if row.retry is RetryRule.ONCE:
        return f"never resent: {_words_of(row)[reaction]}"
    if reaction is Reaction.READ_BACK and not row.resend_within:
        return "read back, never resent"
    if reaction is Reaction.READ_BACK:
        latest = row.resend_within + lag_of(RetryPolicy())
        return f"read back; perhaps one retry, within {latest:g} s"
    if row.resend_within:
        return f"{_WORDS[reaction]}, within {row.resend_within:g} s"
    return _WORDS[reaction]


def _types_of(row: Operation) -> dict[str, typing.Any]:
    resource, method = row.name.split(".")
    module = importlib.import_module(f"rmz_async.resources.{resource}")
    (name,) = module.__all__
    return typing.get_type_hints(inspect.unwrap(getattr(getattr(module, name), method)))


def _returned(row: Operation) -> str:
    returned = _types_of(row)["return"]
    if typing.get_origin(returned) is Pager:
        (item,) = typing.get_args(returned)
        return f"`Pager` of `{item.__name__}`"
    if returned is type(None):
        return "`None`"
    return " or ".join(f"`{one.__name__}`" for one in typing.get_args(returned) or (returned,))


def updated(page: str) -> str:
    """Return the content of a page with all its tables written again."""
    return MARKED.sub(
        lambda found: f"{found['begin']}{CONTENTS[found['name']]()}\n{found['end']}", page
    )


def main() -> None:
    """Write the pages, or only compare them.

    Raises:
        SystemExit: With ``--check``, a page is out of date.
    """
    outdated: list[str] = []
    for path in sorted([*DOCS.rglob("*.md"), DOCS / "reference.rst"]):
        text = path.read_text(encoding="utf-8")
        if (wanted := updated(text)) != text:
            outdated.append(str(path.relative_to(DOCS)))
            if "--check" not in sys.argv:
                path.write_text(wanted, encoding="utf-8")
    if outdated and "--check" in sys.argv:
        raise SystemExit(f"out of date: {', '.join(outdated)}; run: python docs/tables.py")


if __name__ == "__main__":
    main()
