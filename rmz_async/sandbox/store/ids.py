"""Ids that are the same in every run, so that a test may name them, or new ones for each run."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence

__all__ = ("Ids", "random_uuid")

# Crockford's alphabet, as in the ULIDs of real checkout links.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Ids:
    """Deals out numbers and keys; each kind counts by itself.

    Attributes:
        secret: The keys of another secret are others.
    """

    def __init__(self) -> None:
        self.secret = ""
        self._dealt: Counter[str] = Counter()

    def skip(self, kinds: Sequence[str], chance: random.Random) -> None:
        """Let the next number of each of *kinds* be one that no other run is likely to deal out."""
        for kind in kinds:
            self._dealt[kind] += chance.randrange(10**8, 10**9)

    def keep(self) -> dict[str, int]:
        """Return how many of each kind were dealt out."""
        return dict(self._dealt)

    def put_back(self, dealt: Mapping[str, int]) -> None:
        """Go on from there."""
        self._dealt = Counter(dealt)

    def number(self, kind: str, *, first: int = 1) -> int:
        """Return *first*, then *first* + 1, and so on."""
        self._dealt[kind] += 1
        return first + self._dealt[kind] - 1

    def key(self, kind: str, *, length: int = 26) -> str:
        """Return a key of *length* characters, at most 32, that looks random."""
        digest = hashlib.sha256(f"{self.secret}/{kind}/{self.number(kind)}".encode()).digest()
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:length])


def random_uuid(chance: random.Random) -> str:
    """Return a UUID that *chance* decides."""
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))
