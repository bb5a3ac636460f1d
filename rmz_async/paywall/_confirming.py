"""Confirms what the redirect after the checkout says; the query proves nothing."""

from __future__ import annotations

import hmac
import logging
import math
from collections.abc import Callable
from datetime import datetime

import attrs

from rmz_async.errors import (
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    PermissionDeniedError,
    RMZError,
)
from rmz_async.models import Subscription
from rmz_async.paywall._lookups import Lookups
from rmz_async.paywall._query import Query, subscription_id_of, values_of
from rmz_async.paywall._state import PARAMETER, Bought, State
from rmz_async.paywall.access import Access, Reason
from rmz_async.paywall.outcomes import Confirmation, Confirmed, NotFound, NotYet, SomeoneElses

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

# Seconds between two looks at a subscription that RMZ does not show yet; each is twice as long.
FIRST_PAUSE = 0.5

RETRY_AFTER = 3

# No wait mends these, and the customer sees nothing of them.
_HOPELESS = (AuthenticationError, ConfigurationError, PermissionDeniedError)

# A subscription that is younger may still be on its way to being active.
YOUNG = 3600.0


@attrs.frozen(kw_only=True)
class Confirming:
    """Confirms a purchase.

    Attributes:
        lookups: Asks RMZ.
        state: Checks the signature of `Paywall.start`; None if the paywall has no secret.
        learn: Takes over the subscription, and returns the answer about the user.
    """

    lookups: Lookups
    state: State | None
    learn: Callable[[str, Subscription, datetime], Access]

    async def confirm(self, query: Query, user: str, wait: float) -> Confirmation:
        """Return what became of the purchase of *user*."""
        _check(wait)
        plan = None
        if self.state is not None:
            states = values_of(query, PARAMETER)
            verdict = self.state.check(states[0] if len(states) == 1 else "", user)
            if verdict == "someone_elses":
                return SomeoneElses()
            if isinstance(verdict, str):
                return NotFound(reason=verdict)
            plan = verdict
        subscription_id = subscription_id_of(query)
        if subscription_id is None:
            return NotFound(reason="no_id")
        # Anyone can type a link without a signature, so the server does not wait for it.
        patience = 0.0 if self.state is None else wait
        clock = self.lookups.clock
        deadline, pause = clock.clock() + patience, FIRST_PAUSE
        while True:
            outcome = await self._look(subscription_id, user, plan)
            left = deadline - clock.clock()
            if not isinstance(outcome, NotYet) or left <= 0:
                return outcome
            await clock.sleep(min(pause, left))
            pause *= 2

    async def _look(self, subscription_id: int, user: str, plan: Bought | None) -> Confirmation:
        checked_at = self.lookups.clock.today()
        try:
            subscription = await self.lookups.get(subscription_id)
        except NotFoundError:
            # A replica may not have it yet; without a signed link, RMZ itself most likely has none.
            if self.state is None:
                return NotFound(reason="no_subscription")
            return NotYet(retry_after=RETRY_AFTER)
        except RMZError as error:
            if isinstance(error, _HOPELESS):
                logger.log(logging.ERROR, "The paywall cannot confirm a purchase: %s", error)
            return NotYet(retry_after=_retry_after(error))
        owner = subscription.external_customer_id
        # RMZ may send half a character, which has no place in plain UTF-8.
        if owner is None or not hmac.compare_digest(
            owner.strip().encode("utf-8", "surrogatepass"), user.encode()
        ):
            return SomeoneElses()
        if plan is not None and not plan.is_of(subscription):
            return NotFound(reason="other_plan")
        access = self.learn(user, subscription, checked_at)
        if access.granted:
            return Confirmed(access=access, subscription=subscription)
        if access.reason is Reason.OTHER_PRODUCT:
            return NotFound(reason="other_product")
        created = subscription.created_at
        if created is not None and (checked_at - created).total_seconds() < YOUNG:
            return NotYet(retry_after=RETRY_AFTER)
        return NotFound(reason="over")


def _check(wait: object) -> None:
    # NaN compares false with everything, so the comparison refuses it too.
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait < math.inf:
        raise ConfigurationError("wait: must be a finite number of seconds, 0 or more")


def _retry_after(error: RMZError) -> int:
    seconds = getattr(error, "retry_after", None)
    return RETRY_AFTER if seconds is None else max(math.ceil(float(seconds)), 1)
