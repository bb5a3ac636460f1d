"""Events about one subscription of a user displace nothing that is known of another one."""

from __future__ import annotations

import contextlib

import pytest

from rmz_async import ConnectionFailedError, EventType, Paywall
from rmz_async.paywall import Reason
from tests.paywall.events import event
from tests.paywall.scripted import START, ScriptedRMZ, to
from tests.seams import Setting, paywall_over, replace

pytestmark = pytest.mark.anyio

FILMS, BOOKS = 1, 2
PAID = event(id=FILMS)
CANCELED = event(EventType.SUBSCRIPTION_CANCELED, "canceled", id=FILMS)
OTHER_EXPIRED = event(EventType.SUBSCRIPTION_EXPIRED, "expired", id=BOOKS)
EVENTS = {
    FILMS: EventType.SUBSCRIPTION_CREATED,
    BOOKS: EventType.SUBSCRIPTION_ACTIVATED,
    3: EventType.SUBSCRIPTION_CREATED,
    4: EventType.SUBSCRIPTION_CREATED,
}
OTHER_PAUSED = event(EventType.SUBSCRIPTION_PAUSED, "paused", id=BOOKS)


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ whose replica shows only a subscription to books, which is paused."""
    rmz = ScriptedRMZ()
    rmz.set(to("books", BOOKS, "paused"))
    return rmz


async def lagging(paywall: Paywall) -> None:
    """Report the purchase, which RMZ does not show yet."""
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(PAID)


@pytest.mark.parametrize("slugs", [(), ("films",)])
async def test_who_has_paid_is_not_refused_after_an_event_of_another_subscription(
    rmz: ScriptedRMZ, slugs: tuple[str, ...]
) -> None:
    """The answer cannot say until RMZ shows the purchase."""
    paywall = paywall_over(rmz)
    await lagging(paywall)
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(OTHER_EXPIRED)
    assert (await paywall.check("noura", *slugs)).reason is Reason.UNAVAILABLE

    rmz.set(to("films", FILMS), to("books", BOOKS, "expired"))
    assert (await paywall.check("noura", *slugs)).granted


async def test_who_has_canceled_is_looked_at_again_after_an_event_of_another_subscription(
    rmz: ScriptedRMZ,
) -> None:
    """RMZ does not show the cancellation yet, and the other event is shown."""
    rmz.set(to("films", FILMS), to("books", BOOKS, "paused"))
    paywall = paywall_over(rmz)
    await paywall.feed(CANCELED)
    await paywall.feed(OTHER_PAUSED)
    assert await paywall.check("noura")

    rmz.set(to("films", FILMS, "canceled"), to("books", BOOKS, "paused"))
    rmz.later(2)
    assert not await paywall.check("noura")


@pytest.mark.parametrize("on_outage", ["keep-known", "deny"])
async def test_a_confirmed_purchase_outlives_an_event_of_another_subscription(
    rmz: ScriptedRMZ, on_outage: str
) -> None:
    """The lookup of the event reads from a replica that lags."""
    paywall = paywall_over(rmz, on_outage=on_outage)
    rmz.set(to("films", FILMS, created_at=START))
    assert await paywall.confirm(f"rmz-subscription-id={FILMS}", user="noura")
    rmz.set(to("books", BOOKS, "paused"))

    await paywall.feed(OTHER_PAUSED)

    assert await paywall.check("noura")
    assert (await paywall.check("noura", "books")).reason is Reason.PAUSED


async def test_users_of_whom_nothing_was_reported_for_longest_are_forgotten_first(
    rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later event of another subscription counts; one that came long ago does not."""
    replace(monkeypatch, Setting.MOST_REPORTED, 2)
    paywall = paywall_over(rmz)

    async def is_expected(user: str) -> bool:
        with contextlib.suppress(ConnectionFailedError):
            await paywall.refresh(user)
            return False
        return True

    for user, number in (("noura", FILMS), ("sami", 3), ("noura", BOOKS), ("huda", 4)):
        with pytest.raises(ConnectionFailedError):
            await paywall.feed(event(EVENTS[number], id=number, external_customer_id=user))
        rmz.later(11)

    assert [await is_expected(user) for user in ("noura", "sami", "huda")] == [True, False, True]
