"""Deliveries that somebody has touched, as many as are asked for.

As a program it takes their number, and a seed.
"""

from __future__ import annotations

import hmac
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from rmz_async import PayloadError, SignatureError
from rmz_async.webhooks import verify

SECRET = "a-secret-of-28-characters..."
OLD_SECRET = "another-secret-of-30-characters"
BODIES = [
    json.dumps(
        {
            "event": event,
            "event_id": f"ev_{number}",
            "data": {"subscription": {"id": 500 + number, "status": "active", "metadata": []}},
        }
    ).encode()
    for number, event in enumerate(
        ["subscription.created", "subscription.renewed", "subscription.canceled", "a.new.event"]
    )
]


def sign(body: bytes, secret: str = SECRET) -> str:
    """Make the signature that RMZ would."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def touched(draw: random.Random, whole: bytes) -> bytes:
    """Return other bytes than *whole*."""
    found = bytearray(whole)
    while bytes(found) == whole:
        for _ in range(draw.choice((1, 1, 1, 2, 8))):
            place = draw.randrange(len(found) + 1)
            match draw.randrange(5):
                case 0:
                    found[place : place + 1] = bytes([draw.randrange(256)])
                case 1:
                    found[place:place] = draw.randbytes(draw.randrange(1, 9))
                case 2:
                    del found[place : place + draw.randrange(1, 9)]
                case 3:
                    found[place : place + 1] = bytes(
                        byte ^ 1 << draw.randrange(8) for byte in found[place : place + 1]
                    )
                case _:
                    found[place:place] = found[: draw.randrange(64)]
    return bytes(found)


def body_touched(draw: random.Random, body: bytes) -> tuple[bytes, Any]:
    """Another body under the signature of the genuine one."""
    return touched(draw, body), {"Signature": sign(body)}


def signature_touched(draw: random.Random, body: bytes) -> tuple[bytes, Any]:
    """Another signature over the genuine body."""
    genuine = sign(body)
    while True:
        found = touched(draw, genuine.encode())
        # The same number in capitals is the same signature.
        if found.lower() != genuine.encode():
            value = found if draw.random() < 0.5 else found.decode("latin-1")
            return body, [(draw.choice((b"signature", "Signature")), value)]


def signed_by_another(draw: random.Random, body: bytes) -> tuple[bytes, Any]:
    """A signature with a secret that is nearly right."""
    secret = SECRET.encode()
    # HMAC fills keys up with zeros: one that ends in more of them is the same key.
    while secret.rstrip(b"\0") == SECRET.encode():
        secret = touched(draw, SECRET.encode())
    return body, {"signature": hmac.digest(secret, body, "sha256").hex()}


def headers_touched(draw: random.Random, body: bytes) -> tuple[bytes, Any]:
    """The genuine signature in forms that do not count: doubled, renamed, prefixed, shortened."""
    genuine = sign(body)
    name = touched(draw, b"Signature").decode("latin-1")
    if name.lower() == "signature":
        name = "X-Signature"
    return body, draw.choice(
        [
            [("Signature", genuine), ("signature", genuine)],
            [("Signature", genuine), ("SIGNATURE", "")],
            [("Signature", ""), ("Signature", genuine)],
            {name: genuine},
            {"Signature": f"sha256={genuine}"},
            {"Signature": genuine + draw.choice(" \n\r\t\0,;é0")},
            {"Signature": f"{genuine},{genuine}"},
            {"Signature": genuine[: draw.randrange(64)]},
            {"Signature": genuine[::-1] + "0"},
            {},
        ]
    )


FORGERIES: list[Callable[[random.Random, bytes], tuple[bytes, Any]]] = [
    body_touched,
    signature_touched,
    signed_by_another,
    headers_touched,
]


def outcome(body: bytes, headers: Any) -> str:
    """Return what came of one delivery: what is raised is named, whatever it is."""
    try:
        verify(body, headers, secrets=[SECRET, OLD_SECRET])
    except SignatureError:
        return "refused"
    except PayloadError:
        return "not an event"
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"uncaught {type(error).__name__}"
    return "accepted"


def fuzz(number: int, seed: int) -> Counter[str]:
    """Deliver *number* forgeries, and a tenth as many nonsensical but signed bodies.

    Returns:
        How often each outcome came, as ``"forged: refused"``.
    """
    draw = random.Random(seed)  # noqa: S311 - the same deliveries for the same seed
    found: Counter[str] = Counter()
    for turn in range(number):
        forge = FORGERIES[turn % len(FORGERIES)]
        found[f"forged: {outcome(*forge(draw, draw.choice(BODIES)))}"] += 1
        if turn % 10 == 0:
            body = touched(draw, draw.choice(BODIES))
            signed = sign(body, draw.choice((SECRET, OLD_SECRET)))
            found[f"signed: {outcome(body, {'Signature': signed})}"] += 1
    return found


def main(number: int, seed: int) -> None:
    """Print the outcomes, and how long it took."""
    began = time.monotonic()
    for name, times in sorted(fuzz(number, seed).items()):
        sys.stdout.write(f"{name}: {times}\n")
    sys.stdout.write(f"{time.monotonic() - began:.1f} s\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
