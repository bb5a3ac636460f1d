"""Make sure that RMZ sent a delivery, and only then read it."""

from __future__ import annotations

import hmac
from typing import cast

from rmz_async.webhooks._headers import Headers
from rmz_async.webhooks._reading import event_of
from rmz_async.webhooks._secrets import Keys, Secrets
from rmz_async.webhooks._verifying import origin_of
from rmz_async.webhooks.events import AnyEvent

__all__ = ("sign", "verify")


def verify(
    body: bytes,
    headers: Headers | None,
    *,
    secrets: Secrets,
    allow_unsigned: bool = False,
) -> AnyEvent:
    """Return the event of a delivery that RMZ has signed.

    A signature has no time in it, so anyone who has seen a delivery can send it again. Handle each
    ``dedupe_key`` once, and read the subscription itself before granting anything.

    Args:
        body: The raw body of the request; at most 1 MiB. Parsing and writing it again breaks the
            signature.
        headers: All headers of the request, so that a doubled one is noticed: a mapping of strings
            or of lists (``multiValueHeaders``), pairs of strings or bytes, or a WSGI environ.
        secrets: 1 to 32 secrets of at least 16 characters, one for each webhook that may deliver
            here, or a callable that returns them. RMZ signs every retry with the current secret. If
            you regenerate a secret, keep the old one only while you redeploy, because anyone who
            knows it can sign events until you remove it.
        allow_unsigned: Accept a delivery without a signature, which anyone can send.

    Returns:
        The event, as one of the 13 event classes, or as an `UnknownEvent` if this version does not
        know it or cannot read its content. Unknown keys are kept.

    Raises:
        SignatureError: The signature is missing, doubled, malformed or does not match. Answer 401.
        PayloadError: RMZ signed the body, but the body names no event. Answer with success and
            alert somebody, because a retry has the same body.
        ConfigurationError: A secret is missing, too short, or has blanks or quotes around it, or
            the headers are neither a mapping nor pairs.

    Source: https://docs.rmz.gg/webhooks/signature-verification
    """
    keys = Keys(secrets)
    del secrets
    origin = origin_of(body, headers, keys.check(), allow_unsigned=allow_unsigned)
    return event_of(body, *origin)


def sign(body: bytes, secret: str) -> str:
    """Return the ``Signature`` header that RMZ sends with *body*, for tests of your own.

    Args:
        body: The raw body.
        secret: The webhook's secret.

    Returns:
        64 lower-case hexadecimal digits.

    Raises:
        TypeError: The body is not bytes.
    """
    if not isinstance(cast("object", body), bytes):
        raise TypeError(f"body: must be bytes, and is of type {type(body).__name__}")
    return hmac.digest(secret.encode(), body, "sha256").hex()
