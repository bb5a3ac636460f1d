"""Bytes that follow an answer: they belong to no request, and must not answer the next request."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

# How the layers of an answer's stream, in httpx and in httpcore, call the layer below them.
_LAYERS = ("_stream", "_httpcore_stream", "_connection")


def connection_with_more(response: httpx.Response) -> Any:
    """Return the connection of *response*, whose body was read, if more has arrived over it.

    A second answer in the same segment, as a broken proxy sends, would be taken for the answer to
    the next request over this connection.

    Returns:
        A connection of httpcore, to be closed once the answer is closed; or None.
    """
    connection = _http11_of(response.stream)
    network: Any = response.extensions.get("network_stream")
    if connection is None or network is None:
        # Not of httpcore, or HTTP/2, in which each answer names its request.
        return None
    has_more = connection._h11_state.trailing_data[0] or _holds_more(
        network.get_extra_info("ssl_object")
    )
    return connection if has_more else None


def _http11_of(layer: Any) -> Any:
    """Return the connection below a stream, which has a parser, if it speaks HTTP/1.1."""
    while layer is not None and not hasattr(layer, "_h11_state"):
        layer = next((getattr(layer, name) for name in _LAYERS if hasattr(layer, name)), None)
    return layer


def _holds_more(tls: ssl.SSLObject | None) -> bool:
    if tls is None:
        return False
    try:
        # The byte is lost, and so is the connection.
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        # The end of the connection.
        return True
    return True
