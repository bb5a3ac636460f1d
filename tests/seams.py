"""The only place in which a test reaches private parts: their names stand here, once."""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

import rmz_async
import rmz_sync
from rmz_async._calls.clock import Clock
from rmz_async._calls.retry import Budget
from rmz_async._calls.token import Tokens
from rmz_async._http.client import Connections, LoopState
from rmz_async._transport import Transport
from rmz_async.paywall import Access, Lifetimes, Paywall, Policy, decisions
from rmz_async.paywall._doubts import Doubts
from rmz_async.paywall._lookups import Lookups, Urgency
from rmz_async.paywall._memory import Memory, Remembered
from rmz_async.paywall._product_answers import ProductAnswers
from rmz_async.paywall._purchase import Purchase
from rmz_async.paywall._state import Bought, Secrets, State, hidden
from rmz_async.paywall._wanted import Wanted
from rmz_async.webhooks import _hand_over, _worker
from rmz_async.webhooks._comparing import body_of, changes, state_of, state_of_event
from rmz_async.webhooks._keys import storable
from rmz_async.webhooks._reading import RECONCILED, event_of
from rmz_async.webhooks.inbox import _sqlite_file, sqlite
from rmz_async.webhooks.inbox.sqlite import SQLiteInbox
from rmz_sync import _portal_thread
from rmz_sync._cut_off import CutOff, cut_off
from rmz_sync._loop import new_loop
from rmz_sync._portal import Portal
from rmz_sync.webhooks import _loops
from tests.private_parts import Part, Setting

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from rmz_async.sandbox import Sandbox
    from rmz_async.webhooks.inbox.postgres import PostgresInbox

T = TypeVar("T")
AnyClient = rmz_async.Client | rmz_sync.Client

__all__ = (
    "RECONCILED",
    "AnyClient",
    "Bought",
    "Clock",
    "CutOff",
    "Doubts",
    "Lookups",
    "Memory",
    "Part",
    "Portal",
    "Purchase",
    "Remembered",
    "Setting",
    "State",
    "Urgency",
    "access_cache_over",
    "after_fork",
    "after_fork_in_parent",
    "after_storing",
    "answers_over",
    "as_another_process",
    "async_client",
    "be_patient",
    "before_fork",
    "body_of",
    "budget_of",
    "changes",
    "clock_of",
    "close_inherited",
    "connection_of",
    "connections_of",
    "cut_off",
    "end_inherited_thread",
    "event_of",
    "fill_disk",
    "goes_on",
    "inside",
    "new_loop",
    "paywall_over",
    "pool_of",
    "presence_over",
    "replace",
    "rests",
    "routes_of",
    "run_in_thread_of",
    "set_clock",
    "set_grace",
    "set_hand_over_again",
    "set_lease",
    "set_leases",
    "set_listening_pause",
    "set_patience",
    "set_pause",
    "set_pause_of_loops",
    "set_slice",
    "silent_link",
    "state_by",
    "state_of",
    "state_of_event",
    "storable",
    "sync_client",
    "tokens_of",
    "transport_of",
)


def replace(patch: pytest.MonkeyPatch, setting: Setting, value: object) -> None:
    """Put *value* in the place of a private name."""
    patch.setattr(str(setting), value)


def inside(thing: object, *parts: Part) -> Any:
    """Return a private part of an object or of a module, or a part of that part."""
    return functools.reduce(getattr, parts, thing)


def async_client(clock: Clock, token: Any = None, **options: Any) -> rmz_async.Client:
    """Make a client whose time, sleep and chance are *clock*'s."""
    return rmz_async.Client(token, _clock=clock, **options)


def sync_client(clock: Clock, token: Any = None, **options: Any) -> rmz_sync.Client:
    """Make the same for code that cannot await."""
    return rmz_sync.Client(token, _clock=clock, **options)


def paywall_over(lookups: Lookups, **options: Any) -> Paywall:
    """Make a paywall that asks *lookups* in place of RMZ."""
    paywall = object.__new__(Paywall)
    paywall._use(answers_over(lookups, **options))
    return paywall


