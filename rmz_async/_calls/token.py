"""The API token: where it comes from, and how it stays out of sight."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeAlias, cast

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

    def hidden_in(self, body: bytes) -> bytes:
        """Return *body* without this text, should a proxy's error page have echoed the request."""
        # The bar in a token may be escaped in many ways; what follows it is the secret.
        for part in (self._value, self._value.rpartition("|")[2]):
            body = body.replace(part.encode(), b"***") if part else body
        return body

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


def concealed(source: TokenSource | Secret | None) -> Callable[[], str | Awaitable[str]] | Secret:
    """Return *source*, or ``RMZ_API_TOKEN``, with a text out of sight.

    A traceback may show the variables of its frames: call this, and delete the variable, before
    anything that can raise.
    """
    if source is None:
        source = os.environ.get("RMZ_API_TOKEN", "")
    return source if isinstance(source, Secret) or callable(source) else Secret(source)


def checked(secret: Secret) -> Secret:
    """Return *secret* if it can travel in a header.

    The HTTP library prints an illegal header value in its error, and so the token: it must never
    get that far.

    Raises:
        ConfigurationError: It is not a text, it is empty, or it holds more than visible ASCII.
    """
    # Not kept in a variable, which a traceback may show.
    if not isinstance(cast("object", secret.reveal()), str):
        raise ConfigurationError("token: must be a string")
    if not secret.reveal():
        raise ConfigurationError("token: is missing; pass token=… or set RMZ_API_TOKEN")
    if not _ACCEPTED.fullmatch(secret.reveal()):
        raise ConfigurationError(
            "token: must be 1 to 512 visible ASCII characters; look for a space, a line break or a "
            "letter that is not ASCII"
        )
    return secret


class Tokens:
    """Holds the token, and asks its source where there is none yet or RMZ refused it."""

    def __init__(self, source: TokenSource | Secret | None) -> None:
        hidden = concealed(source)
        del source
        self._ask = None if isinstance(hidden, Secret) else hidden
        self.current = checked(hidden) if isinstance(hidden, Secret) else None

    @property
    def renewable(self) -> bool:
        """Whether there is a source to ask again."""
        return self._ask is not None

    async def renew(self, refused: Secret | None, turn: anyio.Lock) -> Secret:
        """Ask the source for a token other than *refused*; callers that wait together ask once."""
        async with turn:
            return await self._other_than(refused)

    async def _other_than(self, refused: Secret | None) -> Secret:
        if self.current is refused and self._ask is not None:
            self.current = checked(await _answer_of(self._ask))
        assert self.current is not None
        return self.current


async def _answer_of(ask: Callable[[], str | Awaitable[str]]) -> Secret:
    answer = ask()
    return Secret(await answer if inspect.isawaitable(answer) else answer)
