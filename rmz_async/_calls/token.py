"""The API token: where it comes from, and how it stays out of sight."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Awaitable, Callable
from html.entities import html5
from typing import NoReturn, TypeAlias, cast

import anyio

from rmz_async.errors import ConfigurationError

TokenSource: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A token, or a callable, plain or async, that returns one."""

OF_SANDBOX = "1|sandbox"
"""The beginning of each token that a sandbox makes."""

_ACCEPTED = re.compile(r"[\x21-\x7e]{1,512}")

# A shorter part of a token stands in ordinary words too, and hiding it would garble an answer.
_MIN_HIDDEN_PART = 8


class Secret:
    """A string that no repr, log, pickle or traceback shows."""

    __slots__ = ("_pattern", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._pattern: re.Pattern[bytes] | None = None

    def reveal(self) -> str:
        """Return the string itself."""
        return self._value

    def hidden_in(self, body: bytes) -> bytes:
        """Return *body* without this token, in case an error page echoes the request.

        A JSON string, an address, HTML or source text may escape any of the token's characters,
        also several times.
        """
        if self._pattern is None:
            self._pattern = _pattern_of(self._value)
        return self._pattern.sub(b"***", body)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


def _pattern_of(token: str) -> re.Pattern[bytes]:
    """Return what matches a token in all its escaped forms; only the part after a bar is secret."""
    identifier, bar, secret = token.rpartition("|")
    if len(secret) >= _MIN_HIDDEN_PART:
        before = f"(?:{_escapable(identifier + bar)})?"
        return re.compile(f"{before}{_escapable(secret)}".encode())
    # A short token is hidden only if no other letter or digit touches it.
    alone = f"(?<![A-Za-z0-9]){_escapable(token)}(?![A-Za-z0-9])" if token else "(?!)"
    return re.compile(alone.encode())


def _escapable(text: str) -> str:
    return "".join(map(_escapable_character, text))


def _escapable_character(character: str) -> str:
    number = ord(character)
    # An escape may be escaped again. Each repetition has a limit, or a hostile body could make the
    # search endless.
    names = [name for name, meaning in html5.items() if meaning == character]
    numbers = rf"\#(?:0{{0,4}}{number}|x0{{0,4}}{number:x});?"
    forms = [
        rf"(?i:\\{{1,8}}+(?:u(?:0000)?00|x|u\{{0{{0,4}}){number:02x}\}}?)",
        rf"(?i:%(?:25){{0,4}}(?:u00)?{number:02x})",
        rf"(?i:&(?:amp;){{0,4}}{numbers})",
        character if character.isalnum() else rf"\\{{0,8}}{re.escape(character)}",
    ]
    # Before the plain character, as `&amp;` begins with one.
    forms[:0] = [f"&(?:amp;){{0,4}}{re.escape(name)}" for name in sorted(names, reverse=True)]
    return f"(?:{'|'.join(forms)})"


def as_secret(
    source: TokenSource | Secret | None,
) -> Callable[[], str | Awaitable[str]] | Secret | None:
    """Return *source*, or ``RMZ_API_TOKEN``, with a string out of sight; None if there is neither.

    A traceback may show the variables of its frames: call this, and delete the variable, before
    anything that can raise.
    """
    if source is None:
        source = os.environ.get("RMZ_API_TOKEN") or None
    if source is None or isinstance(source, Secret) or callable(source):
        return source
    return Secret(source)


def validated(secret: Secret) -> Secret:
    """Return *secret* if it can travel in a header.

    The HTTP library prints an illegal header value in its error, and so the token: it must never
    get that far.

    Raises:
        ConfigurationError: The token is not a string, is empty, or holds more than visible ASCII.
    """
    # The string is kept in no variable, because a traceback may show variables.
    if not isinstance(cast("object", secret.reveal()), str):
        raise ConfigurationError("token: must be a string")
    if not secret.reveal():
        raise ConfigurationError("token: is missing; set RMZ_API_TOKEN, or pass token=… to Client")
    if secret.reveal()[0] in "\"'`" and secret.reveal()[-1] in "\"'`":
        raise ConfigurationError(
            "token: must not have quotes around it; an .env file may have kept them"
        )
    if secret.reveal().lower().startswith("bearer "):
        raise ConfigurationError(
            "token: must not begin with the word Bearer, which the client writes itself"
        )
    if not _ACCEPTED.fullmatch(secret.reveal()):
        raise ConfigurationError(
            "token: must be 1 to 512 visible ASCII characters; look for a space, a line break or a "
            "letter that is not ASCII"
        )
    return secret


class Tokens:
    """Holds the token, and asks its source if there is none yet or RMZ refused it.

    Attributes:
        current: The token; None if there is none yet.
        renewable: Whether there is a source to ask again.
        is_of_sandbox: Whether the token was made by a sandbox, so that RMZ itself does not know it.
    """

    def __init__(self, source: TokenSource | Secret | None) -> None:
        hidden = as_secret(source)
        del source
        self._ask = None if isinstance(hidden, Secret) else hidden
        self.current = validated(hidden) if isinstance(hidden, Secret) else None
        self.renewable: bool = self._ask is not None
        self.is_of_sandbox: bool = self.current is not None and (
            self.current.reveal().startswith(OF_SANDBOX)
        )

    async def renew(self, refused: Secret | None, lock: anyio.Lock) -> Secret:
        """Ask the source for a token other than *refused*; callers that wait together ask once."""
        async with lock:
            return await self._other_than(refused)

    async def _other_than(self, refused: Secret | None) -> Secret:
        if self.current is refused and self._ask is not None:
            self.current = validated(await _answer_of(self._ask))
        if self.current is None:
            # A client may be made at import, before its environment is complete.
            self.current = validated(Secret(os.environ.get("RMZ_API_TOKEN", "")))
        return self.current


async def _answer_of(ask: Callable[[], str | Awaitable[str]]) -> Secret:
    answer = ask()
    return Secret(await answer if inspect.isawaitable(answer) else answer)
