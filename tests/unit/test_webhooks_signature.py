from __future__ import annotations

import hmac
import json
import string
import traceback
from email.message import Message
from typing import Any

import pytest

from rmz_async import ConfigurationError, PayloadError, SignatureError
from rmz_async.webhooks import Event, verify
from rmz_async.webhooks import sign as sign_body

SECRET = "S3CRETcanary-of-28-letters.."
OTHERS = ["another-secret-of-a-webhook!", "and-a-third-one-of-16+", "x" * 16, "سر" * 8]
BODY = json.dumps({"event": "order.created", "data": {"id": 78901}}).encode()


def sign(body: bytes = BODY, secret: str = SECRET) -> str:
    """Make the signature that RMZ would."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def accepted(*delivery: Any, **options: Any) -> None:
    """See that a delivery is taken, and that it is an event."""
    assert isinstance(verify(*delivery, **options), Event)


def refused(headers: Any, body: bytes = BODY, **options: Any) -> str:
    """Return the reason for which a delivery is refused."""
    arguments: dict[str, Any] = {"secrets": [SECRET], **options}
    with pytest.raises(SignatureError) as caught:
        verify(body, headers, **arguments)
    assert "S3CRET" not in str(caught.value)
    return str(caught.value)


def test_a_genuine_delivery_is_accepted() -> None:
    """A body that RMZ signed is accepted."""
    assert verify(BODY, {"Signature": sign()}, secrets=[SECRET]).data == {"id": 78901}


def test_a_signature_by_openssl_is_accepted() -> None:
    """The algorithm is HMAC-SHA256 of the raw body, in hex: this signature is OpenSSL's."""
    known = "8af06be8e6a6ae8a4f3e065b7664d2704a25ab223ad6fbdabbeb1629256a39bd"

    accepted(b'{"event":"x","data":{}}', {"Signature": known}, secrets=["0123456789abcdef"])


@pytest.mark.parametrize("name", ["Signature", "signature", "SIGNATURE", "sIgNaTuRe"])
def test_the_headers_name_in_any_case(name: str) -> None:
    """Frameworks write header names as they like."""
    accepted(BODY, {name: sign()}, secrets=[SECRET])


@pytest.mark.parametrize(
    "headers",
    [
        [(b"signature", sign().encode())],
        [(b"Signature", sign())],
        [("Signature", sign().encode())],
        [("x-other", "é"), ("signature", sign())],
    ],
)
def test_headers_may_be_pairs(headers: Any) -> None:
    """ASGI has pairs of bytes; other frameworks have pairs of strings."""
    accepted(BODY, headers, secrets=[SECRET])


def test_headers_of_the_standard_library() -> None:
    """Its class has names and values, and is no Mapping."""
    headers: Any = Message()
    headers["Signature"] = sign()
    headers["X-RMZ-Request-ID"] = "7"

    assert verify(BODY, headers, secrets=[SECRET]).request_id == "7"


@pytest.mark.parametrize(
    "pairs",
    [
        [("signature", sign()), ("x-rmz-request-id", "7")],
        [(b"signature", sign().encode()), (b"x-rmz-request-id", b"7")],
    ],
)
def test_headers_that_can_be_read_once(pairs: Any) -> None:
    """An iterator is read for the signature and for the request id."""
    assert verify(BODY, iter(pairs), secrets=[SECRET]).request_id == "7"


def test_an_upper_case_signature() -> None:
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


@pytest.mark.parametrize(
    "headers",
    [
        {"Signature": sign(), "signature": sign()},
        [("Signature", sign()), ("Signature", sign())],
        [(b"signature", sign().encode()), ("SIGNATURE", "x")],
        [("signature", ""), ("signature", sign())],
    ],
)
def test_a_doubled_signature_is_refused(headers: Any) -> None:
    """Two signatures are refused, in whatever case and even if both fit."""
    assert refused(headers) == "the signature header stands more than once"


@pytest.mark.parametrize("headers", [None, {}, [], {"X-Signature": sign()}, {"Signature ": sign()}])
def test_a_missing_signature_is_refused(headers: Any) -> None:
    """An unsigned delivery is refused, with the switch to look for."""
    assert refused(headers) == (
        "there is no Signature header: switch signing on for this webhook in the dashboard"
    )


def test_allow_unsigned_accepts_an_unsigned_delivery() -> None:
    """A caller that sets the switch accepts deliveries that anybody can send."""
    assert verify(BODY, {}, secrets=[SECRET], allow_unsigned=True).data == {"id": 78901}


@pytest.mark.parametrize("place", range(5))
def test_any_of_the_secrets(place: int) -> None:
    """Several webhooks, and a secret that is being changed, deliver to one address."""
    secrets = [*OTHERS[:place], SECRET, *OTHERS[place:]]

    assert len(secrets) == 5
    accepted(BODY, {"Signature": sign()}, secrets=secrets)


