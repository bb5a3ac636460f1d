"""Keys that every database stores as they are, and does not confuse."""

from __future__ import annotations

import hashlib
import re

LONGEST = 500
"""Characters of a key; an index of PostgreSQL takes at most 2,704 bytes."""

# Zero bytes, and halves of characters.
_REFUSED = re.compile("[\0\ud800-\udfff]")


def storable(key: str) -> str:
    """Return *key*, or a digest in place of a key that a database would refuse.

    To replace the characters would make two events of different keys one, and lose the second.
    """
    # Nearly every key is ASCII, and that test takes a tenth of the time of the search.
    is_plain = key.isascii() and "\0" not in key
    if len(key) <= LONGEST and (is_plain or _REFUSED.search(key) is None):
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
