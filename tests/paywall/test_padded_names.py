"""Users whose names a database pads with blanks, which RMZ removes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rmz_async import ConnectionFailedError, EventType, Subscription
from rmz_async.paywall import Reason
from tests.paywall.events import event
from tests.paywall.scripted import START, ScriptedRMZ, subscription, to
from tests.paywall.test_confirming import SECRET, link
from tests.seams import Urgency, answers_over, paywall_over

pytestmark = pytest.mark.anyio

PADDED = "noura     "
CANCELED = event(EventType.SUBSCRIPTION_CANCELED, "canceled")


class TrimmingRMZ(ScriptedRMZ):
    """An RMZ that removes blanks at the ends of what it is sent."""

    async def subscriptions(self, user: str, urgency: Urgency) -> Sequence[Subscription]:
        """Answer."""
        return await super().subscriptions(user.strip(), urgency)


@pytest.fixture
def rmz() -> TrimmingRMZ:
    """An RMZ in which Noura pays."""
    rmz = TrimmingRMZ()
    rmz.set(to("films", 501))
    return rmz


@pytest.mark.parametrize("slugs", [(), ("films",)])
async def test_a_webhook_reaches_a_padded_name(rmz: TrimmingRMZ, slugs: tuple[str, ...]) -> None:
    """The webhook has the name without blanks; memory has one answer for both."""
    paywall = paywall_over(rmz)
    for _ in range(3):
        assert await paywall.check(PADDED, *slugs)
    assert rmz.asked == ["noura"]

    rmz.set(to("films", 501, "canceled"))
    await paywall.feed(CANCELED)

    assert (await paywall.check(PADDED, *slugs)).reason is Reason.CANCELED
    assert list(await paywall.check_many([PADDED])) == [PADDED]


async def test_a_padded_name_that_has_paid_is_not_refused(rmz: TrimmingRMZ) -> None:
    """A replica lags, and the webhook has come."""
    rmz.set()
    paywall = paywall_over(rmz)
    with pytest.raises(ConnectionFailedError):
        await paywall.feed(event(external_customer_id="noura "))

    assert (await paywall.check(PADDED)).reason is Reason.UNAVAILABLE


async def test_a_padded_name_is_confirmed_and_refreshed(rmz: TrimmingRMZ) -> None:
    """The next check needs no request, with blanks or without."""
    paywall = paywall_over(rmz)
    assert await paywall.confirm("rmz-subscription-id=501", user=PADDED)
    assert await paywall.check("noura")
    assert rmz.asked == []

    rmz.set()
    rmz.later(31)
    assert not await paywall.refresh(PADDED)
    assert not await paywall.check("noura")
    assert rmz.asked == ["noura"]


async def test_a_signed_link_is_of_the_name_without_blanks(rmz: TrimmingRMZ) -> None:
    """The checkout may be started with them, and confirmed without them."""
    rmz.set(subscription(created_at=START))
    query = await link(rmz, PADDED)

    assert await answers_over(rmz, state_secret=SECRET).confirm(query, "noura", 0)
