"""Make sure that RMZ sent a delivery, and only then read it."""

from __future__ import annotations

import hmac
from typing import cast

from rmz_async.errors import SignatureError
from rmz_async.webhooks._headers import Headers, signature_and_request_id
from rmz_async.webhooks._reading import DISCORD, event_of
from rmz_async.webhooks._secrets import Keys, Secrets
from rmz_async.webhooks.events import AnyEvent

__all__ = ("sign", "verify")

MAX_BODY = 1024 * 1024


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
            you regenerate a secret, keep the old one only while you redeploy, because whoever knows
            it can sign events until you remove it.
        allow_unsigned: Accept a delivery without a signature, which anyone can send.

    Returns:
        The event, as one of the 13 event classes, or as an `UnknownEvent` if this version does not
        know it or cannot read its content. Unknown keys are kept.

    Raises:
        SignatureError: The signature is missing, doubled, malformed or does not match. Answer 401.
        PayloadError: RMZ signed the body, but the body names no event. Answer with success and
            alert somebody, because a retry has the same body.
        ConfigurationError: A secret is missing, too short, or has blanks or quotes around it.

    Source: https://docs.rmz.gg/webhooks/signature-verification
    """
    keys = Keys(secrets)
    del secrets
    keys.check()
    if not isinstance(cast("object", body), bytes):
        raise TypeError("body: must be the raw bytes of the request")
    if len(body) > MAX_BODY:
        raise SignatureError(f"the body has more than {MAX_BODY} bytes, and was not looked at")
    signature, request_id = signature_and_request_id(headers)
    secret_index = None
    if signature is not None:
        secret_index = keys.index_of(signature, body)
        if secret_index is None:
            raise SignatureError(
                "the signature does not match: pass the raw request body, and this webhook's own "
                "secret; webhooks.diagnose() finds the usual mistakes"
            )
    elif not allow_unsigned:
        raise SignatureError(
            f"there is no Signature header, and {DISCORD}"
            if b'"embeds"' in body
            else "there is no Signature header: switch signing on for this webhook in the dashboard"
        )
    return event_of(body, request_id, secret_index)


def sign(body: bytes, secret: str) -> str:
    """Return the ``Signature`` header that RMZ sends with *body*, for tests of your own.

    Args:
        body: The raw body.
        secret: The webhook's secret.

    Returns:
        64 lower-case hexadecimal digits.
    """
    return hmac.digest(secret.encode(), body, "sha256").hex()
