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
    """The secrets of one moment, held so that no traceback shows them.

    A traceback may show the variables of frames. Nothing is checked before `check`, so that a
    caller can delete its own variable before an error can be raised.

    Args:
        secrets: All of them, or a callable that returns them.

    Attributes:
        given: The secrets as they were given; a list of them after `check`.
    """

    __slots__ = ("_keys", "given")

    def __init__(self, secrets: Secrets) -> None:
        self.given: Secrets = secrets

    def __repr__(self) -> str:
        return "<secrets>"

    def check(self) -> Keys:
        """Read the secrets, check them, and return these keys.

        Raises:
            ConfigurationError: The secrets would not protect anything.
        """
        # No variable of this frame holds the secrets.
        if callable(self.given):
            self.given = self.given()
        if not _is_list(self.given):
            if inspect.iscoroutine(cast("object", self.given)):
                cast("Coroutine[object, object, object]", self.given).close()
                raise ConfigurationError(
                    "secrets: the callable must be a plain function, not async"
                )
            raise ConfigurationError(
                f"secrets: must be a list of 1 to {MAX_SECRETS} secrets, or a callable that "
                "returns one; put a single secret into a list, too"
            )
        # A copy, so that `CurrentKeys` compares what was checked, whatever another thread changes.
        # By their number, because not every class of sequences ends what it is iterated over.
        self.given = [self.given[place] for place in range(len(self.given))]
        self._keys: list[bytes] = []
        for place in range(len(self.given)):
            fault = fault_of(self.given[place])
            if fault:
                raise ConfigurationError(f"secrets[{place}]: {fault}")
            self._keys.append(self.given[place].encode())
        return self

    def index_of(self, signature: str, body: bytes) -> int | None:
        """Return which of them made *signature* for *body*; None if none did."""
        # compare_digest refuses other strings, and no signature has other characters.
        if not signature.isascii():
            return None
        claimed = signature.lower()
        found = None
        # The loop goes on after a match, so that the time taken does not show which secret fits.
        for index, key in enumerate(self._keys):
            fits = hmac.compare_digest(hmac.digest(key, body, "sha256").hex(), claimed)
            if fits and found is None:
                found = index
        return found


class CurrentKeys:
    """The secrets of a receiver, which may change between two deliveries."""

    __slots__ = ("_checked", "_given")

    def __init__(self, secrets: Secrets) -> None:
        self._given = secrets
        self._checked: Keys | None = None

    def __repr__(self) -> str:
        return "<secrets>"

    def checked(self) -> Keys:
        """Return the keys of this moment, for one delivery.

        Raises:
            ConfigurationError: The secrets would not protect anything.
        """
        checked = self._checked
        # A list may have changed, which is seen in a fraction of the time that its check takes.
        if (
            checked is None
            or callable(self._given)
            or checked.given != [self._given[place] for place in range(len(self._given))]
        ):
            self._checked = checked = Keys(self._given).check()
        return checked


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
