"""The proxy does what each fault says, as a client with a bare socket sees it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from tests.faults.conftest import Always, Ask, Got
from tests.faults.faults import FAULTS, KINDS, Fault, Position, fault_named
from tests.faults.shop import Shop


def cut(got: Got) -> bool:
    """Whether a body is shorter than its head says."""
    return got.status == 200 and 0 < len(got.body) < got.length


def whole(got: Got) -> bool:
    """Whether a body is JSON, and all of it."""
    return got.status == 200 and "data" in json.loads(got.body)


def garbage(body: bytes) -> bool:
    """Whether a body is not JSON."""
    try:
        json.loads(body)
    except ValueError:
        return True
    return False


def unzipped(body: bytes) -> bool:
    """Whether a body is gzip to its end; a broken one raises an error of zlib."""
    stream = zlib.decompressobj(wbits=31)
    stream.decompress(body)
    return stream.eof


def broken(body: bytes) -> bool:
    """Whether a body is no gzip."""
    try:
        unzipped(body)
    except zlib.error:
        return True
    return False


def page(status: int) -> Callable[[Got], bool]:
    """The mark of a proxy's page of HTML."""
    return lambda got: (
        got.status == status and b"text/html" in got.head and got.body.startswith(b"<html")
    )


def foreign(status: int, head: bytes) -> Callable[[Got], bool]:
    """An error that is not RMZ's has no message."""
    return lambda got: got.status == status and head in got.head and b'"message"' not in got.body


def no_gzip(status: int) -> Callable[[Got], bool]:
    """The body of such a JSON error is not what its head says."""
    return lambda got: (
        got.status == status
        and b"content-encoding: gzip" in got.head
        and len(got.body) == got.length
        and (not got.body or not unzipped(got.body))
    )


def followed(part: bytes) -> Callable[[Got], bool]:
    """The sign of an answer behind which something else comes."""
    return lambda got: (
        got.status == 200
        and "data" in json.loads(got.body[: got.length])
        and part in got.body[got.length :]
    )


LOOKS: dict[str, Callable[[Got], bool]] = {
    "closed-port": lambda got: got == Got(b"", "refused"),
    "reset-at-accept": lambda got: got == Got(b"", "reset"),
    "reset-at-byte-1": lambda got: got == Got(b"", "reset"),
    "reset-at-byte-64": lambda got: got == Got(b"", "reset"),
    "reset-at-first-byte": lambda got: got == Got(b"", "reset"),
    "reset-in-headers": lambda got: (
        got.end == "reset" and got.data.startswith(b"HTTP/1.1 200") and b"\r\n\r\n" not in got.data
    ),
    "reset-in-body": lambda got: got.end == "reset" and cut(got),
    "cut-with-length": lambda got: got.end == "closed" and cut(got),
    "cut-without-length": lambda got: (
        got.end == "closed" and got.length == -1 and got.body != b"" and garbage(got.body)
    ),
    "kept-alive-closed": lambda got: got == Got(b"", "closed"),
    "drip": whole,
    "stall": lambda got: got == Got(b"", "closed"),
    "slow-close": lambda got: got.length == -1 and whole(got),
    "html-502": page(502),
    "html-503": page(503),
    "html-504": page(504),
    "429-throttle": lambda got: (
        got.status == 429
        and b"\r\nretry-after: 7" in got.head
        and b"\r\nx-ratelimit-remaining: 0" in got.head
    ),
    "429-other": lambda got: got.status == 429 and b"retry-after" not in got.head,
    "408": page(408),
    "500-json": lambda got: got.status == 500 and json.loads(got.body)["error"] is True,
    "200-login-page": page(200),
    "302": lambda got: got.status == 302 and b"\r\nlocation: https://" in got.head,
    "cut-gzip": lambda got: (
        b"content-encoding: gzip" in got.head
        and len(got.body) == got.length
        and not unzipped(got.body)
    ),
    "broken-gzip": lambda got: b"content-encoding: gzip" in got.head and broken(got.body),
    "garbage-json": lambda got: got.status == 200 and garbage(got.body),
    "alien-json": lambda got: got.status == 200 and "data" not in json.loads(got.body),
    "no-fault": whole,
    "404-nginx": foreign(404, b"text/html"),
    "403-cloudflare": foreign(403, b"cf-ray"),
    "401-html": foreign(401, b"text/html"),
    "422-html": foreign(422, b"text/html"),
    "429-html": foreign(429, b"text/html"),
    "403-alien-json": foreign(403, b"application/json"),
    "404-no-route": lambda got: (
        got.status == 404 and json.loads(got.body)["message"].startswith("The route ")
    ),
    **{f"{status}-empty-gzip": no_gzip(status) for status in (401, 404, 422, 429)},
    **{f"{status}-cut-gzip": no_gzip(status) for status in (401, 404, 422, 429)},
    "stray-same": followed(b'"data"'),
    "stray-other-object": followed(b'"of another"'),
    "stray-null": followed(b"\r\n\r\nnull"),
    "stray-401": followed(b"HTTP/1.1 401 "),
    "stray-408": followed(b"HTTP/1.1 408 "),
    "stray-422": followed(b"HTTP/1.1 422 "),
    "stray-garbage": followed(b"\x00\xff"),
}
MET = [fault for fault in FAULTS if fault.kind.name != "idle-closed"]


