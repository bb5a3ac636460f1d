"""Reasons of the paywall as sentences for the customer."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from rmz_async import MissingExtraError, Subscription
from rmz_async.models import SubscriptionProduct
from rmz_async.paywall import Access, Reason, wording

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def access(reason: Reason, product: str | None = "Pro") -> Access:
    """An answer about a subscription to *product*."""
    bought = SubscriptionProduct(id=102, name=product)
    subscription = Subscription(id=501, status="active", product=bought)
    return Access(
        granted=False, reason=reason, subscription=subscription, until=NOW, checked_at=NOW
    )


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_a_sentence_in_both_languages(reason: Reason, language: str) -> None:
    """No placeholder is left, and no sentence of one language stands in the other."""
    text = access(reason, "برو" if language == "ar" else "Pro").text(language)

    assert "%(" not in text
    assert text.endswith(".")
    letters = [letter for letter in text if letter.isalpha()]
    assert all(("\u0600" <= letter <= "\u06ff") == (language == "ar") for letter in letters)


@pytest.mark.parametrize("reason", Reason)
def test_only_a_user_of_whom_nothing_is_certain_is_asked_to_wait(reason: Reason) -> None:
    """A refusal is answered with 402, and to come back in a minute would not help."""
    is_told_to_wait = "in a minute" in access(reason).text()

    assert is_told_to_wait == (not reason.certain and reason is not Reason.OUTAGE_ALLOWED)


def test_a_name_is_isolated_from_the_direction_of_the_sentence() -> None:
    """A name in Latin letters would move the full stop of an Arabic sentence."""
    assert "\u2068Pro\u2069" in access(Reason.ACTIVE).text("ar")


def test_a_name_cannot_end_its_isolation() -> None:
    """The shop writes the name, and may paste anything."""
    text = access(Reason.ACTIVE, "Pro\u2069 50%").text("en")

    assert "\u2068Pro 50%\u2069" in text


@pytest.mark.parametrize("tag", ["ar-SA", "AR", "ar_EG"])
def test_a_longer_tag_names_its_language(tag: str) -> None:
    """Browsers send a region, too."""
    assert access(Reason.PAUSED).text(tag) == access(Reason.PAUSED).text("ar")


def test_a_user_without_a_subscription_has_a_sentence_too() -> None:
    """There is no name of a product to put in."""
    nobody = Access(granted=False, reason=Reason.NO_SUBSCRIPTION, checked_at=NOW)

    assert nobody.text() == "You have no subscription yet."


def test_a_plan_without_a_name_is_called_the_customer_s_plan() -> None:
    """RMZ may leave the name out."""
    assert "\u2068your plan\u2069" in access(Reason.EXPIRED, None).text()


def test_a_missing_extra_names_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Decisions need no Babel; their sentences do."""
    monkeypatch.setitem(sys.modules, "babel", None)
    monkeypatch.delitem(sys.modules, "rmz_async.paywall.wording")
    monkeypatch.delattr("rmz_async.paywall.wording")

    with pytest.raises(MissingExtraError, match=r'pip install "rmz\[paywall\]"'):
        access(Reason.ACTIVE).text()


def test_the_catalogue_translates_every_sentence() -> None:
    """No sentence is left out, and none is left over."""
    path = wording.CATALOGUES / "ar" / "LC_MESSAGES" / "paywall.po"
    with path.open("rb") as file:
        catalogue = read_po(file)
    source = extract_from_file("python", wording.__file__, {"_": None})

    translated = sorted(str(row.id) for row in catalogue if row.id)
    assert translated == sorted({str(row[1]) for row in source})
    assert all(row.string and not list(row.check(catalogue)) for row in catalogue if row.id)
