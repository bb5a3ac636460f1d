"""Deliveries that somebody has touched are never accepted, and genuine ones always are."""

from __future__ import annotations

import hmac
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rmz_async import SignatureError, WebhookError
from rmz_async.webhooks import EventType, diagnose, sample, verify

SECRET = "a-secret-of-28-characters..."
# No blanks and quotes, which must not stand around a secret.
SECRETS = st.text(
    st.characters(exclude_categories=["C", "Z", "Pi", "Pf"], exclude_characters="\"'`"),
    min_size=16,
    max_size=40,
)
BODY = json.dumps(
    {
        "event": "subscription.renewed",
        "event_id": "a7b8",
        "data": {"subscription": {"id": 501, "status": "active", "metadata": []}},
    }
).encode()


def sign(body: bytes, secret: str = SECRET) -> str:
    """Make the signature that RMZ would."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


@given(st.lists(SECRETS, min_size=1, max_size=32, unique=True), st.data())
def test_a_genuine_delivery_is_accepted(secrets: list[str], data: st.DataObject) -> None:
    """With any of the secrets, in any case and form of the headers."""
    signature = sign(BODY, data.draw(st.sampled_from(secrets)))
    if data.draw(st.booleans()):
        signature = signature.upper()
    name = data.draw(st.sampled_from(["Signature", "signature", "SIGNATURE"]))
    headers: list[Any] = [{name: signature}, [(name.encode(), signature.encode())]]

    event = verify(BODY, data.draw(st.sampled_from(headers)), secrets=secrets)

    assert event.event_id == "a7b8"


@given(st.data())
def test_a_changed_body_is_refused(data: st.DataObject) -> None:
    """A byte more, less or other is enough."""
    body = bytearray(BODY)
    place = data.draw(st.integers(0, len(body) - 1))
    match data.draw(st.sampled_from(["change", "insert", "delete"])):
        case "change":
            body[place] ^= data.draw(st.integers(1, 255))
        case "insert":
            body.insert(place, data.draw(st.integers(0, 255)))
        case _:
            del body[place]
    if bytes(body) == BODY:
        return

    try:
        verify(bytes(body), {"Signature": sign(BODY)}, secrets=[SECRET])
    except SignatureError:
        return
    raise AssertionError("accepted")


NAMES = st.sampled_from(["signature", "Signature", "x-rmz-request-id", "x"])
VALUES = (
    st.text()
    | st.binary()
    | st.text(alphabet="0123456789abcdefABCDEF", min_size=62, max_size=66)
    | st.just(sign(BODY)[:-1])
    | st.just("sha256=" + sign(BODY))
)


@given(st.lists(st.tuples(NAMES | st.text() | st.binary(), VALUES), max_size=4))
def test_forged_headers_are_refused(headers: list[Any]) -> None:
    """That holds for any headers made without the secret."""
    try:
        verify(BODY, headers, secrets=[SECRET])
    except SignatureError:
        return
    raise AssertionError("accepted")


@given(SECRETS)
def test_another_secret_is_refused(secret: str) -> None:
    """Only the secret itself makes the signature."""
    try:
        verify(BODY, {"Signature": sign(BODY, secret)}, secrets=[SECRET])
    except SignatureError:
        assert secret != SECRET
    else:
        assert secret == SECRET


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["event", "event_id", "data", "subscription", "id", "status"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.binary() | JSON_VALUES.map(lambda value: json.dumps(value).encode()))
def test_signed_nonsense_raises_only_webhook_errors(body: bytes) -> None:
    """A body that is signed is an event or a WebhookError, and nothing else."""
    try:
        verify(body, {"Signature": sign(body)}, secrets=[SECRET])
    except WebhookError:
        return


KINDS = st.sampled_from(EventType)


@given(KINDS, st.data())
def test_no_mutation_of_a_delivery_is_accepted(kind: EventType, data: st.DataObject) -> None:
    """Bytes, signature and headers are changed together; only SignatureError may be raised."""
    body = bytearray(sample(kind))
    signature = sign(bytes(body))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    written = data.draw(st.sampled_from([signature, signature.upper(), f" {signature}", ""]))
    headers: Any = data.draw(
        st.sampled_from(
            [
                {"Signature": written},
                {"signature": [written]},
                {"HTTP_SIGNATURE": written, "wsgi.input": None},
                [(b"signature", written.encode()), (b"x-rmz-request-id", b"\xff")],
            ]
        )
    )
    if bytes(body) == sample(kind):
        return

    with pytest.raises(SignatureError):
        verify(bytes(body), headers, secrets=[SECRET])
    assert all(SECRET not in finding for finding in diagnose(bytes(body), {}, secrets=[SECRET]))


@given(KINDS, st.data())
def test_a_signed_event_with_any_content_is_an_event(kind: EventType, data: st.DataObject) -> None:
    """RMZ warns of signed payloads that break: none of them may raise anything."""
    payload = json.loads(sample(kind))
    inner: Any = payload
    for key in data.draw(st.sampled_from([[], ["data"], ["data", "subscription"]])):
        inner = inner.get(key) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        inner = payload
    changed = data.draw(st.sampled_from(sorted(inner.keys() - {"event"})))
    inner[changed] = data.draw(JSON_VALUES)
    assume("NaN" not in (text := json.dumps(payload)) and "Infinity" not in text)
    body = text.encode()

    event = verify(body, {"Signature": sign(body)}, secrets=[SECRET])

    assert event.event is kind
    assert event.dedupe_key
    assert json.dumps(event.to_dict())