def test_every_kind_is_looked_at() -> None:
    """Each kind has its looks here, but for the one that no single request meets."""
    assert {kind.name for kind in KINDS} == {*LOOKS, "idle-closed"}


def test_a_cut_gzip_is_distinguished_from_a_whole_one() -> None:
    """The check of this module sees a cut stream."""
    assert unzipped(gzip.compress(b"{}"))


@pytest.mark.parametrize("fault", MET, ids=str)
def test_what_the_client_sees(shop: Shop, ask: Ask, fault: Fault) -> None:
    """The client gets what the fault's name says."""
    subscription = shop.subscription()
    line = shop.proxy.line(Always(fault), listening=fault.kind.name != "closed-port")
    got = ask(line, f"POST /subscriptions/{subscription.id}/pause")
    line.close()
    assert LOOKS[fault.kind.name](got), got


@pytest.mark.parametrize("fault", MET, ids=str)
def test_whether_the_request_is_carried_out(shop: Shop, ask: Ask, fault: Fault) -> None:
    """The request is carried out if, and when, the position says so."""
    subscription = shop.subscription()
    line = shop.proxy.line(Always(fault), listening=fault.kind.name != "closed-port")
    mark = shop.mark()
    ask(line, f"POST /subscriptions/{subscription.id}/pause")
    at_once = shop.effects(mark, "subscriptions.pause")
    line.settle()
    in_the_end = shop.effects(mark, "subscriptions.pause")
    line.close()
    assert at_once == ([subscription.id] if fault.position is Position.AFTER else [])
    assert in_the_end == ([] if fault.position is Position.BEFORE else [subscription.id])
    assert line.injected == (0 if fault.kind.name == "closed-port" else 1)


@pytest.mark.parametrize(("position", "seen"), [("late", True), ("later", False)])
def test_what_comes_late(shop: Shop, ask: Ask, position: str, seen: bool) -> None:
    """A late request is carried out after the next one that is answered, a later one is not."""
    subscription = shop.subscription()
    line = shop.proxy.line(Always(fault_named(f"html-504/{position}")))
    mark = shop.mark()
    ask(line, f"POST /subscriptions/{subscription.id}/pause")
    line.plan = Always(fault_named("closed-port/before"))
    got = ask(line, f"GET /subscriptions/{subscription.id}")
    assert json.loads(got.body)["data"]["status"] == "active"
    assert (shop.effects(mark, "subscriptions.pause") == [subscription.id]) is seen
    line.settle()
    assert shop.effects(mark, "subscriptions.pause") == [subscription.id]
    line.close()


def test_no_fault_changes_nothing(shop: Shop, ask: Ask) -> None:
    """Without a fault the answer is the sandbox's own."""
    line = shop.proxy.line(Always(fault_named("closed-port/before")))
    got = ask(line, "GET /subscriptions/501")
    line.close()
    assert whole(got)
    assert len(got.body) == got.length
    assert line.injected == 0
    assert [seen.path for seen in line.seen] == ["/shawarma/subscriptions/501"]
