"""Facts about users, shared in Redis by the paywalls of several processes."""

from __future__ import annotations

import hashlib
import json
import math
import threading
import uuid
from contextlib import suppress
from datetime import datetime
from typing import Any

import anyio

from rmz_async._decoding.converter import from_dict
from rmz_async.errors import ConfigurationError, RMZError
from rmz_async.models import Subscription, SubscriptionStatus
from rmz_async.paywall.sharing import Change, Changes, Fact
from rmz_async.redis import _scripts
from rmz_async.redis._link import Link
from rmz_async.redis._presence import Presence

__all__ = ("RedisAccessCache",)

# Milliseconds after which a lease ends that nobody renews: its machine is off, or has stopped for
# so long. Redis sees the end of a process that is killed, and its lease ends with it.
LEASE = 600

# A lease is renewed so often before it ends.
RENEWALS = 4

# Seconds between two reads for the answer of another process.
READ_EVERY = 0.05

# The length of a token.
TOKEN = len(uuid.uuid4().hex)

# The answer of a renewal if Redis does not see this process listen.
UNSEEN = 1

# Changes that are kept, and the seconds after which they end if no other one comes.
CHANGES_KEPT = 10_000
CHANGES_END = 3_600


class RedisAccessCache:
    """Shares facts about users in Redis, so that one process asks RMZ for all.

    Give it to `Paywall` as *shared*. The values are personal data: names, phone numbers, e-mail
    addresses and plans, as RMZ sends them. Protect Redis with a password and TLS. The facts end by
    themselves; the names of the keys hold hashes of the shop and of the user.

    Args:
        url: The server's address, such as ``rediss://:password@host:6379/0``.
        shop: Any string that differs for each shop, the same in all processes; such as the token.
        ttl: Seconds after which a fact ends; above 0. In an outage, a payer is known until then.
        prefix: The beginning of each key.
        timeout: Seconds that Redis may take for one answer; above 0, at most 5.

    Raises:
        ConfigurationError: An argument breaks its rule.
        MissingExtraError: The package ``redis`` is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        shop: str,
        ttl: float = 86_400.0,
        prefix: str = "rmz:",
        timeout: float = 0.25,
    ) -> None:
        if not shop or type(shop) is not str:
            raise ConfigurationError("shop: must be a string that is not empty")
        if isinstance(ttl, bool) or not 0 < ttl < math.inf:
            raise ConfigurationError("ttl: must be a finite number of seconds above 0")
        self._link = Link(url, timeout)
        self._shop = shop
        self._ttl = max(1, int(ttl * 1000))
        self._prefix = prefix
        digest = hashlib.sha256(f"rmz changes\0{shop}".encode()).hexdigest()
        self._log = f"{prefix}access:{{{digest[:32]}}}:changes"
        self._held: dict[str, threading.Event] = {}
        self._presence = Presence(self._link, f"{prefix}access:alive:")

    async def get(self, user: str) -> Fact | None:
        """Return what a process has learnt about a user, or None."""
        key = self._key(user)
        value, reported = await self._link.run("MGET", key, f"{key}:reported")
        return _read(value, reported)

    async def put(self, user: str, fact: Fact) -> None:
        """Store what this process has learnt, unless a newer fact is known."""
        at = fact.checked_at.timestamp()
        value = {
            "at": at,
            "checked_at": fact.checked_at.isoformat(),
            "subscriptions": [each.to_dict() for each in fact.subscriptions],
            "is_partial": fact.is_partial,
        }
        key = self._key(user)
        await self._link.run("EVAL", _scripts.PUT, 1, key, json.dumps(value), self._ttl, repr(at))

    async def announce(self, change: Change) -> None:
        """Let all processes know of a change."""
        at = change.at.isoformat()
        # The fact itself stays: a payer is known by it while RMZ cannot be asked.
        await self._link.run("SET", f"{self._key(change.user)}:reported", at, "PX", self._ttl)
        value = {
            "user": change.user,
            "at": at,
            "subscription_id": change.subscription_id,
            "status": str(change.status),
        }
        script, kept = _scripts.ANNOUNCE, (CHANGES_KEPT, CHANGES_END)
        await self._link.run("EVAL", script, 1, self._log, json.dumps(value), *kept)

    async def changes(self, after: str | None) -> Changes:
        """Return the changes that were announced since a mark."""
        mark, *rows = await self._link.run("EVAL", _scripts.CHANGES, 1, self._log, after or "0-0")
        return Changes(mark=mark, changes=tuple(filter(None, map(_change, rows))))

    async def lease(self, user: str) -> str | None:
        """Return a token if this process may ask RMZ; None if another process asks now."""
        token = uuid.uuid4().hex
        key = self._lease_key(user)
        # A process that has asked before is seen from the first moment of a lease on.
        channel = self._presence.channel
        if not await self._link.run("EVAL", _scripts.TAKE, 1, key, token, LEASE, channel):
            return None
        ended = self._held[token] = threading.Event()
        threading.Thread(
            target=self._renew, args=(key, token, ended), name="rmz-lease", daemon=True
        ).start()
        return token

    async def release(self, user: str, token: str) -> None:
        """Give back a lease of this process."""
        ended = self._held.pop(token, None)
        if ended is not None:
            ended.set()
        await self._link.run("EVAL", _scripts.RELEASE, 1, self._lease_key(user), token)

    async def learnt(self, user: str, *, after: datetime | None, seconds: float) -> Fact | None:
        """Wait for the answer of the process that asks now; see `AccessCache.learnt`."""
        key = self._key(user)
        look = ("EVAL", _scripts.LOOK, 3, self._lease_key(user), key, f"{key}:reported", TOKEN)
        with anyio.move_on_after(seconds):
            while True:
                # Read in one step, because a fact is stored before its lease ends.
                rest, value, reported = await self._link.run(*look)
                fact = _read(value, reported)
                if fact is not None and (after is None or fact.checked_at > after):
                    return fact
                if not rest:
                    return None
                # Redis says nothing when a lease ends: the process that had it may be dead.
                await anyio.sleep(min(READ_EVERY, rest / 1000))
        return None

    def close(self) -> None:
        """Close the connections to Redis; the next call opens one."""
        self._presence.close()
        self._link.close()

    def _key(self, user: str) -> str:
        digest = hashlib.sha256(f"rmz access\0{self._shop}\0{user}".encode()).hexdigest()
        return f"{self._prefix}access:{{{digest[:32]}}}"

    def _lease_key(self, user: str) -> str:
        return f"{self._key(user)}:lease"

    def _renew(self, key: str, token: str, ended: threading.Event) -> None:
        pause = LEASE / 1000 / RENEWALS
        with suppress(Exception):
            while True:
                self._presence.open(within=pause)
                channel = self._presence.channel
                held = self._link.run_here("EVAL", _scripts.RENEW, 1, key, token, LEASE, channel)
                if channel and held == UNSEEN:
                    # The connection has broken, and the next renewal opens another one.
                    self._presence.close(channel)
                if not held or ended.wait(pause):
                    return


def _change(value: str) -> Change | None:
    # A value of another version must not keep those behind it away.
    try:
        row = json.loads(value)
        user, status, at = row["user"], row["status"], datetime.fromisoformat(row["at"])
        subscription_id = row["subscription_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if at.tzinfo is None or not isinstance(user, str) or not isinstance(status, str):
        return None
    with suppress(ValueError):
        status = SubscriptionStatus(status)
    return Change(user=user, at=at, subscription_id=subscription_id, status=status)


def _read(value: Any, reported: str | None) -> Fact | None:
    if value is None:
        return None
    # A value of another version counts as none, and RMZ is asked.
    try:
        row = json.loads(value)
        checked_at = datetime.fromisoformat(row["checked_at"])
        subscriptions = tuple(from_dict(Subscription, each) for each in row["subscriptions"])
        is_doubted = reported is not None and checked_at < datetime.fromisoformat(reported)
        # An earlier version says nothing of it, and asks RMZ again after a confirmed purchase.
        is_partial = bool(row.get("is_partial"))
    except (RMZError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return (
        None
        if checked_at.tzinfo is None
        else Fact(subscriptions, checked_at, is_doubted, is_partial)
    )
