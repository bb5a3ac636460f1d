"""The paywall: remembers who has access, and spends RMZ's requests well."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, cast

import anyio

from rmz_async.client import Client
from rmz_async.errors import ConfigurationError, InvalidRequestError
from rmz_async.models import CheckoutSession, NewCustomer
from rmz_async.observing import Observer
from rmz_async.paywall._on_outage import OnOutage
from rmz_async.paywall._wanted import Wanted
from rmz_async.paywall.access import Access
from rmz_async.paywall.lifetimes import Lifetimes, lifetimes_of
from rmz_async.paywall.outcomes import Confirmation
from rmz_async.paywall.policy import Policy
from rmz_async.paywall.sharing import AccessCache
from rmz_async.paywall.status import PaywallStatus
from rmz_async.plans import Plan
from rmz_async.webhooks.events import Event

if TYPE_CHECKING:
    from rmz_async.paywall._product_answers import ProductAnswers
    from rmz_async.paywall._query import Query

__all__ = ("Paywall",)

Path: TypeAlias = "str | PathLike[str]"

# Users that `check_many` asks for at the same time.
AT_THE_SAME_TIME = 10


class Paywall:
    """Answers whether a user has access, nearly always from memory.

    A grant may be as old as *lifetimes* say. A refusal is at most 5 seconds old: if it is older,
    RMZ is asked first. If RMZ cannot be asked, the answer is not ``certain``: answer 503 and not
    402. All tasks and threads that ask for one user at the same time share one request.

    ``async with`` keeps a background task that asks RMZ again before answers are too old. Without
    it, a check does that now and then.

    Args:
        rmz: The client; it stays open when the paywall ends.
        product_ids: The products that let a user in; None means all products of the store.
        policy: The rules, if RMZ's own are not yours; in place of *product_ids*.
        lifetimes: How old an answer may be.
        on_outage: The answer if RMZ cannot be asked. ``keep-known`` lets those in who were known to
            pay, for ``lifetimes.max_stale``; ``deny`` lets nobody in; ``allow`` lets everybody in.
        capacity: How many payers are remembered. Users without access are counted separately.
        keep_subscriptions: Whether answers from memory have their ``subscription``; without it a
            payer takes a fraction of the memory.
        snapshot: A file of the known payers, for a process that starts while RMZ cannot be asked.
            The file holds personal data. Read and written by ``async with``.
        shared: A cache that several processes share, such as `RedisAccessCache`.
        state_secret: Signs the address to which customers come back, so that `confirm` refuses a
            copied one; 16 or more characters. Or several: the first one signs, and all are
            accepted. Install ``rmz[paywall]``.
        observer: Gets a record of each answer that memory did not have ready; see
            :mod:`rmz_async.observing`.

    Raises:
        ConfigurationError: An option breaks a rule; the message names both.
    """

    def __init__(
        self,
        rmz: Client,
        *,
        product_ids: Iterable[int] | None = None,
        policy: Policy | None = None,
        lifetimes: Lifetimes | None = None,
        on_outage: OnOutage | Literal["keep-known", "deny", "allow"] = OnOutage.KEEP_KNOWN,
        capacity: int = 1_000_000,
        keep_subscriptions: bool = True,
        snapshot: Path | None = None,
        shared: AccessCache | None = None,
        state_secret: str | Sequence[str] | None = None,
        observer: Observer | None = None,
    ) -> None:
        # A program without a paywall starts faster, because it does not import these.
        from rmz_async.paywall._lookups import RMZLookups
        from rmz_async.paywall._product_answers import ProductAnswers
        from rmz_async.paywall._state import hidden

        secrets = hidden(state_secret)
        del state_secret
        if policy is None:
            policy = Policy(product_ids=product_ids)
        elif not isinstance(cast("object", policy), Policy):
            raise ConfigurationError("policy: must be a Policy")
        elif product_ids is not None:
            raise ConfigurationError(
                "product_ids, policy: pass only one of them; Policy(product_ids=…) has them, too"
            )
        lifetimes = Lifetimes() if lifetimes is None else lifetimes_of(lifetimes)
        self._use(
            ProductAnswers(
                RMZLookups(rmz, lifetimes.patience),
                policy=policy,
                lifetimes=lifetimes,
                on_outage=on_outage,
                capacity=capacity,
                keep_subscriptions=keep_subscriptions,
                snapshot=snapshot,
                shared=shared,
                state_secret=secrets,
                observer=observer,
            )
        )

    def _use(self, answers: ProductAnswers) -> None:
        self._answers = answers
        # Bound once: a check from memory is one call.
        self._fresh = answers.memory.fresh
        self._stack: AsyncExitStack | None = None

    async def check(self, user: str, *products: str | Plan) -> Access:
        """Return whether a user has access.

        Args:
            user: The ``external_customer_id`` that you gave the user at the checkout.
            products: The products that let in, by their slugs, or plans from ``rmz.plans()``; any
                of them will do. If left out, all products that the paywall counts. With
                ``keep_subscriptions=False``, RMZ is asked each time that products are named.

        Returns:
            The answer; its reason and its end are those of *products*, if there are any. If
            ``certain`` is false, RMZ could not be asked in time, and nothing that is known lets the
            user in.

        Raises:
            InvalidRequestError: *user* is empty, or longer than 191 characters.
            ConfigurationError: A product is neither a slug nor a plan.
        """
        if products:
            wanted = Wanted.of(products)
            known = self._answers.ready_for(user, wanted)
            if known is not None:
                return known
            return await self._answers.check_for(user, wanted)
        access = self._fresh(user)
        return access if access is not None else await self._answers.check(user)

    async def check_many(self, users: Iterable[str], *products: str | Plan) -> dict[str, Access]:
        """Return the answer for each of several users.

        Args:
            users: As for `check`.
            products: As for `check`, the same for all users.

        Returns:
            The answers, in the order of *users*.

        Raises:
            InvalidRequestError: A user is empty, or longer than 191 characters, or *users* is a
                single string.
            ConfigurationError: A product is neither a slug nor a plan.
        """
        # A single string would be asked for letter by letter, with a request for each.
        if isinstance(users, str):
            raise InvalidRequestError("users: must be several users; check() takes a single one")
        wanted = Wanted.of(products) if products else None
        found = {user: self._ready(user, wanted) for user in users}
        refused = [user for user, access in found.items() if access is not None and not access]
        limiter = anyio.CapacityLimiter(AT_THE_SAME_TIME)
        errors: list[Exception] = []

        async def learn(user: str) -> None:
            try:
                async with limiter:
                    found[user] = await self._learn(user, wanted)
            # The first one is raised below, without the group that a task would wrap it in.
            except Exception as error:  # noqa: BLE001 - see above
                errors.append(error)

        async with anyio.create_task_group() as tasks:
            for user, access in list(found.items()):
                if access is None:
                    tasks.start_soon(learn, user)
        if errors:
            raise errors[0]
        for user in refused:
            # A purchase may have been confirmed while RMZ was asked about the others.
            found[user] = self._ready(user, wanted) or found[user]
        return {user: access for user, access in found.items() if access is not None}

    def _ready(self, user: str, wanted: Wanted | None) -> Access | None:
        return self._fresh(user) if wanted is None else self._answers.ready_for(user, wanted)

    async def _learn(self, user: str, wanted: Wanted | None) -> Access:
        if wanted is None:
            return await self._answers.check(user)
        return await self._answers.check_for(user, wanted)

    async def refresh(self, user: str) -> Access:
        """Ask RMZ about a user now.

        Args:
            user: As for `check`.

        Returns:
            The answer of this moment.

        Raises:
            InvalidRequestError: *user* is empty, or longer than 191 characters.
            ConnectionFailedError: RMZ could not be asked; what is known is kept.
        """
        return await self._answers.refresh(user)

    async def feed(self, event: Event) -> None:
        """Learn from a webhook: RMZ is asked about the customer of *event* immediately.

        The event itself decides nothing, as events come late and out of order. ``receiver.feeds``
        registers this as a handler.

        Args:
            event: An event of any type; those without a subscription change nothing.

        Raises:
            ConnectionFailedError: RMZ could not be asked; feed the event again later.
        """
        await self._answers.feed(event)

    async def ready(self, timeout: float = 10.0) -> bool:  # noqa: ASYNC109 - its end is an answer
        """Wait until the paywall can decide: RMZ has answered, or payers are known.

        Args:
            timeout: Seconds.

        Returns:
            Whether the paywall can decide.
        """
        with anyio.move_on_after(timeout):
            await self._answers.ready()
        return self._answers.is_ready

    async def confirm(self, query: Query, *, user: str, wait: float = 8.0) -> Confirmation:
        """Confirm a purchase, after RMZ has sent the customer back to ``success_url``.

        The query proves nothing, as anyone can type another id. The subscription is read from RMZ,
        and its ``external_customer_id`` is compared with *user*. With a ``state_secret``, the
        address must be one that `start` made for this user, within the last hour.

        Args:
            query: The query of the request: a string, a mapping, or as your framework has it.
            user: Your signed-in user.
            wait: Seconds to wait for a subscription that RMZ does not show yet. Without a
                ``state_secret`` there is no wait, because anyone could make a server wait.

        Returns:
            `Confirmed`, `NotYet`, `SomeoneElses` or `NotFound`; in ``if``, only the first is true.

        Raises:
            InvalidRequestError: *user* is empty, or longer than 191 characters.
            ConfigurationError: *query* is of another form, or *wait* is no number of seconds.
        """
        return await self._answers.confirm(query, user, wait)

    async def start(
        self,
        user: str,
        *,
        plan: Plan,
        customer: NewCustomer | int,
        success_url: str,
        cancel_url: str,
        metadata: Mapping[str, str] | None = None,
    ) -> CheckoutSession:
        """Create a checkout session for a user.

        With a ``state_secret``, *success_url* gets a signed parameter, so that a link that somebody
        has copied is refused by `confirm`. All else in the address stays as it is.

        Args:
            user: Your signed-in user; becomes the ``external_customer_id``.
            plan: The plan to buy, from ``rmz.plans()``.
            customer: As for ``checkout_sessions.create``.
            success_url: Absolute http or https URL; call `confirm` there.
            cancel_url: Absolute http or https URL.
            metadata: As for ``checkout_sessions.create``.

        Returns:
            The address to send the customer to.

        Raises:
            RMZError: As ``checkout_sessions.create`` says.
            InvalidRequestError: *plan* is no plan.
        """
        if not isinstance(cast("object", plan), Plan):
            raise InvalidRequestError(
                'plan: must be a plan, such as plans["pro-plan", "annually"] of rmz.plans()'
            )
        from rmz_async.paywall._purchase import Purchase

        purchase = Purchase(
            product_id=plan.product_id,
            variant_id=plan.variant_id,
            customer=customer,
            success_url=success_url,
            cancel_url=cancel_url,
            metadata=metadata,
        )
        return await self._answers.start(user, purchase)

    @property
    def status(self) -> PaywallStatus:
        """The present state, for a status page."""
        return self._answers.status()

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise ConfigurationError("this paywall is in use in an `async with` already")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._answers.background.working())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.aclose()

    @property
    def answers(self) -> ProductAnswers:
        """The implementation, for the paywall of ``rmz_sync`` and for doubles."""
        return self._answers

    def __repr__(self) -> str:
        answers = getattr(self, "_answers", None)
        return "<Paywall>" if answers is None else f"<Paywall of {answers.store}>"
