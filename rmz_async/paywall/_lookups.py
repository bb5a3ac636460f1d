"""The requests of a paywall, by how long they may wait."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Protocol, cast

import attrs

from rmz_async._calls.clock import Clock
from rmz_async.client import Client
from rmz_async.errors import ConfigurationError
from rmz_async.models import CheckoutSession, Subscription
from rmz_async.options import Options
from rmz_async.paywall._purchase import Purchase
from rmz_async.paywall._users import subscriptions_of

__all__ = ("Lookups", "RMZLookups", "Urgency")


# The part of a minute that those get who are not known to pay. The rest is left to known payers,
# because no number of strangers may keep them out.
FOR_OTHERS = 0.8


class Urgency(Enum):
    """The asker who waits for an answer."""

    PAYER = "payer"
    """A known payer, who is let in if no request may go immediately."""

    RETURNING = "returning"
    """A known payer whose last answer is over, too old, or older than an event."""

    REPORTED = "reported"
    """A user of whom an event has reported a change; no check waits."""

    STRANGER = "stranger"
    """A user of whom nothing is known."""

    BACKGROUND = "background"
    """No check waits: the answer is renewed in the background."""


class Lookups(Protocol):
    """The calls to RMZ that a paywall makes."""

    per_minute: int
    replica_lag: float
    clock: Clock
    store: str

    async def subscriptions(self, user: str, urgency: Urgency) -> Sequence[Subscription]:
        """Return all subscriptions of a user.

        Raises:
            RMZError: RMZ cannot be asked.
        """
        ...

    async def get(self, subscription_id: int) -> Subscription:
        """Return one subscription.

        Raises:
            RMZError: RMZ cannot be asked, or does not have it.
        """
        ...

    async def start(self, user: str, purchase: Purchase) -> CheckoutSession:
        """Create a checkout session for a user.

        Raises:
            RMZError: There is none.
        """
        ...


class RMZLookups:
    """Asks RMZ, over a client.

    Attributes:
        per_minute: How many users RMZ can be asked for in a minute.
        replica_lag: For how many seconds after a change RMZ may answer with the state before it.
        clock: Time, as the client has it.
        store: The store that is asked, without its token.
    """

    per_minute: int
    replica_lag: float
    clock: Clock
    store: str

    def __init__(self, client: Client, patience: float) -> None:
        options, self.clock = _parts_of(client)
        pacing = options.pacing
        self.per_minute = 120 if pacing is None else pacing.lookup_per_minute
        self.replica_lag = options.retry.replica_lag
        self.store = options.base_url
        hasty = min(patience, options.timeout)
        # A request whose slot came late may take as long as any: else it would look like a failure.
        patient = min(2 * patience, options.timeout)

        def waiting(timeout: float, seconds: float, share: float = 1.0) -> Client:
            if pacing is None:
                return client.with_options(timeout=timeout)
            short = attrs.evolve(
                pacing,
                max_wait=min(seconds, pacing.max_wait),
                lookup_per_minute=max(1, int(self.per_minute * share)),
            )
            return client.with_options(timeout=timeout, pacing=short)

        self._client = client
        self._clients = {
            Urgency.PAYER: waiting(hasty, 0.0),
            Urgency.RETURNING: _answered_within(patience, waiting(patient, patience)),
            Urgency.REPORTED: waiting(options.timeout, math.inf),
            Urgency.STRANGER: _answered_within(patience, waiting(patient, patience, FOR_OTHERS)),
            Urgency.BACKGROUND: waiting(options.timeout, math.inf, FOR_OTHERS),
        }

    async def subscriptions(self, user: str, urgency: Urgency) -> Sequence[Subscription]:
        """Return all subscriptions of a user."""
        client = self._clients[urgency]
        # Without include_inactive RMZ leaves out those whose payment is being retried.
        found = await client.subscriptions.lookup(external_customer_id=user, include_inactive=True)
        return subscriptions_of(user, found.subscriptions)

    async def get(self, subscription_id: int) -> Subscription:
        """Return one subscription."""
        return await self._clients[Urgency.RETURNING].subscriptions.get(subscription_id)

    async def start(self, user: str, purchase: Purchase) -> CheckoutSession:
        """Create a checkout session for a user."""
        return await self._client.checkout_sessions.create(
            product_id=purchase.product_id,
            variant_id=purchase.variant_id,
            customer=purchase.customer,
            success_url=purchase.success_url,
            cancel_url=purchase.cancel_url,
            metadata=purchase.metadata,
            external_customer_id=user,
        )


def _answered_within(seconds: float, copy: Client) -> Client:
    """Return *copy*, which waits so long for RMZ once a request has its slot."""
    # No option of `with_options`, because only a paywall waits for both.
    transport = copy._transport  # pyright: ignore[reportPrivateUsage] - see above
    transport.options = attrs.evolve(transport.options, answer_timeout=seconds)
    return copy


def _parts_of(client: Client) -> tuple[Options, Clock]:
    # The client shows neither, because no other code has a use for them.
    if not isinstance(cast("object", client), Client):
        raise ConfigurationError("rmz: must be a Client of rmz_async; rmz_sync has a Paywall, too")
    transport = client._transport  # pyright: ignore[reportPrivateUsage] - see above
    return transport.options, transport.clock
