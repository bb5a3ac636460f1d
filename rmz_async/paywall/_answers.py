"""The answers of a paywall if memory has none that may be used: from RMZ or other processes."""

from __future__ import annotations

import math
from datetime import datetime
from functools import partial
from os import PathLike

import attrs

from rmz_async import operations
from rmz_async._flights import Flights
from rmz_async.errors import ConfigurationError, ConnectionFailedError, InvalidRequestError
from rmz_async.models import CheckoutSession, Subscription
from rmz_async.observing import Observer
from rmz_async.paywall._background import Background
from rmz_async.paywall._confirming import Confirming
from rmz_async.paywall._doubts import Doubts
from rmz_async.paywall._expectations import Expectations
from rmz_async.paywall._facts import Facts, Usable
from rmz_async.paywall._judging import Judging
from rmz_async.paywall._lookups import Lookups, Urgency
from rmz_async.paywall._memory import Memory
from rmz_async.paywall._on_outage import OnOutage
from rmz_async.paywall._purchase import Purchase
from rmz_async.paywall._query import Query
from rmz_async.paywall._reachability import SLOT_PAUSE, Reachability
from rmz_async.paywall._recording import Recording
from rmz_async.paywall._refreshing import Refreshing
from rmz_async.paywall._reported import ReportedChanges
from rmz_async.paywall._slugs import ShownSlugs
from rmz_async.paywall._snapshot import snapshot_at
from rmz_async.paywall._stale import STALE_LIFETIME, Stale
from rmz_async.paywall._state import Bought, Secrets, State
from rmz_async.paywall._steady import steady_clock
from rmz_async.paywall._users import is_user, validate
from rmz_async.paywall.access import Access, Source
from rmz_async.paywall.decisions import decide_fact
from rmz_async.paywall.lifetimes import Lifetimes
from rmz_async.paywall.outcomes import Confirmation, Confirmed
from rmz_async.paywall.policy import Policy
from rmz_async.paywall.sharing import AccessCache, Change, Fact
from rmz_async.paywall.status import PaywallStatus
from rmz_async.webhooks.events import Event

__all__ = ("Answers",)

# Users without access are remembered for 5 seconds: more of them would cost memory for nothing.
MOST_STRANGERS = 10_000

# The user about whom `ready` asks; no store has one of this name.
PROBE = "rmz-paywall-ready"


