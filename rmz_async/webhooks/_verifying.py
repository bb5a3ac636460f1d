"""The checks of a delivery, in the order in which they must happen."""

from __future__ import annotations

from typing import cast

from rmz_async.errors import SignatureError
from rmz_async.webhooks._headers import Headers, signature_and_request_id
from rmz_async.webhooks._reading import DISCORD
from rmz_async.webhooks._secrets import Keys

MAX_BODY = 1024 * 1024


def origin_of(
    body: bytes, headers: Headers | None, keys: Keys, *, allow_unsigned: bool
) -> tuple[str | None, int | None]:
    """Make sure that RMZ sent *body*; return the delivery's number, and which secret fitted."""
    if not isinstance(cast("object", body), bytes):
        raise TypeError(
            "body: must be the raw bytes of the request, before anything decodes or parses them, "
            f"and is of type {type(body).__name__}"
        )
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
    return request_id, secret_index
