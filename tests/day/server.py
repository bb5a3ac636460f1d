"""A server of a shop: a paywall with a client and a memory of its own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
from anyio.abc import TaskStatus

from rmz_async import Event, Pacing, Paywall
from rmz_async.paywall import AccessCache, Confirmed
from rmz_async.redis import RedisQuotaStore
from tests.day.shop import PRODUCT
from tests.day.simulated_time import clock_of_loop, now, seconds
from tests.seams import async_client

__all__ = ("SECRET", "Answer", "Given", "Server")

SECRET = "an-example-secret-0123456789"


@attrs.frozen(kw_only=True)
class Answer:
    """The answer to a page view, and what the paywall says of itself at that moment.

    Attributes:
        granted: Whether the user is let in.
        certain: Whether a refusal was spoken.
        asked: When RMZ was asked.
        origin: The source of the answer, and its time; for messages.
        hard: The age that no grant exceeds.
        stretch: The factor of the lifetimes.
    """

    granted: bool
    certain: bool
    asked: datetime
    origin: str
    hard: float
    stretch: float


@attrs.frozen(kw_only=True)
class Given:
    """All that a server gets when it starts.

    Attributes:
        place: Which of the servers it is, from 1; a server that replaces another one has its place.
        count: How many servers there are.
        token: RMZ's token.
        base_url: RMZ's address.
        redis: The address of the Redis that they share; None if each is on its own.
        folder: For snapshots; None for none.
        options: For its paywall.
    """

    place: int
    count: int
    token: str
    base_url: str
    redis: str | None
    folder: Path | None
    options: dict[str, Any]


class Server:
    """A server.

    Args:
        given: The orders.
        way: Its way to RMZ.
        shared: The cache that it shares with others; None for none.
    """

    def __init__(
        self, given: Given, way: httpx.AsyncBaseTransport, shared: AccessCache | None
    ) -> None:
        self._is_reported = anyio.Event()
        self._has_ended = anyio.Event()
        pacing = Pacing()
        if given.redis is not None:
            store = RedisQuotaStore(
                given.redis,
                processes=given.count,
                timeout=5,
                _clock=seconds,
                _server_time=lambda: now().timestamp(),
            )
            pacing = Pacing(store=store)
        self._rmz = async_client(
            clock_of_loop(),
            given.token,
            base_url=given.base_url,
            http=httpx.AsyncClient(transport=way),
            pacing=pacing,
        )
        folder = given.folder
        self._paywall = Paywall(
            self._rmz,
            product_ids=[PRODUCT],
            snapshot=None if folder is None else folder / f"payers-{given.place}.jsonl",
            shared=shared,
            state_secret=SECRET,
            **given.options,
        )

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Serve until it is asked to end."""
        async with self._rmz, self._paywall:
            task_status.started()
            await self._is_reported.wait()
        self._has_ended.set()

    async def end(self) -> None:
        """Stop as a server does that is asked to."""
        self._is_reported.set()
        await self._has_ended.wait()

    async def check(self, user: str) -> Answer:
        """Answer a page view."""
        access, status = await self._paywall.check(user), self._paywall.status
        origin = f"{access.source} of {access.checked_at:%H:%M:%S.%f}"
        return Answer(
            granted=access.granted,
            certain=access.certain,
            asked=access.checked_at,
            origin=origin,
            hard=status.hard,
            stretch=status.stretch,
        )

    async def feed(self, event: Event) -> None:
        """Pass an event on."""
        await self._paywall.feed(event)

    async def change(self, kind: str, number: int) -> None:
        """Change a subscription; the kinds are those of `CHANGES`."""
        subscriptions = self._rmz.subscriptions
        match kind:
            case "cancel":
                await subscriptions.cancel(number, effective="immediate")
            case "cancel at the end":
                await subscriptions.cancel(number, effective="end_of_period")
            case "pause":
                await subscriptions.pause(number)
            case "unpause":
                await subscriptions.unpause(number)
            case _:
                await subscriptions.extend(number, days=7)

    async def start(self, user: str) -> str:
        """Return the address of a checkout page for a user."""
        plans = await self._rmz.plans()
        session = await self._paywall.start(
            user,
            plan=plans["pro-plan", "annually"],
            customer=4501,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
        )
        return session.checkout_url

    async def confirm(self, link: str, user: str) -> bool:
        """Return whether a redirect is confirmed."""
        return isinstance(await self._paywall.confirm(link, user=user), Confirmed)
