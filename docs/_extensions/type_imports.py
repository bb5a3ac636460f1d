"""The names that a module imports for type checkers only, so that the reference links to them.

A module that imports its inside when it is first used has these names in its annotations alone.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

import rmz_sync.sandbox  # noqa: F401 - loads the modules of both packages


def _import_for_types(module: ModuleType) -> None:
    for node in ast.parse(Path(inspect.getfile(module)).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                _import_names(module, line)


def _import_names(module: ModuleType, line: ast.stmt) -> None:
    if isinstance(line, ast.ImportFrom) and line.module is not None:
        source = importlib.import_module(line.module)
        for alias in line.names:
            setattr(module, alias.asname or alias.name, getattr(source, alias.name))


def _import_all(app: Sphinx) -> None:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("rmz_async", "rmz_sync"):
            _import_for_types(module)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("builder-inited", _import_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
