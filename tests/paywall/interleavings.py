"""Stories of a customer who pays, in which redirect, webhooks and page views come in any order.

RMZ answers reads from a replica that lags. A story is a list of moments; all steps of a moment
happen at the same time. Each story is made of a seed, which plays it again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, TypeAlias

import anyio
import attrs
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rmz_async import Client, ConnectionFailedError, Event, Paywall
from rmz_async.paywall import Confirmed, OnOutage
from rmz_async.sandbox import Sandbox
from rmz_async.webhooks import verify

SECRET = "an-example-secret-0123456789"
USER = "usr_new"

# `confirm` waits for 8 seconds.
LONGEST_LAG = 7.0
LONGEST_PAUSE = 3.0

Step: TypeAlias = Literal["redirect", "webhook", "check", "pause"]


@attrs.frozen(kw_only=True)
class Story:
    """A customer's way from the checkout into the shop.

    Attributes:
        lag: For how many seconds RMZ's reads show the state before the payment.
        looked_before: Whether the customer was refused just before the payment.
        on_outage: The paywall's rules of an outage.
        variant: Which of the store's plans is bought.
        moments: The steps after the payment.
        pauses: Seconds, one for each pause in order.
    """

    lag: float
    looked_before: bool
    on_outage: OnOutage
    variant: int
    moments: tuple[tuple[Step, ...], ...]
    pauses: tuple[float, ...]


def story_of(seed: int) -> Story:
    """Make the story of a seed."""
    chance = random.Random(seed)
    counts: dict[Step, int] = {
        "redirect": 1,
        "webhook": chance.randint(0, 3),
        "check": chance.randint(1, 5),
        "pause": chance.randint(0, 4),
    }
    steps: list[Step] = [step for step, count in counts.items() for _ in range(count)]
    chance.shuffle(steps)
    moments: list[tuple[Step, ...]] = []
    for step in steps:
        if moments and chance.random() < 0.4:
            moments[-1] = (*moments[-1], step)
        else:
            moments.append((step,))
    return Story(
        lag=chance.choice([0.0, chance.uniform(0.0, LONGEST_LAG)]),
        looked_before=chance.random() < 0.5,
        on_outage=chance.choice([OnOutage.KEEP_KNOWN, OnOutage.DENY]),
        variant=chance.randrange(1000),
        moments=tuple(moments),
        pauses=tuple(chance.uniform(0.0, LONGEST_PAUSE) for _ in range(counts["pause"])),
    )


async def problems_of(story: Story) -> list[str]:
    """Play a story against a sandbox; return how the customer was wronged."""
    async with Sandbox(throttle=False) as sandbox, sandbox.client() as rmz:
        return await Play(story, sandbox, rmz).problems()


class Play:
    """A story while it is played.

    Args:
        story: The story.
        sandbox: Its RMZ.
        rmz: A client of the sandbox.
    """

    def __init__(self, story: Story, sandbox: Sandbox, rmz: Client) -> None:
        self._story = story
        self._sandbox = sandbox
        self._rmz = rmz
        self._paywall = Paywall(rmz, on_outage=story.on_outage, state_secret=SECRET)
        self._events: list[Event] = []
        self._pauses = list(story.pauses)
        self._link = ""
        self._is_reported = False
        self._is_confirmed = False
        self._problems: list[str] = []

    async def problems(self) -> list[str]:
        """Play the story, and return what went wrong."""
        await self._pay()
        step_of: dict[Step, Callable[[], Coroutine[Any, Any, None]]] = {
            "redirect": self._redirect,
            "webhook": self._webhook,
            "check": self._check,
            "pause": self._pause,
        }
        for moment in self._story.moments:
            async with anyio.create_task_group() as tasks:
                for step in moment:
                    tasks.start_soon(step_of[step])
        await self._check()
        await self._sandbox.clock.advance(seconds=LONGEST_LAG)
        await self._check()
        return self._problems

    async def _pay(self) -> None:
        plans = list(await self._rmz.plans())
        self._sandbox.add_webhook("http://127.0.0.1/hook", secret=SECRET, app=self._deliver)
        if self._story.looked_before and (await self._paywall.check(USER)).granted:
            self._problems.append("let in before the payment")
        session = await self._paywall.start(
            USER,
            plan=plans[self._story.variant % len(plans)],
            customer=4501,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
        )
        self._sandbox.switches.replica_lag = self._story.lag
        number = await self._sandbox.pay(session.checkout_url)
        await self._sandbox.delivered()
        [success_url] = [
            one.success_url
            for one in self._sandbox.state.checkout_sessions.values()
            if one.external_customer_id == USER
        ]
        self._link = f"{success_url}&rmz-subscription-id={number}"

    async def _deliver(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        await Response(status_code=204)(scope, receive, send)
        event = verify(body, dict(Headers(scope=scope)), secrets=[SECRET])
        if event.subscription is not None:
            self._events.append(event)

    async def _redirect(self) -> None:
        outcome = await self._paywall.confirm(self._link, user=USER)
        self._is_confirmed = isinstance(outcome, Confirmed)
        if not self._is_confirmed:
            self._problems.append(f"the redirect ended in {outcome!r}")

    async def _webhook(self) -> None:
        self._is_reported = True
        for event in self._events:
            try:
                await self._paywall.feed(event)
            except ConnectionFailedError:
                # The inbox feeds the event again later, which only helps the customer.
                continue

    async def _check(self) -> None:
        was_confirmed, was_reported = self._is_confirmed, self._is_reported
        access = await self._paywall.check(USER)
        if not access.granted and was_confirmed:
            self._problems.append(f"not let in after the redirect: {access.reason}")
        elif not access.granted and access.certain and was_reported:
            self._problems.append(f"refused after a webhook: {access.reason}")

    async def _pause(self) -> None:
        await self._sandbox.clock.advance(timedelta(seconds=self._pauses.pop()))
