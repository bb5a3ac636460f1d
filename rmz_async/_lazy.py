"""Names of a package that are imported when somebody asks for them.

To write and compile the models is most of what an import would cost, and a program that sells
subscriptions needs few of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any


def lazily(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], Iterable[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``.

    Args:
        package: Its name.
        homes: The module of each name; a name whose module is itself stands for that module.
    """

    def get(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(home)
        found = module if home == f"{package}.{name}" else getattr(module, name)
        # Found there from now on, without asking here.
        setattr(sys.modules[package], name, found)
        return found

    def names() -> Iterable[str]:
        module = sys.modules[package]
        # What only this package's own imports have brought in is nobody's to use.
        own = {
            name
            for name in vars(module)
            if name.startswith("__") or f"{package}.{name}" in sys.modules
        }
        return own | homes.keys() | set(module.__all__)

    return get, names
