"""The signature of a delivery: which is accepted, which is refused, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmz_async import PayloadError
from rmz_async.webhooks import sign as sign_body
from rmz_async.webhooks import verify
from tests.unit.signing import BODY, SECRET, accepted, refused, sign


def test_a_genuine_delivery_is_accepted() -> None:
    """A body that RMZ signed is accepted."""
    assert verify(BODY, {"Signature": sign()}, secrets=[SECRET]).data == {"id": 78901}


def test_a_signature_by_openssl_is_accepted() -> None:
    """The algorithm is HMAC-SHA256 of the raw body, in hex: this signature is OpenSSL's."""
    known = "8af06be8e6a6ae8a4f3e065b7664d2704a25ab223ad6fbdabbeb1629256a39bd"

    accepted(b'{"event":"x","data":{}}', {"Signature": known}, secrets=["0123456789abcdef"])


def test_an_upper_case_signature_is_accepted() -> None:
    """Hex may be written in either case."""
    accepted(BODY, {"Signature": sign().upper()}, secrets=[SECRET])


MALFORMED = [
    "",
    " ",
    sign()[:-1],
    sign() + "0",
    "sha256=" + sign(),
    sign() + "\n",
    " " + sign(),
    sign() + " ",
    f"{sign()},{sign()}",
    f"{sign()}, {sign()}",
    "0x" + sign()[2:],
    sign()[:-1] + "g",
    sign()[:-1] + "é",
    sign()[:-1] + "\u0661",
    sign()[:-1] + "\uff11",
    "é" * 64,
    "0" * 64,
    "f" * 64,
    sign(BODY + b" "),
    sign(secret=SECRET + "x"),
    sign(secret=""),
]


@pytest.mark.parametrize("signature", MALFORMED)
@pytest.mark.parametrize("allow_unsigned", [False, True])
def test_wrong_signatures_are_refused(signature: str, allow_unsigned: bool) -> None:
    """A signature that does not fit is refused, even if none at all would be accepted."""
    assert refused({"Signature": signature}, allow_unsigned=allow_unsigned).startswith(
        "the signature does not match"
    )


def test_a_signature_of_bytes_beyond_ascii_is_refused() -> None:
    """Bytes that no string encodes are refused like any other signature."""
    assert refused([(b"signature", b"\xff\xfe" * 32)]).startswith("the signature does not match")


@pytest.mark.parametrize("place", range(0, len(BODY), 7))
def test_a_changed_body_is_refused(place: int) -> None:
    """A changed byte anywhere breaks the signature."""
    changed = bytearray(BODY)
    changed[place] ^= 1

    assert refused({"Signature": sign()}, bytes(changed)).startswith("the signature does not match")


def test_a_rewritten_body_is_refused() -> None:
    """The same JSON in other bytes is another body, and the message says what to check."""
    rewritten = json.dumps(json.loads(BODY), indent=1).encode()

    assert refused({"Signature": sign()}, rewritten) == (
        "the signature does not match: pass the raw request body, and this webhook's own secret; "
        "webhooks.diagnose() finds the usual mistakes"
    )


@pytest.mark.parametrize("headers", [None, {}, [], {"X-Signature": sign()}, {"Signature ": sign()}])
def test_a_missing_signature_is_refused(headers: Any) -> None:
    """An unsigned delivery is refused, with the switch to look for."""
    assert refused(headers) == (
        "there is no Signature header: switch signing on for this webhook in the dashboard"
    )


def test_allow_unsigned_accepts_an_unsigned_delivery() -> None:
    """A caller that sets the switch accepts deliveries that anybody can send."""
    assert verify(BODY, {}, secrets=[SECRET], allow_unsigned=True).data == {"id": 78901}


@pytest.mark.parametrize("body", [BODY.decode(), bytearray(BODY), memoryview(BODY), {}, None])
def test_only_bytes_are_a_body(body: Any) -> None:
    """A body that was already read as something else has lost the signed bytes."""
    rule = rf"raw bytes of the request, .* is of type {type(body).__name__}$"
    with pytest.raises(TypeError, match=rule):
        verify(body, {"Signature": sign()}, secrets=[SECRET])


def test_the_largest_body_is_accepted() -> None:
    """1 MiB is taken."""
    body = BODY.ljust(1024 * 1024)

    accepted(body, {"Signature": sign(body)}, secrets=[SECRET])


@pytest.mark.parametrize("allow_unsigned", [False, True])
def test_a_larger_body_is_refused(allow_unsigned: bool) -> None:
    """A body of a byte more is refused before anything is computed, signed or not."""
    body = BODY.ljust(1024 * 1024 + 1)

    assert refused({"Signature": sign(body)}, body, allow_unsigned=allow_unsigned) == (
        "the body has more than 1048576 bytes, and was not looked at"
    )


def test_the_signature_comes_first() -> None:
    """A body is not even parsed before it is known who sent it."""
    assert refused({"Signature": "0" * 64}, b"not JSON").startswith("the signature does not match")


def test_a_signed_body_without_an_event_is_an_error_of_its_own() -> None:
    """Signed nonsense is another error than an unsigned one."""
    with pytest.raises(
        PayloadError, match=r"^the delivery is not an event: the body must be a JSON object$"
    ):
        verify(b"[]", {"Signature": sign(b"[]")}, secrets=[SECRET])


@pytest.mark.parametrize("headers", [{}, [("x", "y")]])
def test_an_unsigned_delivery_in_discords_format_says_why(headers: Any) -> None:
    """The word discord anywhere in the URL is enough."""
    body = json.dumps({"embeds": [{"title": "Order"}]}).encode()

    assert refused(headers, body) == (
        "there is no Signature header, and this is Discord's format: RMZ sends it to every URL "
        "that contains the word discord, so give the webhook another URL"
    )


def test_a_signature_of_ones_own_is_accepted() -> None:
    """A test signs what RMZ would."""
    assert verify(BODY, {"Signature": sign_body(BODY, SECRET)}, secrets=[SECRET]).order is not None


def test_a_string_is_not_signed() -> None:
    body: Any = "{}"

    with pytest.raises(TypeError, match="body: must be bytes, and is of type str"):
        sign_body(body, SECRET)
