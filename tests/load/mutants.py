"""Deliveries that somebody has touched, from a seed, and what the receiver makes of them."""

from __future__ import annotations

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import attrs

from rmz_async.webhooks import EventType, sample, sign
from rmz_sync.webhooks import Receiver
from tests.load.deliveries import SECRETS, WRONG

Change = Callable[[Random, bytes], bytes]
Headers = dict[Any, Any] | list[tuple[Any, Any]] | None


def _flip(chance: Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _insert(chance: Random, body: bytes) -> bytes:
    place = chance.randint(0, len(body))
    return body[:place] + chance.randbytes(chance.randint(1, 5)) + body[place:]


def _cut(chance: Random, body: bytes) -> bytes:
    begin = chance.randrange(len(body))
    return body[:begin] + body[begin + chance.randint(1, len(body)) :]


def _blanks(chance: Random, body: bytes) -> bytes:
    blank = chance.choice([b"\n", b" ", b"\r\n", b"\0", b"\xef\xbb\xbf"])
    return body + blank if chance.random() < 0.5 else blank + body


def _again(_: Random, body: bytes) -> bytes:
    return json.dumps(json.loads(body)).encode()


def _charset(chance: Random, body: bytes) -> bytes:
    return body.decode().encode(chance.choice(["utf-16", "utf-8-sig", "utf-32-le"]))


def _value(chance: Random, body: bytes) -> bytes:
    payload = json.loads(body)
    inner = payload
    while chance.random() < 0.7 and (
        deeper := [value for value in inner.values() if isinstance(value, dict) and value]
    ):
        inner = chance.choice(deeper)
    values: list[Any] = [
        None,
        True,
        [],
        {},
        -1,
        10**40,
        1e308,
        "",
        "\ud800",
        "\0",
        "٣",
        "x" * 9000,
        [[[{}]]],
    ]
    inner[chance.choice(sorted(inner))] = chance.choice(values)
    return json.dumps(payload).encode()


def _key_twice(chance: Random, body: bytes) -> bytes:
    return b'{"event":"%s",' % chance.choice([b"order.created", b"x"]) + body[1:]


def _deep(chance: Random, body: bytes) -> bytes:
    depth = chance.choice([50, 5_000])
    return body[:-1] + b',"deep":' + b"[" * depth + b"]" * depth + b"}"


CHANGES: dict[str, Change] = {
    "flipped bits": _flip,
    "inserted bytes": _insert,
    "cut bytes": _cut,
    "blanks": _blanks,
    "written again": _again,
    "another charset": _charset,
    "another value": _value,
    "a key twice": _key_twice,
    "deep": _deep,
}


@attrs.define
class Tally:
    """The figures of some mutants.

    Attributes:
        forged: How many deliveries RMZ had not signed as they came.
        signed: How many were changed, and signed afterwards.
        accepted: How many of the forged ones were not refused.
        lost: How many of the signed ones were not stored.
        raised: The exceptions that left the receiver.
        kinds: How many mutants there were of each kind.
        wrong: The string by which a wrong one is found again.
    """

    forged: int = 0
    signed: int = 0
    accepted: int = 0
    lost: int = 0
    raised: Counter[str] = attrs.field(factory=Counter[str])
    kinds: Counter[str] = attrs.field(factory=Counter[str])
    wrong: list[str] = attrs.field(factory=list[str])

    def figures(self) -> dict[str, Any]:
        """Return the figures as they are printed."""
        return {
            "forged": self.forged,
            "accepted": self.accepted,
            "signed": self.signed,
            "lost": self.lost,
            "exceptions": self.raised.total(),
            "raised": dict(self.raised),
            "kinds": dict(sorted(self.kinds.items())),
            "wrong": self.wrong,
        }


def play(seed: int, count: int, signed: int) -> Tally:
    """Deliver *count* forged mutants, and *signed* that carry a right signature."""
    tally = Tally()
    with _receiver() as receiver:
        for number in range(count + signed):
            chance = Random(f"{seed} {number}")
            genuine = sample(chance.choice(list(EventType)), event_id=f"event-{number}")
            kind = chance.choice(list(CHANGES))
            body = CHANGES[kind](chance, genuine)
            is_forged = number < count
            if is_forged:
                kind, body, headers = _forged(chance, kind, genuine, body)
            else:
                headers = {"Signature": sign(body, chance.choice(SECRETS))}
            tally.kinds[kind] += 1
            _deliver(receiver, tally, body, headers, is_forged=is_forged, name=f"{seed}/{number}")
    return tally


def _deliver(
    receiver: Receiver, tally: Tally, body: bytes, headers: Headers, *, is_forged: bool, name: str
) -> None:
    tally.forged += is_forged
    tally.signed += not is_forged
    try:
        status = receiver.receive(body, headers).status
    except Exception as error:  # noqa: BLE001 - any exception is a finding
        tally.raised[type(error).__name__] += 1
        tally.wrong.append(name)
        return
    if status != (401 if is_forged else 200):
        tally.accepted += is_forged
        tally.lost += not is_forged
        tally.wrong.append(name)


def _forged(chance: Random, kind: str, genuine: bytes, body: bytes) -> tuple[str, bytes, Headers]:
    """Return a kind, a body and headers, of which at least one thing is wrong."""
    right = sign(genuine, chance.choice(SECRETS))
    if body != genuine and chance.random() < 0.5:
        return kind, body, {"Signature": chance.choice([right, right.upper()])}
    name = chance.choice(list(SIGNATURES))
    return name, genuine, SIGNATURES[name](chance, genuine, right)


def _other_digit(chance: Random, _: bytes, right: str) -> Headers:
    place = chance.randrange(len(right))
    digit = chance.choice([one for one in "0123456789abcdefgé٣ \n" if one != right[place]])
    return {"Signature": right[:place] + digit + right[place + 1 :]}


SIGNATURES: dict[str, Callable[[Random, bytes, str], Headers]] = {
    "no headers": lambda *_: None,
    "no signature": lambda *_: {"X-RMZ-REQUEST-ID": "7"},
    "an empty signature": lambda *_: {"Signature": ""},
    "another secret": lambda _, body, __: {"Signature": sign(body, WRONG)},
    "another digit": _other_digit,
    "a short signature": lambda chance, _, right: {"Signature": right[: chance.randrange(64)]},
    "a long signature": lambda chance, _, right: {"Signature": right + chance.choice("0f\0")},
    "a prefix": lambda _, __, right: {"Signature": f"sha256={right}"},
    "two signatures": lambda _, __, right: [("Signature", right), (b"signature", right.encode())],
    "a list": lambda _, __, right: {"Signature": [right, right]},
    "a number": lambda *_: {"Signature": 7},
    "raw bytes": lambda chance, *_: [(b"signature", chance.randbytes(64))],
    "another header": lambda _, __, right: {"X-Signature": right},
}


@contextmanager
def _receiver() -> Generator[Receiver]:
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        receiver = Receiver(secrets=SECRETS, inbox=f"sqlite:///{Path(folder, 'inbox.db')}")
        try:
            yield receiver
        finally:
            receiver.close()
            logging.disable(logging.NOTSET)
