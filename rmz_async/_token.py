"""The API token: where it comes from, and how it stays out of sight."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeAlias

import anyio

from rmz_async.errors import ConfigurationError

TokenSource: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A token, or a callable, plain or async, that returns one."""

_ACCEPTED = re.compile(r"[\x21-\x7e]{1,512}")


class Secret:
    """A text that no repr, log, pickle or traceback shows."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


def checked(token: object) -> Secret:
    """Return *token* as a secret if it can travel in a header.

    The HTTP library prints an illegal header value in its error, and so the token: it must never
    get that far.

    Raises:
        ConfigurationError: It is not a text, it is empty, or it holds more than visible ASCII.
    """
    if not isinstance(token, str):
        raise ConfigurationError("token: must be a string")
    if not token:
        raise ConfigurationError("token: is missing; pass token=… or set RMZ_API_TOKEN")
    if not _ACCEPTED.fullmatch(token):
        raise ConfigurationError(
            "token: must be 1 to 512 visible ASCII characters; look for a space, a line break or a "
            "letter that is not ASCII"
        )
    return Secret(token)


class Tokens:
    """Holds the token, and asks its source where there is none yet or RMZ refused it."""

    def __init__(self, source: TokenSource | None) -> None:
        if source is None:
            source = os.environ.get("RMZ_API_TOKEN", "")
        self._ask = source if callable(source) else None
        self.current = None if callable(source) else checked(source)

    @property
    def renewable(self) -> bool:
        """Whether there is a source to ask again."""
        return self._ask is not None

    async def renew(self, refused: Secret | None, turn: anyio.Lock) -> Secret:
        """Ask the source for a token other than *refused*; callers that wait together ask once."""
        async with turn:
            if self.current is refused and self._ask is not None:
                answer = self._ask()
                self.current = checked(await answer if inspect.isawaitable(answer) else answer)
        assert self.current is not None
        return self.current