def test_none_of_the_secrets() -> None:
    """A secret that is not among them does not count."""
    assert refused({"Signature": sign()}, secrets=OTHERS).startswith("the signature does not match")


def test_secrets_in_a_tuple() -> None:
    """Any sequence of secrets is one."""
    accepted(BODY, {"Signature": sign()}, secrets=(SECRET,))


@pytest.mark.parametrize(
    "secrets",
    [
        [],
        (),
        [SECRET] * 33,
        SECRET,
        SECRET.encode(),
        bytearray(SECRET.encode()),
        None,
        {SECRET},
        {SECRET: SECRET},
        (secret for secret in [SECRET]),
        lambda: None,
        lambda: [],
        lambda: SECRET,
    ],
    ids=[
        "none",
        "empty",
        "too many",
        "a string",
        "bytes",
        "a bytearray",
        "None",
        "a set without an order",
        "a mapping",
        "a generator",
        "a callable of None",
        "a callable of none",
        "a callable of a string",
    ],
)
def test_bad_lists_of_secrets(secrets: Any) -> None:
    """No secrets, too many, what has no order, and a string, whose letters anyone could guess."""
    with pytest.raises(ConfigurationError, match=r"^secrets: ") as caught:
        verify(BODY, {"Signature": sign()}, secrets=secrets)

    assert str(caught.value) == (
        "secrets: must be a list of 1 to 32 secrets, or a callable that returns one; also a single "
        "secret stands in a list"
    )


def test_an_async_callable_of_secrets_is_refused() -> None:
    """The function is plain; the coroutine is closed, so that Python warns of nothing."""

    async def secrets() -> list[str]:
        return [SECRET]

    given: Any = secrets
    with pytest.raises(ConfigurationError, match="must be a plain function, not async"):
        verify(BODY, {"Signature": sign()}, secrets=given)


@pytest.mark.parametrize(
    "headers", [sign(), f"Signature: {sign()}", [("a", "b", "c")], [5], 5], ids=str
)
def test_headers_of_another_form_are_the_callers_mistake(headers: Any) -> None:
    """The signature alone, for example."""
    with pytest.raises(ConfigurationError, match=r"^headers: .*pass all headers") as caught:
        verify(BODY, headers, secrets=[SECRET])

    assert caught.value.__cause__ is None


TOO_SHORT = "must be a string of at least 16 characters"


