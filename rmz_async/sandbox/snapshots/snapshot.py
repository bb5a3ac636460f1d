"""A snapshot: the whole state of a sandbox at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.delivery.courier import CourierState
from rmz_async.sandbox.delivery.webhook import Webhook
from rmz_async.sandbox.faults.faults import FaultsState
from rmz_async.sandbox.lifecycle.timeline import Timeline, TimelineState
from rmz_async.sandbox.serving.request_log import Exchange
from rmz_async.sandbox.store.ledger import Effect, Happening, Message
from rmz_async.sandbox.store.replica import Before
from rmz_async.sandbox.store.state import StoreProfile
from rmz_async.sandbox.store.switches import Switches
from rmz_async.sandbox.store.table import KeptRows

__all__ = ("RandomState", "Snapshot", "put_back", "take")

RandomState = tuple[int, tuple[int, ...], float | None]
"""The state of Python's generator of random numbers."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Snapshot:
    """The state of a sandbox at one moment, except its token and whether its clock runs.

    Nothing in it changes: what it shares with the sandbox is frozen, or is copied before a change.

    Attributes:
        name: The name that it was given.
        moment: The sandbox's time, UTC.
        ids: How many ids of each kind were dealt out.
        journal: The changes that reads may not show yet.
        windows: When each window of the rate limits closes, and how many requests it has served.
        requests_count: How many requests were answered; `requests` are the latest.
    """

    name: str
    moment: datetime
    tables: Mapping[str, KeptRows[Any, Any]]
    profile: StoreProfile
    switches: Switches
    history: Mapping[int, tuple[Happening, ...]]
    messages: tuple[Message, ...]
    ids: Mapping[str, int]
    journal: tuple[Before, ...]
    webhooks: tuple[Webhook, ...]
    courier: CourierState
    faults: FaultsState
    timeline: TimelineState
    ledger: tuple[Effect, ...]
    requests: tuple[Exchange, ...]
    requests_count: int
    windows: Mapping[str, tuple[datetime | None, int]]
    chance: RandomState
    last_request_id: int

    def __repr__(self) -> str:
        return f"<Snapshot {self.name!r} at {self.moment:%Y-%m-%d %H:%M:%S} UTC>"


def take(name: str, backend: Backend, timeline: Timeline) -> Snapshot:
    """Return the sandbox as it is now."""
    store = backend.store
    return Snapshot(
        name=name,
        moment=backend.clock.now(),
        tables={table_name: table.keep() for table_name, table in store.tables().items()},
        profile=attrs.evolve(store.profile),
        switches=attrs.evolve(store.switches),
        history={**store.history},
        messages=tuple(store.messages),
        ids=store.ids.keep(),
        journal=backend.replica.keep(),
        webhooks=tuple(attrs.evolve(webhook) for webhook in backend.webhooks.values()),
        courier=backend.courier.keep(),
        faults=backend.faults.keep(),
        timeline=timeline.keep(),
        ledger=tuple(backend.ledger),
        requests=tuple(backend.requests),
        requests_count=backend.requests.count,
        windows={key: throttle.keep() for key, throttle in backend.throttles.items()},
        chance=backend.chance.getstate(),
        last_request_id=backend.last_request_id,
    )


def put_back(snapshot: Snapshot, backend: Backend, timeline: Timeline) -> None:
    """Make the sandbox what it was."""
    store = backend.store
    backend.clock.set_to(snapshot.moment)
    _assign(store.profile, snapshot.profile)
    _assign(store.switches, snapshot.switches)
    for name, table in store.tables().items():
        table.put_back(snapshot.tables[name])
    store.history = {**snapshot.history}
    store.messages[:] = snapshot.messages
    store.ids.put_back(snapshot.ids)
    # The replica and the timeline listen to the tables, and drop the changes made above.
    backend.replica.put_back(snapshot.journal)
    timeline.put_back(snapshot.timeline)
    _put_back_webhooks(snapshot.webhooks, backend.webhooks)
    backend.faults.put_back(snapshot.faults)
    backend.ledger[:] = snapshot.ledger
    backend.requests.put_back(snapshot.requests, snapshot.requests_count)
    for key, throttle in backend.throttles.items():
        throttle.put_back(snapshot.windows.get(key, (None, 0)))
    backend.chance.setstate(snapshot.chance)
    backend.last_request_id = snapshot.last_request_id
    # Last, because it may start deliveries.
    backend.courier.put_back(snapshot.courier)


def _assign(target: attrs.AttrsInstance, source: attrs.AttrsInstance) -> None:
    """Give *target* the values of *source*, so that those who hold it see them."""
    # From the last to the first: a webhook's address is checked by what stands below it.
    for field in reversed(attrs.fields(type(source))):
        setattr(target, field.name, getattr(source, field.name))


def _put_back_webhooks(kept: tuple[Webhook, ...], webhooks: dict[int, Webhook]) -> None:
    before = dict(webhooks)
    webhooks.clear()
    for kept_webhook in kept:
        # A file has no application: the one that takes the deliveries of this address stays.
        same = before.get(kept_webhook.id)
        app = kept_webhook.app or (
            same.app if same is not None and same.url == kept_webhook.url else None
        )
        webhook = same or attrs.evolve(kept_webhook)
        _assign(webhook, attrs.evolve(kept_webhook, app=app))
        webhooks[kept_webhook.id] = webhook
