"""The signed state of a link: how long a link holds, and by which secrets."""

from __future__ import annotations

import hashlib

import pytest
from itsdangerous import URLSafeTimedSerializer
from itsdangerous.timed import TimestampSigner

from rmz_async import ConfigurationError, InvalidRequestError
from tests.seams import Bought, State, state_by

SECRET = "an-example-secret-0123456789"
PLAN = Bought(product_id=102, variant_id=15)


def signed_by(state: State, user: str = "noura") -> str:
    """Return the state in the address to which a customer comes back."""
    return state.added_to("https://app.example/ok", user, PLAN).partition("rmz-state=")[2]


@pytest.mark.parametrize(
    ("minutes", "verdict"),
    [
        (0, PLAN),
        (60, PLAN),
        (60 + 1 / 60, "link_expired"),
        (-5, PLAN),
        (-5 - 1 / 60, "link_expired"),
    ],
)
def test_a_link_holds_for_an_hour_to_the_second(
    minutes: float, verdict: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bank's page may take long, and another server's clock may be 5 minutes behind."""
    seconds = 1_800_000_000
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: seconds)
    state = state_by(SECRET)
    value = signed_by(state)

    seconds += round(minutes * 60)

    assert state.check(value, "noura") == verdict


def test_a_link_from_before_an_update_of_this_library_holds() -> None:
    """A customer may be at the checkout meanwhile."""
    digest = hashlib.sha256(b"noura").hexdigest()[:32]
    signer = URLSafeTimedSerializer(SECRET, salt="rmz.paywall.state")

    assert state_by(SECRET).check(str(signer.dumps([digest, 102, 15])), "noura") == PLAN


def test_a_value_that_another_part_of_a_program_signs_is_no_link() -> None:
    """The same secret may sign sessions, too."""
    digest = hashlib.sha256(b"noura").hexdigest()[:32]
    signer = URLSafeTimedSerializer(SECRET)

    verdict = state_by(SECRET).check(str(signer.dumps([digest, 102, 15])), "noura")

    assert verdict == "link_altered"


@pytest.mark.parametrize("letter", ["\ud7ff", "\ue000", "é"])
def test_a_secret_of_any_whole_characters_signs(letter: str) -> None:
    state = state_by(letter * 16)

    assert state.check(signed_by(state), "noura") == PLAN


@pytest.mark.parametrize("letter", [chr(0xD800), chr(0xDFFF)])
def test_a_secret_with_half_a_character_is_refused(letter: str) -> None:
    """An environment variable that is not UTF-8."""
    with pytest.raises(ConfigurationError, match=r"^state_secret: .* UTF-8 can encode"):
        state_by(SECRET + letter)


@pytest.mark.parametrize("space", ["\n", "\t", " "])
def test_an_address_that_rmz_would_refuse_is_refused_and_not_mended(space: str) -> None:
    """Taking an address apart drops such characters, which show that a setting was read wrongly."""
    with pytest.raises(InvalidRequestError) as caught:
        state_by(SECRET).added_to(f"{space}https://app.example/ok", "noura", PLAN)

    assert caught.value.errors == {"success_url": ("must be an absolute http or https URL",)}
