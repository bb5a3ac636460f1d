"""What errors of the HTTP library, made by hand, say about a request."""

from __future__ import annotations

import ssl

import httpx
import pytest

from rmz_async._http.failures import answer_in, reason_of


@pytest.mark.parametrize("link", ["__cause__", "__context__"])
def test_a_certificate_behind_an_error_is_found_however_deep(link: str) -> None:
    """And nothing else is taken for it."""
    outer, inner = httpx.ConnectError("outer"), OSError("inner")
    setattr(outer, link, inner)
    assert reason_of(outer) == "outer"
    setattr(inner, link, ssl.SSLError())
    assert reason_of(outer) == "outer"
    setattr(inner, link, ssl.SSLCertVerificationError())
    assert reason_of(outer).startswith("the certificate is not trusted; if ")


def test_errors_in_a_circle_hold_nobody_up() -> None:
    """As an error that is raised twice may be its own context."""
    one, two = OSError("one"), OSError("two")
    one.__context__, two.__context__ = two, one
    assert reason_of(one) == "OSError"
    assert answer_in(one, httpx.Request("GET", "https://host.example")) is None
