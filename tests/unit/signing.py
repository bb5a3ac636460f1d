"""A delivery with a signature like RMZ's, and whether it is accepted."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest

from rmz_async import SignatureError
from rmz_async.webhooks import Event, verify

SECRET = "S3CRETcanary-of-28-letters.."
OTHERS = ["another-secret-of-a-webhook!", "and-a-third-one-of-16+", "x" * 16, "سر" * 8]
BODY = json.dumps({"event": "order.created", "data": {"id": 78901}}).encode()


def sign(body: bytes = BODY, secret: str = SECRET) -> str:
    """Make the signature that RMZ would."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def accepted(*delivery: Any, **options: Any) -> None:
    """See that a delivery is taken, and that it is an event."""
    assert isinstance(verify(*delivery, **options), Event)


def refused(headers: Any, body: bytes = BODY, **options: Any) -> str:
    """Return the reason for which a delivery is refused."""
    arguments: dict[str, Any] = {"secrets": [SECRET], **options}
    with pytest.raises(SignatureError) as caught:
        verify(body, headers, **arguments)
    assert "S3CRET" not in str(caught.value)
    return str(caught.value)
