"""A paywall and a receiver with something to see in them."""

from __future__ import annotations

from rmz_async.paywall import PaywallDouble
from rmz_async.webhooks import EventType, Receiver, sample
from tests.webhooks.receiving import deliver


async def fill(double: PaywallDouble, receiver: Receiver) -> None:
    """Let a user in twice, and receive a delivery that waits and one that cannot be read."""
    double.grant("noura")
    for _ in range(2):
        await double.check("noura")
    receiver.on("subscription.*", name="mail")(lambda event: None)
    await deliver(receiver, sample(EventType.SUBSCRIPTION_RENEWED))
    await deliver(receiver, b"{")
