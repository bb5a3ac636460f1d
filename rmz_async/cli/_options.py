"""The options that commands share, and the client that they use."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs

import rmz_async
from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError

with extra("cli", needed_by="The command rmz"):
    from cyclopts import CoercionError, Parameter, Token
    from cyclopts.validators import Number

# More digits than any number of RMZ has.
_DIGITS = re.compile(r"[+-]?\d{1,40}")
_NAMES = ("--inbox", "--receiver")


def _integer(kind: Any, tokens: Sequence[Token]) -> Any:
    """Return numbers as they were typed: cyclopts itself rounds, and takes 501.6 for 502."""
    for token in tokens:
        if _DIGITS.fullmatch(token.value) is None:
            raise CoercionError(token=token, target_type=int)
    numbers = tuple(int(token.value) for token in tokens)
    return numbers[0] if kind is int else numbers


INTEGER = Parameter(converter=_integer)
"""The rule for an option that is an integer."""


def between(least: int, most: int | None = None) -> Parameter:
    """Return the rule for an option that is an integer between two."""
    return Parameter(converter=_integer, validator=Number(gte=least, lte=most))


Limit = Annotated[int | None, between(1)]
"""The type of an option that ends a walk early."""


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Options:
    """The format in which a command prints.

    Attributes:
        json: Print JSON: one document, or one line for each item of a list.
        csv: Print comma-separated values.
        color: Print in colours; never if NO_COLOR is set or the output is no terminal.
        language: en or ar; that of the environment if left out.
        debug: Show the traceback of an error.
    """

    json: bool = False
    csv: bool = False
    color: Annotated[bool, Parameter(negative="--no-color")] = True
    language: Literal["en", "ar"] | None = None
    debug: bool = False


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Place:
    """The inbox.

    Attributes:
        inbox: The address of the inbox, sqlite:///… or postgresql://…; RMZ_INBOX if left out.
        receiver: Your receiver, as module:name; RMZ_RECEIVER if left out.
    """

    inbox: str | None = None
    receiver: str | None = None


def command_first(words: Sequence[str]) -> list[str]:
    """Return *words* with the options of the place behind the command, if they stand before."""
    rest, places = list(words[1:]), list[str]()
    while rest and rest[0].partition("=")[0] in _NAMES:
        count = 1 if "=" in rest[0] else 2
        places += rest[:count]
        rest = rest[count:]
    return [*words[:1], *rest, *places]


def open_client(**settings: Any) -> rmz_async.Client:
    """Return a client with the token of the environment, or of a file that only its owner reads.

    Args:
        settings: The arguments of `Client`, but the token.

    Raises:
        ConfigurationError: The file is not there, or others may read it.
    """
    name = os.environ.get("RMZ_API_TOKEN_FILE")
    return rmz_async.Client(_token_in(Path(name)) if name else None, **settings)


def webhook_secrets() -> list[str]:
    """Return the secrets of the webhooks in the environment; perhaps none."""
    given = os.environ.get("RMZ_WEBHOOK_SECRETS") or os.environ.get("RMZ_WEBHOOK_SECRET") or ""
    return [secret for secret in map(str.strip, given.split(",")) if secret]


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
    except UnicodeDecodeError:
        raise ConfigurationError(f"RMZ_API_TOKEN_FILE: {path} is not written in UTF-8") from None
