"""The paywall, for code that cannot await."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast

from rmz_async._per_loop import PerLoop
from rmz_async.errors import ConfigurationError
from rmz_async.models import CheckoutSession, NewCustomer
from rmz_async.observing import Observer
from rmz_async.paywall import (
    Access,
    AccessCache,
    Confirmation,
    Lifetimes,
    OnOutage,
    PaywallStatus,
    Policy,
)
from rmz_async.paywall import Paywall as AsyncPaywall
from rmz_async.paywall._wanted import Wanted
from rmz_async.plans import Plan
from rmz_async.webhooks import Event
from rmz_sync._portal import Portal
from rmz_sync.client import Client

if TYPE_CHECKING:
    from rmz_async.paywall._product_answers import ProductAnswers
    from rmz_async.paywall._query import Query

__all__ = ("Paywall",)

T = TypeVar("T")


class Paywall:
    """Answers whether a user has access, nearly always from memory.

    A grant may be as old as *lifetimes* say. A refusal is at most 5 seconds old: if it is older,
    RMZ is asked first. If RMZ cannot be asked, the answer is not ``certain``: answer 503 and not
    402. All threads that ask for one user at the same time share one request.

    Any thread may use it, and a process that forks may use it on both sides. RMZ is asked again in
    the client's thread before answers are too old.

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
            The file holds personal data.
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
        snapshot: str | PathLike[str] | None = None,
        shared: AccessCache | None = None,
        state_secret: str | Sequence[str] | None = None,
        observer: Observer | None = None,
    ) -> None:
        # Imported here, as in `AsyncPaywall`: a program without a paywall starts faster.
        from rmz_async.paywall._state import hidden

        secrets: Any = hidden(state_secret)
        del state_secret
        if not isinstance(cast("object", rmz), Client):
            raise ConfigurationError(
                "rmz: must be a Client of rmz_sync; rmz_async has a Paywall, too"
            )
        wrapped = AsyncPaywall(
            rmz._wrapped,  # pyright: ignore[reportPrivateUsage] - of the same package
            product_ids=product_ids,
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
        portal = rmz._portal  # pyright: ignore[reportPrivateUsage] - of the same package
        # The client ends its thread when it is collected, so it must live as long as this.
        self._client: Client | None = rmz
        self._use(wrapped, portal)

    def _use(self, wrapped: AsyncPaywall, portal: Portal) -> None:
        self._wrapped = wrapped
        self._portal = portal
        self._answers = wrapped.answers
        self._fresh = self._answers.memory.fresh
        self._background: PerLoop[BackgroundTask] = PerLoop(
            lambda: BackgroundTask(self._answers.background.work)
        )

    def check(self, user: str, *products: str | Plan) -> Access:
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
            return self._ask(self._answers.check_for, user, wanted)
        access = self._fresh(user)
        if access is not None:
            return access
        return self._ask(self._wrapped.check, user)

    def check_many(self, users: Iterable[str], *products: str | Plan) -> dict[str, Access]:
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
        # A generator's own code runs in the caller's thread.
        several = users if isinstance(users, str) else tuple(users)
        return self._ask(self._wrapped.check_many, several, *products)

    def refresh(self, user: str) -> Access:
        """Ask RMZ about a user now.

        Args:
            user: As for `check`.

        Returns:
            The answer of this moment.

        Raises:
            InvalidRequestError: *user* is empty, or longer than 191 characters.
            ConnectionFailedError: RMZ could not be asked; what is known is kept.
        """
        return self._ask(self._wrapped.refresh, user)

    def feed(self, event: Event) -> None:
        """Learn from a webhook: RMZ is asked about the customer of *event* immediately.

        The event itself decides nothing, as events come late and out of order. ``receiver.feeds``
        registers this as a handler.

        Args:
            event: An event of any type; those without a subscription change nothing.

        Raises:
            ConnectionFailedError: RMZ could not be asked; feed the event again later.
        """
        self._ask(self._wrapped.feed, event)

    def ready(self, timeout: float = 10.0) -> bool:
        """Wait until the paywall can decide: RMZ has answered, or payers are known.

        Args:
            timeout: Seconds.

        Returns:
            Whether the paywall can decide.
        """
        return self._ask(self._wrapped.ready, timeout)

    def confirm(self, query: Query, *, user: str, wait: float = 8.0) -> Confirmation:
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
        confirm = partial(self._wrapped.confirm, query, user=user, wait=wait)
        return self._ask(confirm)

    def start(
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
        start = partial(
            self._wrapped.start,
            user,
            plan=plan,
            customer=customer,
            success_url=success_url,
            cancel_url=cancel_url,
            metadata=metadata,
        )
        return self._ask(start)

    @property
    def status(self) -> PaywallStatus:
        """The present state, for a status page."""
        return self._wrapped.status

    def close(self) -> None:
        """End the background, and write the snapshot; the client stays open."""
        if self._portal.is_closed:
            # With its thread, the client has ended the background.
            self._answers.background.write()
        else:
            self._portal.run(self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def answers(self) -> ProductAnswers:
        """The implementation, for doubles and for measurements."""
        return self._answers

    def __repr__(self) -> str:
        wrapped = getattr(self, "_wrapped", None)
        return "<Paywall>" if wrapped is None else repr(wrapped)

    def _ask(self, function: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
        try:
            return self._portal.run(self._run, function, *args)
        except ConfigurationError:
            if not self._portal.is_closed:
                raise
        # The answer over a closed client is that of `rmz_async`, and needs a loop.
        return Portal(self._portal.finish).run(self._run_closed, function, *args)

    async def _run_closed(
        self, function: Callable[..., Coroutine[Any, Any, T]], *args: object
    ) -> T:
        # A client that was never used has not closed what it wraps.
        await self._portal.finish()
        return await function(*args)

    async def _run(self, function: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
        background = self._background.for_running_loop()
        if background.task is None:
            background.begin()
            self._answers.background.begin()
            await self._answers.background.load()
        # Other threads may wait for the same request: an interruption here must not end it.
        asked = asyncio.ensure_future(function(*args))
        asked.add_done_callback(_look_at_error)
        return await asyncio.shield(asked)

    async def _end(self) -> None:
        background = self._background.pop_current()
        if background is not None and background.task is not None:
            background.task.cancel()
            await asyncio.wait([background.task])
        await self._answers.background.save()


def _look_at_error(asked: asyncio.Future[Any]) -> None:
    # asyncio would print the error of a request whose caller was interrupted.
    if not asked.cancelled():
        asked.exception()


class BackgroundTask:
    """The task that asks RMZ again, in one event loop.

    Args:
        work: Runs until it is cancelled.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self.task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start the task."""
        self.task = asyncio.get_running_loop().create_task(self._work())
