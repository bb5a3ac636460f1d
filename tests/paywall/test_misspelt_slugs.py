"""A slug that is misspelt refuses everybody, so that the developer gets a warning."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import attrs
import pytest

import rmz_sync.paywall
from rmz_async.paywall import PaywallDouble
from tests.paywall.scripted import DOWN, ScriptedRMZ, subscription, to
from tests.paywall.shared import Shared
from tests.seams import paywall_over

pytestmark = pytest.mark.anyio


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ in which Noura pays for films, and Sami for the Pro Plan."""
    scripted = ScriptedRMZ()
    scripted.set(to("films", 1))
    scripted.set(to("pro-plan", 2, user="sami"), user="sami")
    return scripted


async def test_a_misspelt_slug_is_named_once_with_the_nearest_that_rmz_has_shown(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether memory refuses or RMZ was asked, and by each paywall for itself."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")
    await paywall.check("sami")

    for _ in range(3):
        assert not await paywall.check("sami", "pro-plann")
        rmz.later(6)

    [warning] = caplog.messages
    assert "'pro-plann'" in warning
    assert "'pro-plan', 'films'" in warning
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    await paywall.check_many(["noura", "sami"], "filmz")
    assert len(caplog.messages) == 2
    another = paywall_over(rmz)
    await another.check("sami", "pro-plann")
    assert len(caplog.messages) == 3


def test_a_paywall_that_cannot_await_names_it_too(caplog: pytest.LogCaptureFixture) -> None:
    """With the slugs of answers to others."""
    with rmz_sync.paywall.PaywallDouble() as double:
        double.grant("noura", slug="pro-plan")
        double.check("noura")

        assert not double.check("sami", "pro-plann")

    assert "'pro-plann'" in caplog.text


async def test_nothing_is_said_before_rmz_has_shown_a_slug(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """No answer, no subscription, and no product that has a slug."""
    rmz.set(subscription())
    rmz.set(attrs.evolve(subscription(user="ali"), product=None), user="ali")
    paywall = paywall_over(rmz)

    for user in ("nobody", "noura", "ali"):
        await paywall.check(user)
        await paywall.check(user, "pro-plann")

    assert caplog.messages == []


async def test_a_slug_that_an_answer_has_shown_is_right(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """Even if the subscription is over, was bought just now, or is in memory without its slug."""
    paywall = paywall_over(rmz, keep_subscriptions=False)
    await paywall.check("noura", "films")
    rmz.later(6)
    rmz.set(to("films", 1), to("books", 3))
    rmz.set(to("music", 4, "expired", user="ali"), user="ali")

    assert await paywall.check("noura", "books")
    assert not await paywall.check("ali", "music")
    assert not await paywall.check("noura", "music")

    assert caplog.messages == []


async def test_a_slug_that_another_process_has_learnt_is_right(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """Although this process knows only of another product."""
    shared = Shared()
    rmz.set(to("music", 4, "expired", user="ali"), user="ali")
    here, there = paywall_over(rmz, shared=shared), paywall_over(rmz, shared=shared)
    await here.check("noura")
    await there.check("ali")

    assert not await here.check("ali", "music")

    assert rmz.asked == ["noura", "ali"]
    assert caplog.messages == []


async def test_slugs_of_a_file_are_shown_too(
    rmz: ScriptedRMZ, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that has just started knows the payers of the one before."""
    async with paywall_over(rmz, snapshot=tmp_path / "payers") as before:
        await before.check("sami")
    async with paywall_over(rmz, snapshot=tmp_path / "payers") as paywall:
        await paywall.check("nobody", "pro-plann")

    assert "'pro-plann'" in caplog.text
    assert "'pro-plan'" in caplog.text


async def test_an_outage_says_nothing_about_a_slug(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """The warning comes with the first refusal that is certain."""
    paywall = paywall_over(rmz)
    await paywall.check("sami")
    rmz.failure = DOWN
    await paywall.check("nobody", "pro-plann")
    assert "pro-plann" not in caplog.text
    rmz.failure = None
    rmz.later(60)

    await paywall.check("nobody", "pro-plann")

    assert "pro-plann" in caplog.text


async def test_a_caller_that_passes_any_string_makes_few_warnings(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """None of which is long, or more than one line."""
    paywall = paywall_over(rmz)
    await paywall.check("sami")

    for number in range(50):
        await paywall.check("sami", f"{number}\n" * 1000)

    assert 0 < len(caplog.messages) < 50
    assert all(len(message) < 1000 and "\n" not in message for message in caplog.messages)


async def test_a_store_with_too_many_products_to_remember_makes_no_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A slug that is right may be one of those that are not remembered."""
    double = PaywallDouble()
    numbers = count(1)
    for number in (next(numbers) for _ in range(500)):
        double.grant(f"user-{number}", slug=f"product-{number}")
        await double.check(f"user-{number}")

    assert not await double.check("user-1", "product-500")
    assert caplog.messages == []
