"""Keys that every database stores as they are, and does not confuse."""

from __future__ import annotations

import hashlib

LONGEST = 500
"""Characters of a key; an index of PostgreSQL takes at most 2,704 bytes."""


def storable(key: str) -> str:
    """Return *key*, or a digest in place of a key that a database would refuse.

    To replace the characters would make two events of different keys one, and lose the second.
    """
    if len(key) <= LONGEST and "\0" not in key and (key.isascii() or not _has_halves(key)):
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _has_halves(key: str) -> bool:
    """Return whether *key* has lone surrogates, which JSON can write."""
    return any("\ud800" <= letter <= "\udfff" for letter in key)