class Answers:
    """Comes to an answer about a user: from memory, from RMZ, or by the rules of an outage.

    Args:
        lookups: Asks RMZ.
        policy: The rules.
        lifetimes: How old an answer may be.
        on_outage: The rules of an outage.
        capacity: How many payers are remembered.
        keep_subscriptions: Whether answers from memory have their subscription.
        snapshot: The file of the known payers.
        shared: A cache of what other processes have learnt.
        state_secret: Signs the address to which customers come back.
        observer: Gets a record of each answer that memory did not have ready.
    """

    def __init__(
        self,
        lookups: Lookups,
        *,
        policy: Policy,
        lifetimes: Lifetimes,
        on_outage: str,
        capacity: int,
        keep_subscriptions: bool,
        snapshot: str | PathLike[str] | None,
        shared: AccessCache | None,
        state_secret: Secrets | None = None,
        observer: Observer | None = None,
    ) -> None:
        if type(capacity) is not int or capacity < 1:
            raise ConfigurationError("capacity: must be an integer of 1 or more")
        try:
            self._on_outage = OnOutage(on_outage)
        except ValueError:
            raise ConfigurationError("on_outage: must be keep-known, deny or allow") from None
        self._state = None if state_secret is None else State(state_secret)
        self.store: str = lookups.store
        self.policy: Policy = policy
        self._lookups = lookups
        self._lifetimes = lifetimes
        self._today = lookups.clock.today
        self._now = steady_clock(lookups.clock)
        self._recording = Recording(observer, self._today)
        self.memory: Memory = Memory(self._now, capacity, MOST_STRANGERS)
        self._reachability = Reachability(self._now)
        self._facts = Facts(lookups, shared, lifetimes.patience)
        self._expectations = Expectations(self._now)
        self._doubts = Doubts()
        self._flights: Flights[Access | None] = Flights()
        self._reported = ReportedChanges(
            self.memory, self._doubts, self._expectations, self._now, lookups.replica_lag
        )
        self._adopting: Flights[None] = Flights()
        self._refreshing = Refreshing(
            self._renew, lookups.per_minute, lookups.clock, lambda: self._reachability.pause
        )
        self._stale = Stale(self.memory, self._doubts, self._refreshing, lifetimes, self._now)
        self._slugs = ShownSlugs()
        self._judging = Judging(
            policy=policy,
            lifetimes=lifetimes,
            keep_subscriptions=keep_subscriptions,
            memory=self.memory,
            facts=self._facts,
            doubts=self._doubts,
            expectations=self._expectations,
            stale=self._stale,
            slugs=self._slugs,
            today=self._today,
            now=self._now,
        )
        self.background: Background = Background(
            self.memory,
            self._doubts,
            self._refreshing,
            snapshot_at(snapshot, self.store, policy),
            lambda user, access: self._judging.remember(user, access, lifetimes.soft),
            None if shared is None else self._facts.changes,
            self._reported.note,
        )
        self._failed = 0

    async def check(self, user: str) -> Access:
        """Return the answer about a user for whom memory has none that may be handed out."""
        user = validate(user)
        known = self.memory.fresh(user)
        if known is not None:
            return known
        return await self._recording.observed("check", self._answer(user))

    async def _answer(self, user: str) -> Access:
        entry = self.memory.payer(user)
        if self._facts.are_shared and not self._stale.allows(user, entry):
            await self._adopting.join(user, partial(self._adopt, user))
            fresh, entry = self.memory.fresh(user), self.memory.payer(user)
            if fresh is not None:
                return fresh
        if entry is None:
            access = await self._ask(user, Urgency.STRANGER)
        elif self._stale.allows(user, entry):
            stale = self._stale.hand_out(user, entry)
            if self._refreshing.later(user):
                return stale
            access = await self._ask(user, Urgency.PAYER)
            return stale if access is None else access
        else:
            access = await self._ask_patiently(user)
        if access is None:
            # Read again, because a purchase may have been confirmed here meanwhile.
            access, entry = self.memory.fresh(user), self.memory.payer(user)
            if access is None and entry is not None and self._on_outage is not OnOutage.DENY:
                is_outage = self._reachability.pause > 0
                access = self._stale.keep_known(user, entry, is_outage=is_outage)
        return self._cannot_say() if access is None else access

    async def refresh(self, user: str, source: Source = Source.API) -> Access:
        """Ask RMZ about a user now."""
        user = validate(user)
        return await self._recording.observed("refresh", self._refreshed(user, source))

    async def _refreshed(self, user: str, source: Source) -> Access:
        urgency = Urgency.REPORTED if source is Source.WEBHOOK else Urgency.BACKGROUND
        request = partial(self._request, user, urgency, source=source, usable=None)
        access = await self._flights.join(user, request, begun_later=True)
        if access is None:
            problem = self._reachability.problem or "its answer does not show a change yet"
            raise ConnectionFailedError(
                f"RMZ has given the paywall no certain answer ({problem}); what the paywall knows "
                "is kept, and asking again is safe",
                operation=operations.SUBSCRIPTIONS_LOOKUP.name,
            )
        return access

    async def feed(self, event: Event) -> None:
        """Ask RMZ about the customer of an event."""
        found = event.subscription
        # Another program of the shop may name users as no check can.
        if found is None or not is_user(name := found.external_customer_id):
            return
        user = name.strip()
        at = self._today()
        change = Change(user=user, at=at, subscription_id=found.id, status=found.status)
        first = self._reported.first((event.dedupe_key, user), change)
        if first is change:
            self._reported.doubt(change)
        # The cache may not have answered the first time; processes that know the change ignore it.
        await self._facts.announce(first)
        try:
            await self.refresh(user, Source.WEBHOOK)
        except ConnectionFailedError:
            # The paywall asks when RMZ answers again: the event may be fed again much later.
            self._refreshing.later(user, first=True)
            raise

    async def confirm(self, query: Query, user: str, wait: float) -> Confirmation:
        """Return what became of a purchase."""
        user = validate(user)
        settled = self._doubts.settled_at(user)

        def learn(user: str, subscription: Subscription, checked_at: datetime) -> Access:
            if self._doubts.overtook(user, checked_at, settled):
                # Memory has a newer answer.
                return self._judging.by(subscription, checked_at)
            return self.confirmed(user, subscription, checked_at)

        confirming = Confirming(lookups=self._lookups, state=self._state, learn=learn)
        outcome = await confirming.confirm(query, user, wait)
        if isinstance(outcome, Confirmed):
            # The next page view may come to another process, which has refused the user just now.
            at = outcome.access.checked_at
            await self._facts.share(user, Fact((outcome.subscription,), at, is_partial=True))
            self._recording.report(outcome.access)
        return outcome

    async def start(self, user: str, purchase: Purchase) -> CheckoutSession:
        """Create a checkout session, with the state of the user in its address."""
        user = validate(user)
        if self._state is not None:
            bought = Bought(purchase.product_id, purchase.variant_id)
            url = self._state.added_to(purchase.success_url, user, bought)
            purchase = attrs.evolve(purchase, success_url=url)
        return await self._lookups.start(user, purchase)

    def confirmed(self, user: str, subscription: Subscription, checked_at: datetime) -> Access:
        """Take over a subscription of a user that RMZ's API has just returned.

        Args:
            user: Its ``external_customer_id``.
            subscription: As it was returned.
            checked_at: When RMZ was asked; UTC.

        Returns:
            The answer that this subscription gives without others; a grant is remembered.
        """
        self._reported.returned(user, subscription, checked_at)
        access = self._judging.by(subscription, checked_at)
        if access.granted:
            self._judging.remember(user, access, self._lifetimes.soft)
        return access

    async def ready(self) -> None:
        """Ask RMZ until an answer came, or until payers are known."""
        while not self.is_ready:
            await self._ask(PROBE, Urgency.BACKGROUND)
            if not self.is_ready:
                await self._lookups.clock.sleep(max(self._reachability.pause, SLOT_PAUSE))

    @property
    def is_ready(self) -> bool:
        """Whether RMZ has answered once, or payers are known."""
        return self._reachability.answered or len(self.memory) > 0

    def status(self) -> PaywallStatus:
        """Return the present state."""
        return PaywallStatus(
            reachable=self._reachability.pause == 0,
            problem=self._reachability.problem,
            known=len(self.memory),
            waiting=self._refreshing.waiting,
            stretch=self._stale.stretch,
            hard=self._stale.oldest,
            asked=self._facts.asked,
            failed=self._failed,
            handed_out=self.memory.handed_out,
        )

    async def _ask(self, user: str, urgency: Urgency) -> Access | None:
        if self._reachability.pause:
            return await self._known_elsewhere(user)
        usable = partial(self._judging.is_usable, user)
        request = partial(self._request, user, urgency, usable=usable)
        return await self._flights.join(user, request)

    async def _ask_patiently(self, user: str) -> Access | None:
        """Ask about a payer whose last answer is not to be used unless RMZ is down."""
        access = await self._ask(user, Urgency.RETURNING)
        pause = self._reachability.first_pause
        if access is None and 0 < pause < self._lifetimes.patience:
            # A failure or two are no outage yet: RMZ may answer now.
            await self._lookups.clock.sleep(pause)
            access = await self._ask(user, Urgency.RETURNING)
        return access

    async def _renew(self, user: str) -> None:
        """Ask about a payer in the background, unless another task has done so meanwhile."""
        entry = self.memory.payer(user)
        if user in self._doubts:
            await self._ask(user, Urgency.REPORTED)
        elif entry is not None and self._now() >= entry.learnt + self._lifetimes.soft:
            await self._ask(user, Urgency.BACKGROUND)

    async def _request(
        self, user: str, urgency: Urgency, *, usable: Usable | None, source: Source = Source.API
    ) -> Access | None:
        shareable = partial(self._expectations.shareable, user)
        learn = partial(self._facts.learn, user, urgency, usable, shareable)
        try:
            fact, is_answer = await self._doubts.outlasting(user, learn)
        except InvalidRequestError:
            raise
        # A token source or a quota store may raise any error, and a known payer must still come in.
        except Exception as error:  # noqa: BLE001 - see above
            self._reachability.failed(error)
            self._failed += 1
            return await self._known_elsewhere(user) if usable is not None else None
        self._reachability.succeeded()
        return self._judging.conclude(user, fact, source, is_answer=is_answer)

    async def _adopt(self, user: str) -> None:
        """Take over a payer whom another process knows, however old its answer is."""
        fact = await self._newer_elsewhere(user)
        if fact is None:
            return
        # Judged as of then, because a user whose paid time has just ended is no stranger.
        access = decide_fact(fact, self.policy, fact.checked_at)
        if access.granted:
            if fact.is_doubted:
                self._doubts.add(user, self._today())
            self._judging.remember(user, access, self._stale.soft)

    async def _known_elsewhere(self, user: str) -> Access | None:
        """Return the answer of another process that is newer, while RMZ cannot be asked."""
        fact = await self._newer_elsewhere(user)
        if fact is None:
            return None
        access = decide_fact(fact, self.policy, self._today(), Source.STALE)
        if access.granted:
            age = (self._today() - fact.checked_at).total_seconds()
            if self._on_outage is OnOutage.DENY or age >= self._lifetimes.max_stale:
                return None
            self._judging.remember(user, access, age + STALE_LIFETIME)
            return access
        if not access.certain:
            return None
        if self._judging.is_usable(user, fact):
            return access
        # A grant in memory was taken back, and the refusal is too old to be returned.
        self.memory.forget(user)
        return self._cannot_say()

    async def _newer_elsewhere(self, user: str) -> Fact | None:
        settled = self._doubts.settled_at(user)
        fact = await self._facts.remembered(user)
        if fact is None or self._doubts.overtook(user, fact.checked_at, settled):
            return None
        # Read last, because a purchase may have been confirmed here meanwhile.
        entry = self.memory.payer(user)
        if entry is not None and fact.checked_at <= entry.access.checked_at:
            return None
        return fact

    def _cannot_say(self) -> Access:
        retry_after = math.ceil(max(self._reachability.pause, SLOT_PAUSE))
        return self._on_outage.without_an_answer(self._today(), retry_after)