def answers_over(lookups: Lookups, **options: Any) -> ProductAnswers:
    """Make the inside of such a paywall."""
    options.setdefault("policy", Policy())
    options.setdefault("lifetimes", Lifetimes())
    options.setdefault("on_outage", "keep-known")
    options.setdefault("capacity", 1000)
    options.setdefault("keep_subscriptions", True)
    options.setdefault("snapshot", None)
    options.setdefault("shared", None)
    return ProductAnswers(
        lookups, state_secret=hidden(options.pop("state_secret", None)), **options
    )


def state_by(*secrets: str) -> State:
    """Make what signs links with *secrets*."""
    return State(Secrets(secrets))


def transport_of(client: AnyClient) -> Transport:
    """Return the transport below a client of either package."""
    wrapped = client._wrapped if isinstance(client, rmz_sync.Client) else client
    return wrapped._transport


def connections_of(client: AnyClient) -> Connections:
    """Return the connections that all copies of a client share."""
    return transport_of(client).connections


def pool_of(client: AnyClient) -> Any:
    """Return the pool of the running event loop; None if the caller's own client has it."""
    state: LoopState = connections_of(client).open()
    return cast("Any", state.pool)


def tokens_of(client: AnyClient) -> Tokens:
    """Return what holds a client's token."""
    return connections_of(client).tokens


def budget_of(client: AnyClient) -> Budget:
    """Return the retries that a client has left."""
    return transport_of(client).budget


def clock_of(client: AnyClient) -> Clock:
    """Return a client's clock."""
    return transport_of(client).clock


def set_clock(client: AnyClient, clock: Clock) -> None:
    """Let the calls that a client makes from now on live in another time."""
    transport_of(client).clock = clock


