"""How docstrings become the reference."""

from __future__ import annotations

import builtins
import inspect
import re
from typing import Any, get_type_hints

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import stringify_annotation

import rmz_async

# Only what a reader creates shows its parameters; the rest comes from calls.
_CREATED_BY_READERS = {
    "rmz_async.Client",
    "rmz_async.NewCustomer",
    "rmz_async.OrderLine",
    "rmz_async.Pacing",
    "rmz_async.PhoneNumber",
    "rmz_async.RetryPolicy",
    "rmz_async.sandbox.Sandbox",
    "rmz_sync.Client",
}


def _hide_signature(
    app: Sphinx,
    what: str,
    name: str,
    thing: object,
    options: object,
    parameters: str | None,
    returned: str | None,
) -> tuple[str, None] | None:
    created = what not in ("class", "exception") or name in _CREATED_BY_READERS
    return None if created or parameters is None else ("", None)


def _shorten_sync(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Leave the first line of what is described once, on the async side."""
    if name.startswith("rmz_sync.resources.") and what == "method" and lines:
        lines[:] = [lines[0], "", f"See :py:meth:`{name.replace('rmz_sync', 'rmz_async', 1)}`."]


def _name_types(
    app: Sphinx, what: str, name: str, thing: Any, options: object, lines: list[str]
) -> None:
    """Put the type before a sentence with a colon: napoleon takes what stands there for one."""
    function = thing.fget if isinstance(thing, property) else thing
    first = 0 if what == "property" else lines.index("Returns:") + 1 if "Returns:" in lines else -1
    if inspect.isfunction(function) and 0 <= first < len(lines) and ": " in lines[first]:
        returned = stringify_annotation(get_type_hints(function)["return"], "smart")
        text = lines[first].lstrip()
        lines[first] = f"{' ' * (len(lines[first]) - len(text))}{returned}: {text}"


def _shorten_types(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Show the types of attributes without their modules, which napoleon writes out."""
    lines[:] = [
        re.sub(r"(?<![\w.:])(\w+\.)+\w+", r"~\g<0>", line) if line.startswith(":vartype") else line
        for line in lines
    ]


def _unlink_builtins(app: Sphinx, tree: nodes.document) -> None:
    """Leave a built-in type without a link: models have a field called ``type``."""
    for node in list(tree.findall(pending_xref)):
        if node.get("reftype") == "class" and hasattr(builtins, node["reftarget"]):
            node.replace_self(node.children)


def _find_public(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.Element
) -> nodes.Element | None:
    """Link a name of the package that is written as a caller writes it, in whatever module."""
    name = re.sub(r"^rmz_async\.models\.(\w+\.)?(?=[A-Z])", "", node["reftarget"])
    if node.get("refdomain") != "py" or name.partition(".")[0] not in rmz_async.__all__:
        return None
    domain = env.get_domain("py")
    public = f"rmz_async.{name}"
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", public, node, text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect what is above."""
    app.setup_extension("sphinx.ext.autodoc")
    for field in PyObject.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"  # as the docstrings call them
    app.connect("autodoc-process-signature", _hide_signature)
    app.connect("autodoc-process-docstring", _shorten_sync, priority=300)
    app.connect("autodoc-process-docstring", _name_types, priority=400)  # before napoleon's 500
    app.connect("autodoc-process-docstring", _shorten_types, priority=600)
    app.connect("doctree-read", _unlink_builtins)
    app.connect("missing-reference", _find_public)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
