"""Fails with the command that helps if the extra ``sandbox`` is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from rmz_async.errors import MissingExtraError

NEEDED = (
    "babel",
    "jinja2",
    "markdown_it",
    "markupsafe",
    "python_multipart",
    "starlette",
    "uvicorn",
    "yaml",
)


def check() -> None:
    """See that all libraries of the extra can be imported.

    Raises:
        MissingExtraError: A package is missing; the message has the command that installs it.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f'the sandbox needs its extra: pip install "rmz[sandbox]" ({", ".join(missing)} cannot '
            "be imported)",
            name=missing[0],
        )


check()
