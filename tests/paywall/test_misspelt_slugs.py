"""A slug that is misspelt refuses everybody, so that the developer gets a warning."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import attrs
import pytest

import rmz_sync.paywall
from rmz_async.paywall._slugs import ShownSlugs
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
    assert warning.endswith(", unless nobody has subscribed to the product yet")
    [record] = caplog.records
    assert (record.name, record.levelname) == ("rmz_async.paywall", "WARNING")
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

    for user in ("noura", "ali", "nobody"):
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


async def test_a_slug_that_another_process_has_learnt_is_right_during_an_outage(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """The refusal is that of the other process, and shows the slug here for the first time."""
    shared = Shared()
    rmz.set(to("music", 4, "expired", user="ali"), user="ali")
    here, there = paywall_over(rmz, shared=shared), paywall_over(rmz, shared=shared)
    await here.check("noura")
    rmz.failure = DOWN
    await here.check("nobody")
    assert not here.status.reachable
    rmz.failure = None
    await there.check("ali")

    access = await here.check("ali", "music")

    assert (access.granted, access.certain) == (False, True)
    assert "music" not in caplog.text


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


async def test_a_slug_beside_others_that_are_right_is_named(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """Also if the right ones are all that RMZ has shown."""
    paywall = paywall_over(rmz)
    await paywall.check("noura")

    assert not await paywall.check("nobody", "films", "filmz")

    [warning] = caplog.messages
    assert "the product 'filmz'" in warning


async def test_the_five_nearest_slugs_are_named(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """The nearest comes first, and the others would fill the log."""
    slugs = ("plan", "plans", "plans-3", "plans-22", "plans-1111", "plans-0-very-long", "music")
    rmz.set(*(to(slug, number) for number, slug in enumerate(slugs, start=1)))
    paywall = paywall_over(rmz)
    await paywall.check("noura")

    await paywall.check("nobody", "plan5")

    assert ", ".join(map(repr, slugs[:5])) in caplog.text
    assert not any(slug in caplog.text for slug in slugs[5:])


async def test_a_caller_that_passes_any_string_makes_twenty_warnings(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """None of which is long, or more than one line."""
    paywall = paywall_over(rmz)
    await paywall.check("sami")

    for number in range(50):
        await paywall.check("sami", f"{number}\n" * 1000)

    assert len(caplog.messages) == 20
    assert all(len(message) < 1000 and "\n" not in message for message in caplog.messages)


async def test_a_hundred_characters_of_a_slug_are_shown(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture
) -> None:
    """Both of a slug that is misspelt, and of those that RMZ has shown."""
    rmz.set(to("y" * 300, 1))
    paywall = paywall_over(rmz)
    await paywall.check("noura")

    await paywall.check("nobody", "x" * 300)

    assert [len(slug) for slug in re.findall("'(x+|y+)'", caplog.text)] == [100, 100]


@pytest.mark.parametrize(("products", "warnings"), [(99, 1), (100, 0), (500, 0)])
async def test_a_store_with_too_many_products_to_remember_makes_no_warning(
    rmz: ScriptedRMZ, caplog: pytest.LogCaptureFixture, products: int, warnings: int
) -> None:
    """A slug that is right may be one of those that are not remembered."""
    rmz.set(*(to(f"product-{number}", number) for number in range(1, products + 1)))
    paywall = paywall_over(rmz)
    await paywall.check("noura")

    assert not await paywall.check("nobody", "product-501")
    assert len(caplog.messages) == warnings


def test_slugs_that_are_not_remembered_take_no_memory() -> None:
    """A platform may see the products of many shops."""
    shown = ShownSlugs()
    sizes: list[int] = []
    for number in range(100, 500):
        shown.add([to(f"product-{number}", number)])
        sizes.append(len(pickle.dumps(shown)))

    assert sizes == sorted(sizes)
    assert sizes[98] < sizes[99] == sizes[-1]
