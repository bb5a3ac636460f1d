"""Hostile bodies: each ends in an error of ours, in bounded memory and in time."""

from __future__ import annotations

import hmac
import json
import sys
from pathlib import Path

import pytest

import rmz_async
from tests.security.bombs import (
    FULL,
    GOOD,
    MIB,
    WITH_AN_END,
    WITHOUT_AN_END,
    Bomb,
    crumbs,
    filled,
    whole,
)
from tests.security.conftest import Measured, Probe
from tests.transports import TRANSPORTS
from tests.wire.conftest import Server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")

ALLOWED = 64
"""MiB that a hostile body may cost."""

SECRET = "a-secret-of-28-characters..."


# Within all limits, and yet above what is allowed, or just below it.
def is_ours(name: str) -> bool:
    """Whether *name* is that of an error of this library."""
    kind = getattr(rmz_async, name, None)
    return isinstance(kind, type) and issubclass(kind, rmz_async.RMZError)


def answered(probe: Probe, bomb: Bomb, http: str | None, seconds: float) -> Measured:
    """Have one ordinary answer read, and then *bomb*, and return what the latter did."""
    server = Server([whole(lambda: GOOD), bomb])
    try:
        return probe(url=server.base_url, http=http, seconds=seconds)
    finally:
        server.stop()


@pytest.mark.parametrize("http", TRANSPORTS)
@pytest.mark.parametrize("name", WITH_AN_END)
def test_an_answer_with_an_end(probe: Probe, name: str, http: str | None) -> None:
    """For any answer of a server the call costs little memory, and ends in an error of ours."""
    found = answered(probe, WITH_AN_END[name], http, 20.0)
    assert is_ours(found.ended), found
    assert found.grown < ALLOWED, found


# The probe ends by itself, but long after the call's deadline.
@pytest.mark.parametrize("http", TRANSPORTS)
@pytest.mark.parametrize("name", WITHOUT_AN_END)
def test_an_answer_without_an_end(probe: Probe, name: str, http: str | None) -> None:
    """A call whose answer never ends does end, in an error of ours, and costs little memory."""
    found = answered(probe, WITHOUT_AN_END[name], http, 1.0)
    assert is_ours(found.ended), found
    assert found.grown < ALLOWED, found


def test_the_measurement_tells_small_answers_from_large(probe: Probe) -> None:
    """An ordinary answer costs next to nothing, and a large one what it holds at least."""
    ordinary = answered(probe, whole(lambda: GOOD), None, 20.0)
    note = filled(b'{"data":{"id":501,"status":"active","note":"', b"x", b'"}}')
    large = answered(probe, whole(lambda: note), None, 20.0)
    assert ordinary.ended == large.ended == "Subscription"
    assert ordinary.grown < 4
    assert FULL / MIB < large.grown < ALLOWED


def test_a_body_in_crumbs_costs_no_more_than_it_holds(probe: Probe) -> None:
    """A body that comes in tiny pieces costs no more than what it holds, however many they are."""
    found = answered(probe, crumbs(300_000), None, 60.0)
    assert found.ended == "Subscription"
    assert found.grown < 8


def event(data: bytes) -> bytes:
    """Return a delivery."""
    return b'{"event":"subscription.renewed","event_id":"a7b8","data":' + data + b"}"


DELIVERIES: dict[str, tuple[bytes, bool, str]] = {
    "64 MiB, signed": (b"x" * (64 * MIB), True, "SignatureError"),
    "a byte too many, signed": (b" " * (MIB + 1), True, "SignatureError"),
    "deep, signed": (event(b"[" * (MIB - 100)), True, "PayloadError"),
    "objects in objects, signed": (event(b'{"a":' * 200_000), True, "PayloadError"),
    "duplicate keys, signed": (event(b'{"a":1,"a":2}'), True, "PayloadError"),
    "an integer of 5,000 digits, signed": (event(b"1" * 5_000), True, "Event"),
    "full of a digit, signed": (event(b"1" * (MIB - 100)), True, "Event"),
    "empty lists, signed": (event(b"[" + b"[]," * 340_000 + b"1]"), True, "PayloadError"),
    "keys, signed": (
        event(json.dumps({str(key): 1 for key in range(80_000)}).encode()),
        True,
        "Event",
    ),
    "deep, not signed": (event(b"[" * (MIB - 100)), False, "SignatureError"),
    "empty lists, not signed": (event(b"[" + b"[]," * 340_000 + b"1]"), False, "SignatureError"),
}


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_delivery_is_bounded(probe: Probe, tmp_path: Path, name: str) -> None:
    """However large or deep a delivery is, verifying it costs little memory."""
    body, signed, ended = DELIVERIES[name]
    signature = hmac.digest(SECRET.encode(), body, "sha256").hex() if signed else "0" * 64
    path = tmp_path / "body"
    path.write_bytes(body)
    found = probe(path=str(path), signature=signature, secret=SECRET)
    assert found.ended == ended
    assert found.grown < ALLOWED