def run_in_thread_of(client: rmz_sync.Client, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run *function* in the event loop of a client."""
    return client._portal.run(function)


def end_inherited_thread(portal: Portal) -> None:
    """End the thread that a portal had before a fork, as its parent would."""
    _portal_thread.threads[portal._key, os.getpid()].end()


def set_grace(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let cancelled calls of `rmz_sync` have *seconds* to clean up."""
    patch.setattr(_portal_thread, "GRACE", seconds)


def set_slice(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let callers of `rmz_sync` look every *seconds* whether their thread lives."""
    patch.setattr(_portal_thread, "SLICE", seconds)


def connection_of(inbox: SQLiteInbox) -> sqlite3.Connection:
    """Return the connection of an inbox that was used already."""
    connection = inbox._file._connection
    assert connection is not None
    return connection


def fill_disk(inbox: SQLiteInbox, *, full: bool) -> None:
    """Leave no room for more pages in the file of an inbox, or let there be room again."""
    connection_of(inbox).execute(f"PRAGMA max_page_count = {1 if full else 1_000_000}")


def set_pause_of_loops(patch: pytest.MonkeyPatch, pause: Callable[[float], object]) -> None:
    """Replace the pause before a background thread that was ended begins again."""
    patch.setattr(_loops, "pause", pause)


def set_patience(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let deliveries wait so many seconds for a file that is locked."""
    patch.setattr(sqlite, "STORING", seconds)


def be_patient() -> None:
    """Let no delivery and no hand-over fail because the machine is busy with other tests."""
    sqlite.STORING = sqlite.WORKING = _hand_over.PATIENCE = 600.0
    _sqlite_file.OPENINGS = 3000


def set_hand_over_again(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Hand over again what the queue has not run after so many seconds."""
    patch.setattr(_hand_over.HandOver, "delay", seconds)


def set_lease(seconds: float, patch: pytest.MonkeyPatch | None = None) -> None:
    """Let the leases that this process takes in Redis end so soon; with *patch*, for one test."""
    # Only some tests need redis-py.
    from rmz_async.redis import access

    (setattr if patch is None else patch.setattr)(access, "LEASE", int(seconds * 1000))


def access_cache_over(link: Any) -> Any:
    """Make a cache in Redis that speaks to *link* in place of a server."""
    from rmz_async.redis import RedisAccessCache

    cache: Any = RedisAccessCache("redis://host", shop="a-shop")
    cache._link = cache._presence._link = link
    return cache


def presence_over(listen: Callable[[str, float], Any]) -> Any:
    """Make the sign that this process lives, over a server that *listen* connects to."""
    from rmz_async.redis._presence import Presence

    link: Any = SimpleNamespace(listen=listen)
    return Presence(link, "alive:")


def silent_link() -> Any:
    """Make a link to a Redis that confirms no subscription, and the list of what was closed."""
    from rmz_async.redis._link import Link

    closed: list[str] = []
    listener = SimpleNamespace(
        subscribe=lambda _: None,
        get_message=lambda timeout: None,
        close=lambda: closed.append("listener"),
    )
    link: Any = Link("redis://host", 1)
    link._client = SimpleNamespace(pubsub=lambda: listener)
    return link, closed


def set_leases(seconds: float) -> None:
    """Let the leases of this process end so soon, and renew them in time."""
    _worker.LEASE = seconds
    _worker.RENEWAL = seconds / 3


def set_pause(patch: pytest.MonkeyPatch, pause: Callable[[float], None]) -> None:
    """Pass the time with *pause* while a SQLite file cannot be opened."""
    patch.setattr(_sqlite_file, "pause", pause)


def after_fork() -> None:
    """Do to all SQLite files what happens in the child of a fork."""
    _sqlite_file._after_fork()


def before_fork() -> None:
    """Do to all SQLite files what happens before a fork."""
    _sqlite_file._before_fork()


def rests(inbox: SQLiteInbox, patience: float) -> bool:
    """Close an inbox as before a fork, unless its file is in use."""
    return inbox._file.rest(patience)


def goes_on(inbox: SQLiteInbox) -> None:
    """Let an inbox that rests open its file again."""
    inbox._file.go_on()


def after_fork_in_parent() -> None:
    """Do to all SQLite files what happens in the parent after a fork."""
    _sqlite_file._after_fork_in_parent()


def after_storing(call: Callable[[], None]) -> None:
    """Call *call* between the statements that store deliveries and the commit, in this process."""
    # Only some tests need SQLAlchemy.
    from rmz_async.webhooks.inbox import postgres

    modules: tuple[Any, ...] = (sqlite, postgres)
    for module in modules:
        added = module._added

        def added_and_called(*arguments: Any, added: Any = added) -> Any:
            found = added(*arguments)
            call()
            return found

        module._added = added_and_called


def close_inherited() -> None:
    """Close the connections that a real child would leave open."""
    while _sqlite_file._inherited:
        _sqlite_file._inherited.pop().close()


@contextmanager
def as_another_process(inbox: PostgresInbox) -> Generator[None]:
    """Let an inbox believe that this process is a child of the one that opened it."""
    with pytest.MonkeyPatch.context() as patch:
        pid = os.getpid()
        patch.setattr(os, "getpid", lambda: pid + 1)
        inherited = inbox._opened
        yield
        inbox.close()
    assert inherited is not None
    inbox._opened = inherited


def set_listening_pause(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let a listener wait so many seconds before it connects again."""
    # Only some tests need SQLAlchemy.
    from rmz_async.webhooks.inbox import _postgres_listening

    patch.setattr(_postgres_listening, "PAUSE", seconds)


def routes_of(sandbox: Sandbox) -> list[BaseRoute]:
    """Return the paths of a sandbox, below all that stands in front of them."""
    app: Any = sandbox.app
    while not hasattr(app, "routes"):
        app = app._app
    routes: list[BaseRoute] = app.routes
    return routes


def narrow(access: Access, slug: str, policy: Policy, now: datetime) -> Access:
    """Return the answer about one product only."""
    return decisions.narrow(access, Wanted.of([slug]), policy, now)
