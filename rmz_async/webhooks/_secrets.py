"""The secrets of one address, checked and kept out of sight."""

from __future__ import annotations

import hmac
import inspect
from collections.abc import Callable, Coroutine, Sequence
from typing import TypeAlias, cast

from rmz_async.errors import ConfigurationError

MAX_SECRETS = 32
MIN_SECRET = 16
QUOTES = "\"'`“”‘’«»"

Secrets: TypeAlias = Sequence[str] | Callable[[], Sequence[str]]
"""The secrets of all webhooks that deliver to one address, or a callable that returns them."""


class Keys:
    """The secrets, held so that no traceback shows them, which may show the variables of frames."""

    __slots__ = ("_checked", "_given", "_keys", "_secrets")

    def __init__(self, secrets: Secrets) -> None:
        self._given = secrets
        self._checked: Keys | None = None

    def __repr__(self) -> str:
        return "<secrets>"

    def checked(self) -> Keys:
        """Return a copy that has the secrets of this moment, for one delivery.

        Raises:
            ConfigurationError: The secrets would not protect anything.
        """
        checked = self._checked
        # A list may have changed, which is seen in a fraction of the time that its check takes.
        if (
            checked is None
            or callable(self._given)
            or checked._secrets != [self._given[place] for place in range(len(self._given))]
        ):
            # A copy, because threads that verify at the same time share the original.
            checked = Keys(self._given)
            checked._read()
            self._checked = checked
        return checked

    def _read(self) -> None:
        self._secrets = self._given() if callable(self._given) else self._given
        # No variable of this frame holds the secrets, because a traceback may show variables.
        if not _is_list(self._secrets):
            if inspect.iscoroutine(cast("object", self._secrets)):
                cast("Coroutine[object, object, object]", self._secrets).close()
                raise ConfigurationError(
                    "secrets: the callable must be a plain function, not async"
                )
            raise ConfigurationError(
                f"secrets: must be a list of 1 to {MAX_SECRETS} secrets, or a callable that "
                "returns one; also a single secret stands in a list"
            )
        # A copy, so that `checked` compares what was checked, whatever another thread changes. By
        # their number, because not every class of sequences ends what it is iterated over.
        self._secrets = [self._secrets[place] for place in range(len(self._secrets))]
        self._keys: list[bytes] = []
        for place in range(len(self._secrets)):
            fault = fault_of(self._secrets[place])
            if fault:
                raise ConfigurationError(f"secrets[{place}]: {fault}")
            self._keys.append(self._secrets[place].encode())

    def index_of(self, signature: str, body: bytes) -> int | None:
        """Return which of them made *signature* for *body*; None if none did."""
        # compare_digest refuses other strings, and no signature has other characters.
        if not signature.isascii():
            return None
        claimed = signature.lower()
        found = None
        # All of them are compared, so that the time taken does not show which one fits.
        for index, key in enumerate(self._keys):
            fits = hmac.compare_digest(hmac.digest(key, body, "sha256").hex(), claimed)
            if fits and found is None:
                found = index
        return found


def _is_list(secrets: object) -> bool:
    # A single string is a sequence too, of one-letter secrets that anyone could guess.
    # The test for the usual types comes first, as it is much faster.
    return (
        isinstance(secrets, (list, tuple, Sequence))
        and not isinstance(secrets, (str, bytes, bytearray))
        and 1 <= len(cast("Sequence[object]", secrets)) <= MAX_SECRETS
    )


def fault_of(secret: object) -> str | None:
    """Return the rule that a secret breaks; None if it breaks none."""
    if secret is None:
        return "is None: the environment variable that should hold the secret is not set"
    if not isinstance(secret, str) or len(secret) < MIN_SECRET:
        return f"must be a string of at least {MIN_SECRET} characters"
    # An environment variable that is not UTF-8; the encoder's error would show the secret.
    if not secret.isascii() and any("\ud800" <= letter <= "\udfff" for letter in secret):
        return "must be a string that UTF-8 can encode"
    ends = secret[0] + secret[-1]
    if not ends.isprintable() or " " in ends:
        return "must not begin or end with a blank or a line break; a file may have added it"
    if secret[0] in QUOTES and secret[-1] in QUOTES:
        return "must not have quotes around it; an .env file may have kept them"
    return None
