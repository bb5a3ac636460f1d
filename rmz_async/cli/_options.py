"""The options that all commands share, and the client that they use."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Annotated

import attrs

import rmz_async
from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError

with extra("cli", needed_by="The command rmz"):
    from cyclopts import Parameter

__all__ = ("Options", "open_client")


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Options:
    """How a command prints.

    Attributes:
        json: Print JSON: one document, or one line for each item of a list.
        csv: Print comma-separated values.
        color: Print in colours; never if NO_COLOR is set or the output is no terminal.
        debug: Show the traceback of an error.
    """

    json: Annotated[bool, Parameter(negative=())] = False
    csv: Annotated[bool, Parameter(negative=())] = False
    color: bool = True
    debug: Annotated[bool, Parameter(negative=())] = False


def open_client() -> rmz_async.Client:
    """Return a client with the token of the environment, or of a file that only its owner reads.

    Raises:
        ConfigurationError: The file is not there, or others may read it.
    """
    name = os.environ.get("RMZ_API_TOKEN_FILE")
    return rmz_async.Client(_token_in(Path(name)) if name else None)


def _token_in(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
            raise ConfigurationError(
                f"RMZ_API_TOKEN_FILE: others may read {path}; run chmod 600 on the file"
            )
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigurationError(
            f"RMZ_API_TOKEN_FILE: {path} cannot be read: {error.strerror}"
        ) from None
