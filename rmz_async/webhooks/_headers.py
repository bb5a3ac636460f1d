"""The two headers of a delivery, in whatever form a framework has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from rmz_async.errors import ConfigurationError, SignatureError

Headers = (
    Mapping[str, str]
    | Mapping[str, Any]
    | Mapping[str, list[str]]
    | Iterable[tuple[str | bytes, str | bytes]]
)
"""A framework's headers, pairs as ASGI has them, or a WSGI environ; names in any case."""

# ASGI has names as bytes, and WSGI writes them with underscores.
_NAMES: Mapping[object, str] = {
    "signature": "signature",
    b"signature": "signature",
    "http_signature": "signature",
    "x-rmz-request-id": "x-rmz-request-id",
    b"x-rmz-request-id": "x-rmz-request-id",
    "http_x_rmz_request_id": "x-rmz-request-id",
}


def signature_and_request_id(headers: Headers | None) -> tuple[str | None, str | None]:
    """Return the signature and the delivery's number; None for each that is missing.

    Raises:
        SignatureError: A header occurs more than once, or is not a string.
        ConfigurationError: The headers have another form.
    """
    # API Gateway has null if there are no headers.
    if headers is None:
        return None, None
    # A class of headers need not be a Mapping: that of the standard library is none.
    items: Any = getattr(headers, "items", None)
    try:
        found = _found(items() if items else headers)
    except (TypeError, ValueError):
        raise ConfigurationError(
            "headers: must be a mapping or pairs; pass all headers of the request, not the "
            "signature alone"
        ) from None
    return found.get("signature"), found.get("x-rmz-request-id")


def _found(pairs: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    # The loop reads each header, because a look-up by name would miss a header that comes twice.
    for given, value in pairs:
        name = _NAMES.get(given.lower()) if isinstance(given, (str, bytes)) else None
        if name is None:
            continue
        # API Gateway has a list of values for each name.
        several = cast("list[object]", value) if isinstance(value, (list, tuple)) else [value]
        for single in several:
            if name in found:
                raise SignatureError(f"the {name} header occurs more than once")
            if isinstance(single, bytes):
                found[name] = single.decode("latin-1")
            elif isinstance(single, str):
                found[name] = single
            else:
                raise SignatureError(f"the {name} header must be a string")
    return found
