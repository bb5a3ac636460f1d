"""A cache of several processes, without the processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import anyio.lowlevel
import attrs

from rmz_async.paywall import Change, Changes, Fact


class Shared:
    """A cache in which another process has its say."""

    def __init__(self) -> None:
        self.facts: dict[str, Fact] = {}
        self.log: list[Change] = []
        self.leased: set[str] = set()
        self.other: Callable[[], Fact | None] = lambda: None
        self.before_lease: Fact | None = None
        self.failure: Exception | None = None

    async def get(self, user: str) -> Fact | None:
        """Return a fact."""
        await self.reach()
        return self.facts.get(user)

    async def put(self, user: str, fact: Fact) -> None:
        """Store a fact."""
        await self.reach()
        self.facts[user] = fact

    async def announce(self, change: Change) -> None:
        """Doubt a fact."""
        await self.reach()
        self.log.append(change)
        if change.user in self.facts:
            self.facts[change.user] = attrs.evolve(self.facts[change.user], is_doubted=True)

    async def changes(self, after: str | None) -> Changes:
        """Return the changes since a mark."""
        await self.reach()
        return Changes(mark=str(len(self.log)), changes=self.log[int(after or 0) :])

    async def lease(self, user: str) -> str | None:
        """Give a lease, if nobody has it."""
        await self.reach()
        if user in self.leased:
            return None
        if self.before_lease is not None:
            self.facts[user] = self.before_lease
        self.leased.add(user)
        return "token"

    async def release(self, user: str, token: str) -> None:
        """Take it back."""
        await self.reach()
        assert token == "token"
        self.leased.discard(user)

    async def learnt(self, user: str, *, after: datetime | None, seconds: float) -> Fact | None:
        """Let the other process answer."""
        await self.reach()
        assert seconds > 0
        assert after is None or user in self.facts
        return self.other()

    async def reach(self) -> None:
        """Fail, if that is the story."""
        await anyio.lowlevel.checkpoint()
        if self.failure is not None:
            raise self.failure
