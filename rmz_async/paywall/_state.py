"""Signed state in the address to which a customer comes back from the checkout."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError

PARAMETER = "rmz-state"

# The session lives 7 minutes; a bank's own page may hold the customer up for longer.
LIFETIME = 3600

SHORTEST_SECRET = 16


class State:
    """Signs who has started a checkout.

    Args:
        secrets: The secret, or several: the first one signs, and all are accepted.
    """

    def __init__(self, secrets: str | Sequence[str]) -> None:
        keys: list[object] = [secrets] if isinstance(secrets, str) else list(secrets)
        del secrets
        if not keys or not all(isinstance(k, str) and len(k) >= SHORTEST_SECRET for k in keys):
            del keys
            raise ConfigurationError(
                f"state_secret: must be one or more strings of {SHORTEST_SECRET} or more characters"
            )
        with extra("paywall", needed_by="state_secret"):
            from itsdangerous import URLSafeTimedSerializer
        # The library signs with the last key.
        self._serializer = URLSafeTimedSerializer(
            [str(key) for key in keys[::-1]], salt="rmz.paywall.state"
        )

    def added_to(self, url: str, user: str) -> str:
        """Return *url* with the state of *user* in its query; all else stays as it is."""
        parts = urlsplit(url)
        state = urlencode({PARAMETER: self._serializer.dumps(_digest(user))})
        query = f"{parts.query}&{state}" if parts.query else state
        return urlunsplit(parts._replace(query=query))

    def check(
        self, value: str | None, user: str
    ) -> Literal["ok", "link_expired", "link_altered", "someone_elses"]:
        """Return what *value* says of *user*."""
        with extra("paywall", needed_by="state_secret"):
            from itsdangerous import BadData, SignatureExpired

        try:
            signed = self._serializer.loads(value or "", max_age=LIFETIME)
        except SignatureExpired:
            return "link_expired"
        except BadData:
            return "link_altered"
        return "ok" if hmac.compare_digest(str(signed), _digest(user)) else "someone_elses"


def _digest(user: str) -> str:
    # The address passes through RMZ, and stays in the browser's history.
    return hashlib.sha256(user.encode()).hexdigest()[:32]