@pytest.mark.parametrize(
    ("secret", "rule"),
    [
        ("", TOO_SHORT),
        ("x" * 15, TOO_SHORT),
        (None, "is None: the environment variable that should hold the secret is not set"),
        (5, TOO_SHORT),
        (SECRET.encode(), TOO_SHORT),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_bad_secrets_are_refused(secret: Any, rule: str, place: int) -> None:
    """A secret that anybody could guess, or that is missing, would make the others useless."""
    secrets: list[Any] = [SECRET]
    secrets.insert(place, secret)

    with pytest.raises(ConfigurationError) as caught:
        verify(BODY, {"Signature": sign()}, secrets=secrets)

    assert str(caught.value) == f"secrets[{place}]: {rule}"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("half", [0xD800, 0xDCFF, 0xDFFF])
def test_a_secret_that_utf_8_cannot_encode_is_refused(half: int) -> None:
    """An environment variable in another charset; the encoder's error would show the secret."""
    with pytest.raises(ConfigurationError) as caught:
        verify(BODY, {"Signature": sign()}, secrets=[SECRET, SECRET + chr(half)])

    assert str(caught.value) == "secrets[1]: must be a string that UTF-8 can encode"
    assert caught.value.__context__ is None


def test_a_secret_of_16_characters_is_taken() -> None:
    """The least that is accepted."""
    accepted(BODY, {"Signature": sign(secret="x" * 16)}, secrets=["x" * 16])


@pytest.mark.parametrize("letter", string.ascii_letters + string.digits)
def test_a_secret_between_equal_letters_is_not_in_quotes(letter: str) -> None:
    """By chance a secret begins and ends with the same one."""
    secret = letter + SECRET + letter
    accepted(BODY, {"Signature": sign(secret=secret)}, secrets=[secret])


def test_secrets_are_checked_for_unsigned_deliveries_too() -> None:
    """A configuration that protects nothing is found with the first delivery."""
    with pytest.raises(ConfigurationError):
        verify(BODY, {}, secrets=[], allow_unsigned=True)


@pytest.mark.parametrize("body", [BODY.decode(), bytearray(BODY), memoryview(BODY), {}, None])
def test_only_bytes_are_a_body(body: Any) -> None:
    """A body that was already read as something else has lost the signed bytes."""
    with pytest.raises(TypeError, match=r"raw bytes of the request, .* is of type \w+$"):
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


def test_a_signed_body_that_is_no_event() -> None:
    """Signed nonsense is another error than an unsigned one."""
    with pytest.raises(
        PayloadError, match=r"^the delivery is not an event: the body must be a JSON object$"
    ):
        verify(b"[]", {"Signature": sign(b"[]")}, secrets=[SECRET])


def test_a_traceback_with_variables_shows_no_secret() -> None:
    """The frames that a refusal passes hold the secrets so that nothing shows them."""
    secrets = {"hidden": SECRET}
    with pytest.raises(SignatureError) as caught:
        verify(BODY, {}, secrets=[*secrets.values()])
    ours = caught.value.__traceback__
    assert ours is not None
    summary = traceback.StackSummary.extract(traceback.walk_tb(ours.tb_next), capture_locals=True)

    shown = repr([frame.locals for frame in summary])
    assert "'<secrets>'" in shown
    assert "S3CRET" not in shown


BLANK = "must not begin or end with a blank or a line break; a file may have added it"
QUOTES = "must not have quotes around it; an .env file may have kept them"


@pytest.mark.parametrize(
    ("secret", "rule"),
    [
        (f" {SECRET}", BLANK),
        (f"{SECRET}\n", BLANK),
        (f"{SECRET}\u00a0", BLANK),
        (f"\ufeff{SECRET}", BLANK),
        (f"{SECRET}\u200b", BLANK),
        (f'"{SECRET}"', QUOTES),
        (f"'{SECRET}'", QUOTES),
        (f"“{SECRET}”", QUOTES),
    ],
)
def test_a_secret_with_something_around_it_is_refused_by_its_position(
    secret: str, rule: str
) -> None:
    """No delivery would ever fit, and the fault is invisible."""
    with pytest.raises(ConfigurationError) as caught:
        verify(BODY, {"Signature": sign()}, secrets=[SECRET, secret])

    assert str(caught.value) == f"secrets[1]: {rule}"


@pytest.mark.parametrize("secret", [f'"{SECRET}', f'{SECRET}"', f"{SECRET} é {SECRET}"])
def test_a_quote_or_a_blank_elsewhere_belongs_to_a_secret(secret: str) -> None:
    """Only what stands around a secret was added by a file."""
    accepted(BODY, {"Signature": sign(secret=secret)}, secrets=[secret])


@pytest.mark.parametrize("place", [0, 1, 31])
def test_up_to_32_secrets_deliver_to_one_address(place: int) -> None:
    """RMZ's pages lead to a webhook for each event, and to twice as many during a rotation."""
    secrets = [f"another-secret-number-{number}" for number in range(32)]
    secrets[place] = SECRET

    assert verify(BODY, {"Signature": sign()}, secrets=secrets).secret_index == place


def test_the_first_of_two_equal_secrets_is_named() -> None:
    """A secret that stands twice is one secret."""
    event = verify(BODY, {"Signature": sign()}, secrets=[OTHERS[0], SECRET, SECRET])

    assert event.secret_index == 1


def test_an_unsigned_delivery_has_no_secret() -> None:
    """The delivery was not signed."""
    assert verify(BODY, {}, secrets=[SECRET], allow_unsigned=True).secret_index is None


def test_secrets_may_be_asked_for_with_each_delivery() -> None:
    """A callable reads them from wherever they are kept."""
    rotated = iter([[OTHERS[0]], [OTHERS[0], SECRET]])

    def current() -> list[str]:
        return next(rotated)

    with pytest.raises(SignatureError):
        verify(BODY, {"Signature": sign()}, secrets=current)
    assert verify(BODY, {"Signature": sign()}, secrets=current).secret_index == 1


def test_headers_of_api_gateway_have_lists_of_values() -> None:
    """A list of one value is one header."""
    headers = {"signature": [sign()], "x-rmz-request-id": ("7",), "cookie": ["a", "b"]}

    assert verify(BODY, headers, secrets=[SECRET]).request_id == "7"


@pytest.mark.parametrize("values", [[sign(), sign()], [sign(), "x"]])
def test_a_list_of_two_signatures_is_a_doubled_header(values: list[str]) -> None:
    """Nothing says which of the two counts."""
    assert refused({"Signature": values}) == "the signature header stands more than once"


def test_a_list_without_a_value_is_a_missing_header() -> None:
    """There is nothing to compare."""
    assert refused({"Signature": []}).startswith("there is no Signature header")


def test_the_environment_of_wsgi_has_the_headers_under_other_names() -> None:
    """Flask and Django pass it on; most of its values are no headers at all."""
    environ: Any = {
        "HTTP_SIGNATURE": sign(),
        "HTTP_X_RMZ_REQUEST_ID": "7",
        "wsgi.input": object(),
        "wsgi.version": (1, 0),
        5: "a key that is no string",
    }
    assert verify(BODY, environ, secrets=[SECRET]).request_id == "7"


@pytest.mark.parametrize("value", [None, 5, object(), [None], [[sign()]]])
def test_a_signature_that_is_no_string_is_refused(value: object) -> None:
    """A header of any type is refused, without another exception."""
    assert refused({"Signature": value}) == "the signature header must be a string"


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
