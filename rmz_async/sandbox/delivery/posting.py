"""Post one body to one webhook."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import attrs
import httpx

from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.tokens import without_live_tokens

__all__ = ("Receipt", "post")

# No proxy sits between this machine and itself, and a local certificate is mostly self-signed.
_ANY_CERTIFICATE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_ANY_CERTIFICATE.check_hostname = False
_ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE
# In bytes.
_LONGEST_READ = 64 * 1024
_KEPT_BYTES = 4096


@attrs.frozen
class Receipt:
    """The receiver's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def post(
    webhook: Webhook, body: bytes, headers: Mapping[str, str], seconds: float
) -> Receipt:
    """Post *body*, and return the answer. No redirect is followed: it might lead outside.

    The caller bounds the time as a whole; *seconds* is that of each step.
    """
    transport = (
        httpx.AsyncHTTPTransport(verify=_ANY_CERTIFICATE, trust_env=False)
        if webhook.app is None
        else httpx.ASGITransport(webhook.app, raise_app_exceptions=False)
    )
    request = httpx.Request(
        "POST",
        webhook.url,
        content=body,
        headers=dict(headers),
        extensions={"timeout": httpx.Timeout(seconds).as_dict()},
    )
    async with transport:
        # An AsyncClient would cost more than all the rest of a delivery in process.
        response = await transport.handle_async_request(request)
        try:
            # A receiver that echoes its settings may send the token of its store.
            headers = {
                name: without_live_tokens(value.encode()).decode()
                for name, value in response.headers.items()
            }
            body = without_live_tokens(await _start_of(response))
            return Receipt(response.status_code, headers, body)
        finally:
            await response.aclose()


async def _start_of(response: httpx.Response) -> bytes:
    """Return the first 4 KiB of a short body, and nothing of one that may be endless."""
    length = response.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _LONGEST_READ:
        return b""
    # To the end: a stream that is left half way cannot be closed cleanly on trio.
    return b"".join([chunk async for chunk in response.aiter_raw()])[:_KEPT_BYTES]
