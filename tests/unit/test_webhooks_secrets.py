"""The secrets of webhooks: how many, how they are given, and which are refused."""

from __future__ import annotations

import string
import traceback
from typing import Any

import pytest

from rmz_async import ConfigurationError, SignatureError
from rmz_async.webhooks import verify
from tests.unit.signing import BODY, OTHERS, SECRET, accepted, refused, sign


@pytest.mark.parametrize("place", range(5))
def test_any_of_the_secrets_fits(place: int) -> None:
    """Several webhooks, and a secret that is being changed, deliver to one address."""
    secrets = [*OTHERS[:place], SECRET, *OTHERS[place:]]

    assert len(secrets) == 5
    accepted(BODY, {"Signature": sign()}, secrets=secrets)


def test_a_secret_that_is_not_given_does_not_count() -> None:
    """A secret that is not among them does not count."""
    assert refused({"Signature": sign()}, secrets=OTHERS).startswith("the signature does not match")


def test_secrets_may_be_a_tuple() -> None:
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
        "secrets: must be a list of 1 to 32 secrets, or a callable that returns one; put a single "
        "secret into a list, too"
    )


def test_an_async_callable_of_secrets_is_refused() -> None:
    """The function is plain; the coroutine is closed, so that Python warns of nothing."""

    async def secrets() -> list[str]:
        return [SECRET]

    given: Any = secrets
    with pytest.raises(ConfigurationError, match=r"must be a plain function, not async$"):
        verify(BODY, {"Signature": sign()}, secrets=given)


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

    event = verify(BODY, {"Signature": sign()}, secrets=secrets)

    assert event.secret_index == place
    assert not event.is_reconciled


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
