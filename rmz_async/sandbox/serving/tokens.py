"""The API token of a sandbox, which can be told from a real store's."""

from __future__ import annotations

import re
import secrets

from rmz_async.sandbox.live_tokens import may_be_live

__all__ = ("checked_token", "new_token")

_OWN_PREFIX = "1|sandbox"


def new_token() -> str:
    """Return a random token of the form and length that RMZ's have."""
    return f"{_OWN_PREFIX}{secrets.token_hex(20)}"[:42]


def checked_token(token: str) -> str:
    """Return *token* if a sandbox may have it.

    Raises:
        ValueError: The token may belong to a real store, or no request can carry it. The message
            does not show the token.
    """
    if re.fullmatch(r"[!-~]+", token) is None:
        raise ValueError("a token is visible ASCII characters without blanks, and not empty")
    if may_be_live(token):
        raise ValueError(
            "this token may belong to a real store, and was not kept: give the sandbox one that a "
            "sandbox has printed, or a short one such as 1|local"
        )
    return token
