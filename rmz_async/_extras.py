"""The imports of optional packages, with the command that installs what is missing."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager

from rmz_async.errors import MissingExtraError

__all__ = ("extra",)

_NEVER_INSTALLED = {"rmz_async", "rmz_sync", *sys.stdlib_module_names}


@contextmanager
def extra(name: str, *, needed_by: str) -> Generator[None]:
    """Turn a missing package into an error with the command that installs it.

    All other errors of the imports inside stay what they are, such as a fault of this library.

    Args:
        name: The extra.
        needed_by: The beginning of the message.

    Raises:
        MissingExtraError: A package that the imports need is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        package = missing.name or ""
        if package.partition(".")[0] in {"", *_NEVER_INSTALLED}:
            raise
        raise MissingExtraError(
            f'{needed_by} needs {package}, which is not installed: pip install "rmz[{name}]"',
            name=package,
        ) from missing
