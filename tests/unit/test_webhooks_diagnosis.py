"""The usual mistakes with webhooks, each made and each found."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from rmz_async.webhooks import EventType, diagnose, sample, sign, verify

SECRET = "S3CRETcanary-of-28-Letters.."
OTHER = "another-secret-of-28-letters"
# RMZ writes JSON as PHP does: slashes and other letters are escaped.
BODY = (
    json.dumps(json.loads(sample(EventType.SUBSCRIPTION_RENEWED, product_name="اشتراك a/b")))
    .replace("/", "\\/")
    .replace(": ", ":")
    .replace(", ", ",")
    .encode()
)
SIGNED = {"Signature": sign(BODY, SECRET)}


def found(body: Any = BODY, headers: Any = SIGNED, secrets: Any = (SECRET,)) -> str:
    """The first finding; none of them shows a secret."""
    findings = diagnose(body, headers, secrets=secrets)
    assert "S3CRET" not in str(findings)
    assert findings
    return findings[0]


@pytest.mark.parametrize("secrets", [[SECRET], [OTHER, SECRET]])
def test_a_delivery_that_fits_has_no_mistake(secrets: list[str]) -> None:
    """A delivery that verify accepts needs no diagnosis."""
    assert verify(BODY, SIGNED, secrets=secrets).subscription is not None
    assert diagnose(BODY, SIGNED, secrets=secrets) == ()


MISTAKES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "parsed and written again": (
        lambda body: json.dumps(json.loads(body)).encode(),
        "parsed and written again",
    ),
    "written compactly": (
        lambda body: json.dumps(
            json.loads(body), ensure_ascii=False, separators=(",", ":")
        ).encode(),
        "parsed and written again",
    ),
    "a line break at the end": (lambda body: body + b"\n", "at its end"),
    "a byte order mark": (lambda body: b"\xef\xbb\xbf" + body, "byte order mark"),
    "another charset": (lambda body: body.decode().encode("utf-16"), "another charset"),
}


@pytest.mark.parametrize(("change", "finding"), MISTAKES.values(), ids=MISTAKES)
def test_a_changed_body_is_recognised(change: Callable[[bytes], bytes], finding: str) -> None:
    """Each change is undone until the signature fits."""
    assert finding in found(change(BODY))


def test_a_lost_line_break_is_recognised() -> None:
    """A body that was stripped lost what was signed."""
    assert "at its end" in found(BODY, {"Signature": sign(BODY + b"\n", SECRET)})


def test_changed_line_breaks_are_recognised() -> None:
    """A file in text mode writes them as the machine likes."""
    body = json.dumps({"event": "x", "data": {}}, indent=1).encode()
    changed = body.replace(b"\n", b"\r\n")

    assert "line breaks were changed" in found(changed, {"Signature": sign(body, SECRET)})


def test_mojibake_is_recognised() -> None:
    """A body in UTF-8 that was read as Latin-1 and written as UTF-8."""
    body = '{"event":"x","data":{"name":"سارة"}}'.encode()
    changed = body.decode("latin-1").encode()

    assert "another charset" in found(changed, {"Signature": sign(body, SECRET)})


@pytest.mark.parametrize(
    "given", [f" {SECRET}", f"{SECRET}\n", f'"{SECRET}"', f"'{SECRET}'\r\n", f" “{SECRET}” "]
)
def test_something_around_a_secret_is_recognised(given: str) -> None:
    """The finding names the secret by its position."""
    assert found(secrets=[OTHER, given]).startswith(
        "secrets[1] has a blank, a line break or quotes"
    )


@pytest.mark.parametrize("given", [SECRET.lower(), SECRET.upper()])
def test_a_secret_in_another_case_is_recognised(given: str) -> None:
    """A form may have changed its letters."""
    signed = {"Signature": sign(BODY, SECRET.lower())}

    if given == SECRET.upper():
        assert "secrets[0] is in another case" in found(BODY, signed, [given])
    else:
        assert diagnose(BODY, signed, secrets=[given]) == ()


@pytest.mark.parametrize(
    "given", [f"{OTHER},{SECRET}", f" {SECRET} , {OTHER}", f'"{OTHER},{SECRET}"']
)
def test_several_secrets_in_one_string_are_recognised(given: str) -> None:
    """An environment variable holds one string."""
    assert found(secrets=[given]) == "secrets[0] holds several secrets: make a list of them"


def test_two_mistakes_at_once_are_both_named() -> None:
    """A single mistake is often fixed before the other is noticed."""
    finding = found(BODY + b"\n", secrets=[f" {SECRET}"])

    assert "secrets[0] has a blank" in finding
    assert "at its end" in finding


def test_another_secret_is_recognised() -> None:
    """The last explanation is left when no change makes the signature fit."""
    assert found(secrets=[OTHER]).startswith("another secret signed this body")


def test_a_short_secret_and_a_rewritten_body_come_first() -> None:
    """Both can be seen without knowing the secret."""
    findings = diagnose(json.dumps({"a": 1, "b": 2}).encode(), SIGNED, secrets=[OTHER, "short"])

    assert findings[0].startswith("secrets[1] is shorter than 16 characters")
    assert findings[1].startswith("the JSON has blanks between its parts")
    assert findings[2].startswith("another secret signed this body")


@pytest.mark.parametrize(
    ("secrets", "finding"),
    [
        (SECRET, "must be a list; put the secret into brackets"),
        (SECRET.encode(), "must be a list"),
        ([], "must be a list of at least one"),
        (None, "must be a list of at least one"),
        ({SECRET}, "must be a list of at least one"),
        ([SECRET.encode()], "secrets[0]: must be a string, and is of type bytes"),
        ([SECRET, None], "secrets[1]: must be a string, and is of type NoneType"),
        (lambda: SECRET, "must be a list"),
        (lambda: 1 / 0, "the callable raised ZeroDivisionError"),
        ([f"RMZ_WEBHOOK_SECRET='{SECRET}'"], "begins with RMZ_WEBHOOK_SECRET="),
        ([f"\ufeff{SECRET}"], "has a blank"),
    ],
    ids=[
        "a string",
        "bytes",
        "empty",
        "None",
        "a set",
        "a list of bytes",
        "a list with None",
        "a callable of a string",
        "a callable that raises",
        "with its name",
        "with a mark",
    ],
)
def test_secrets_of_a_wrong_form_are_recognised(secrets: Any, finding: str) -> None:
    """However wrong they are, they get an explanation and no exception."""
    assert finding in found(secrets=secrets)


def test_secrets_may_come_from_a_callable() -> None:
    """As for verify."""
    assert diagnose(BODY, SIGNED, secrets=lambda: [SECRET]) == ()


def test_a_secret_that_fits_and_is_refused_is_recognised() -> None:
    """A secret that anybody could guess is refused, whoever signs with it."""
    assert diagnose(BODY, {"Signature": sign(BODY, "short")}, secrets=["short"]) == (
        "secrets[0]: must be a string of at least 16 characters",
    )


@pytest.mark.parametrize("body", [{"event": "x"}, None, 5])
def test_a_body_that_was_parsed_is_recognised(body: Any) -> None:
    assert found(body) == f"the body is a {type(body).__name__}: pass the raw bytes of the request"


@pytest.mark.parametrize(
    ("body", "finding"),
    [
        (b"", "the body is empty"),
        (base64.b64encode(BODY), "was written as base64"),
        (str(BODY).encode(), "was written as base64 or as Python's"),
        (b"b'", "another secret"),
        (b"b'', 1", "another secret"),
        (f"{BODY.decode()}\ufffd".encode(), "letters were lost"),
        (BODY.decode() + "\ud800", "another secret"),
        (b" " * (1024 * 1024 + 1), "more than 1048576 bytes"),
    ],
    ids=["empty", "base64", "str", "half", "an expression", "letters lost", "surrogate", "huge"],
)
def test_a_body_that_something_has_wrapped_or_read_is_recognised(body: Any, finding: str) -> None:
    assert finding in found(body)


def test_headers_of_another_form_are_recognised() -> None:
    """The signature alone, for example."""
    assert "pass all headers of the request" in found(headers=SIGNED["Signature"])


def test_missing_signing_is_recognised() -> None:
    """Signing is off by default."""
    assert "signing is off for this webhook" in found(headers={})


def test_values_of_a_sample_are_written_as_rmz_writes_them() -> None:
    """A test has the values of the models at hand."""
    end = datetime(2026, 7, 1, tzinfo=UTC)
    renewed = verify(
        sample(EventType.SUBSCRIPTION_RENEWED, current_period_end=end, start_date=end.date()),
        {},
        secrets=[SECRET],
        allow_unsigned=True,
    )
    created = sample(EventType.ORDER_CREATED, total=Decimal("1.50"))

    assert renewed.subscription is not None
    assert renewed.subscription.current_period_end == end
    assert b'"total":"1.50"' in created
    with pytest.raises(TypeError, match="a set is not a value of JSON"):
        sample(EventType.ORDER_CREATED, items=set[int]())


def test_discords_format_is_recognised() -> None:
    """The word discord in the URL is enough, signed or not."""
    body = b'{"embeds":[]}'

    assert "the word discord" in found(body, {})
    assert "the word discord" in found(body, {"Signature": sign(body, SECRET)})


def test_a_doubled_header_is_recognised() -> None:
    """Nothing says which of the two counts."""
    assert "occurs more than once" in found(headers=[("signature", "a"), ("Signature", "b")])


@pytest.mark.parametrize(
    "written",
    [
        f"sha256={SIGNED['Signature']}",
        base64.b64encode(bytes.fromhex(SIGNED["Signature"])).decode(),
        f"{'x' * 43}=",
        "é=",
        "nonsense",
    ],
)
def test_a_signature_of_another_form_is_recognised(written: str) -> None:
    """Other services write a prefix or base64."""
    findings = diagnose(BODY, {"Signature": written}, secrets=[SECRET])

    assert "not 64 hexadecimal digits" in findings[-1]


def test_quotes_around_a_signature_hide_no_other_mistake() -> None:
    headers = {"Signature": f'"{SIGNED["Signature"]}"'}

    assert found(BODY + b"\n", headers).startswith("the body has a line break")


def test_a_body_that_is_no_bytes_is_recognised() -> None:
    """A string was decoded, and may have lost what was signed."""
    assert diagnose(BODY.decode(), SIGNED, secrets=[SECRET]) == (
        "the body is a str: pass the raw bytes of the request",
    )


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[" * 100_000, b"\xff\xfe", b'"\\ud800"'])
def test_no_body_breaks_the_diagnosis(body: bytes) -> None:
    """A forged delivery gets an explanation as well."""
    assert found(body)


@pytest.mark.parametrize("kind", EventType)
def test_a_sample_is_an_event_of_its_kind(kind: EventType) -> None:
    """Signed with one's own secret, it is read like RMZ's."""
    body = sample(kind)
    event = verify(body, {"Signature": sign(body, SECRET)}, secrets=[SECRET])

    assert event.event is kind
    assert (event.order is None) != (event.subscription is None)
    assert event.extra == {}
    assert sample(kind) == body


def test_a_sample_has_the_values_that_a_test_needs() -> None:
    """The keys of the subscription, and the id of the event."""
    body = sample(EventType.SUBSCRIPTION_PAUSED, event_id="e-1", external_customer_id="usr_9")
    event = verify(body, {}, secrets=[SECRET], allow_unsigned=True)

    assert event.dedupe_key == "e-1"
    assert event.subscription is not None
    assert event.subscription.external_customer_id == "usr_9"
    assert event.subscription.status == "paused"
    order = verify(sample(EventType.ORDER_CREATED, id=7), {}, secrets=[SECRET], allow_unsigned=True)
    assert order.dedupe_key == "order.created:7"
