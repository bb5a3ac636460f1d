"""A client that is closed while other threads wait for its answers: each gets a verdict."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import anyio
import httpx
import pytest

import rmz_async
import rmz_sync
from tests.paywall.shared import Shared
from tests.seams import Clock, run_in_thread_of, set_grace, sync_client
from tests.sync.conftest import HELD, Shop, silence, threads
from tests.transports import TRANSPORTS

TOKEN = "1|close-test-token"
Call = Callable[[rmz_sync.Client], Any]

READS: dict[str, Call] = {
    "subscriptions.get": lambda rmz: rmz.subscriptions.get(HELD),
    "subscriptions.lookup": lambda rmz: rmz.subscriptions.lookup(email="a@b.sa"),
    "subscriptions.list": lambda rmz: rmz.subscriptions.list(page=2).first(),
    "orders.list": lambda rmz: next(iter(rmz.orders.list(page=2))),
    "products.list": lambda rmz: next(rmz.products.list(page=2).pages()),
    "store.get": lambda rmz: rmz.store.get(),
}
WRITES: dict[str, tuple[Call, int | None]] = {
    "subscriptions.pause": (lambda rmz: rmz.subscriptions.pause(HELD), HELD),
    "subscriptions.extend": (lambda rmz: rmz.subscriptions.extend(HELD, days=7), HELD),
    "orders.update": (lambda rmz: rmz.orders.update(78901, status=4), 78901),
    "orders.create": (
        lambda rmz: rmz.orders.create(
            created_from="app.example", products=[rmz_sync.OrderLine(product=101)]
        ),
        None,
    ),
    "portal_sessions.create": (lambda rmz: rmz.portal_sessions.create(customer=4501), None),
}


def closed_during(call: Call, rmz: rmz_sync.Client, when: threading.Event) -> Any:
    """Close *rmz* in the middle of a call of another thread, and return that call's error."""
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(call, rmz)
        arrived = when.wait(10)
        rmz.close()
        assert arrived
        return caller.exception(10)


@pytest.mark.parametrize("name", READS)
def test_a_read_that_is_cut_off_has_failed(shop: Shop, name: str) -> None:
    """A read cannot have changed anything, so it has failed; for a list the error has the page."""
    shop.holds_all = True
    rmz = rmz_sync.Client(TOKEN, base_url=shop.url)
    error = closed_during(READS[name], rmz, shop.arrived)
    assert type(error) is rmz_sync.ConnectionFailedError
    assert (error.operation, error.attempts) == (name, 1)
    assert error.page == (2 if name.endswith("list") else None)
    assert "this client was closed" in str(error)
    assert shop.hung_up.wait(10)


@pytest.mark.parametrize("ask", ["refresh", "check"])
def test_what_a_paywall_asks_ends_with_its_client_and_prints_nothing(
    shop: Shop, caplog: pytest.LogCaptureFixture, ask: str
) -> None:
    """Its request belongs to all who wait for it, and outlives each of their calls."""
    shop.holds_all = True
    rmz = rmz_sync.Client(TOKEN, base_url=shop.url)
    paywall = rmz_sync.Paywall(rmz)
    error = closed_during(lambda _: getattr(paywall, ask)("usr_1"), rmz, shop.arrived)
    assert type(error) is rmz_sync.ConnectionFailedError
    assert not [record for record in caplog.records if record.name == "asyncio"]


class HangingCache(Shared):
    """A shared cache that never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    async def get(self, user: str) -> rmz_async.paywall.Fact | None:
        """Hang."""
        self.asked.set()
        await anyio.sleep_forever()
        return None


def test_a_paywall_whose_cache_hangs_ends_with_its_client_and_prints_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No call to RMZ has begun, which would turn the cancellation into an error."""
    cache = HangingCache()
    rmz = rmz_sync.Client(TOKEN)
    paywall = rmz_sync.Paywall(rmz, shared=cache)
    error = closed_during(lambda _: paywall.check("usr_1"), rmz, cache.asked)
    assert isinstance(error, rmz_sync.RMZError)
    assert not [record for record in caplog.records if record.name == "asyncio"]


@pytest.mark.parametrize("name", WRITES)
def test_a_change_that_was_sent_is_unknown(shop: Shop, name: str) -> None:
    """The change may have been applied; the error says which it was, and since when."""
    shop.holds_all = True
    rmz = rmz_sync.Client(TOKEN, base_url=shop.url)
    call, object_id = WRITES[name]
    error = closed_during(call, rmz, shop.arrived)
    assert type(error) is rmz_sync.OutcomeUnknownError
    assert (error.operation, error.object_id) == (name, object_id)
    assert error.sent_at is not None
    assert error.attempts == len(shop.requests) == 1
    with pytest.raises(rmz_sync.ConfigurationError, match="was closed"):
        rmz.resolve(error)
    assert shop.hung_up.wait(10)


@pytest.mark.parametrize("http", TRANSPORTS)
def test_a_change_that_still_agrees_on_tls_was_not_sent(http: Any) -> None:
    """The server accepts the connection, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        rmz = rmz_sync.Client(TOKEN, base_url=url, http=http)
        caller = pool.submit(rmz.subscriptions.extend, 1, days=7)
        listener.settimeout(10)
        with listener.accept()[0]:
            rmz.close()
            error = caller.exception(10)
    assert type(error) is rmz_sync.ConnectionFailedError


class UsedUp(rmz_sync.InMemoryQuotaStore):
    """A quota in which there is no room for a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    async def reserve(self, key: str, per_minute: int, now: float, *, ahead: int = 0) -> float:
        """Let it wait."""
        self.asked.set()
        return 60.0


def test_what_waited_for_its_turn_was_not_sent(shop: Shop) -> None:
    """Not even an extension is unknown then."""
    store = UsedUp()
    pacing = rmz_sync.Pacing(max_wait=300, store=store)
    rmz = rmz_sync.Client(TOKEN, base_url=shop.url, timeout=300, pacing=pacing)
    error = closed_during(lambda rmz: rmz.subscriptions.extend(1, days=7), rmz, store.asked)
    assert type(error) is rmz_sync.ConnectionFailedError
    assert error.operation == "subscriptions.extend"
    assert shop.requests == []


def test_a_call_that_waited_for_a_token_was_not_sent(shop: Shop) -> None:
    """A token function that never returns holds no caller up."""
    asked = threading.Event()

    async def provide() -> NoReturn:
        asked.set()
        await anyio.sleep_forever()
        raise AssertionError

    rmz = rmz_sync.Client(provide, base_url=shop.url)
    error = closed_during(lambda rmz: rmz.subscriptions.pause(1), rmz, asked)
    assert type(error) is rmz_sync.ConnectionFailedError
    assert shop.requests == []


def test_closing_ends_beside_a_token_function_that_cannot_be_cancelled(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing ends all the same, and the call raises; the thread ends as soon as it can."""
    set_grace(monkeypatch, 0.05)
    asked = threading.Event()
    leave: list[Callable[[], object]] = []

    async def provide() -> str:
        left, loop = asyncio.Event(), asyncio.get_running_loop()
        leave.append(lambda: loop.call_soon_threadsafe(left.set))
        while not left.is_set():
            asked.set()
            try:
                await left.wait()
            except asyncio.CancelledError:
                continue
        return TOKEN

    rmz = rmz_sync.Client(provide, base_url=shop.url)
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(rmz.subscriptions.pause, 1)
        assert asked.wait(10)
        rmz.close()
        (thread,) = threads()
        try:
            assert type(caller.exception(10)) is rmz_sync.ConnectionFailedError
        finally:
            leave[0]()
    thread.join(10)
    assert not thread.is_alive()
    assert shop.requests == []


class Shaky:
    """A server that fails in the way of the test, and a client that waits until it is closed.

    Attributes:
        waiting: Set when a call waits before its second attempt, or before it reads back.
        client: A client of the server.
    """

    def __init__(
        self, answer: httpx.Response | Exception, token: Any = TOKEN, **options: Any
    ) -> None:
        self.waiting = threading.Event()
        self._answer = answer
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._respond))
        clock = Clock(sleep=self._sleep)
        self.client = sync_client(clock, token, http=http, timeout=300, **options)

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            await self.wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    async def _sleep(self, seconds: float) -> None:
        if seconds >= 60:
            await self.wait()

    async def wait(self) -> NoReturn:
        """Say that a call waits here, and never return."""
        self.waiting.set()
        await anyio.sleep_forever()
        raise AssertionError


THROTTLED = {"Retry-After": "60", "X-RateLimit-Remaining": "0"}


def test_a_call_that_was_refused_before_it_waited_was_not_applied() -> None:
    """A call that the rate limit has refused is not under way while it waits."""
    shaky = Shaky(httpx.Response(429, headers=THROTTLED, json={"message": "Too Many Attempts."}))
    error = closed_during(WRITES["subscriptions.pause"][0], shaky.client, shaky.waiting)
    assert type(error) is rmz_sync.ConnectionFailedError


def test_a_call_that_never_arrived_before_it_waited_was_not_applied() -> None:
    """A call that waits for its next slot is not under way either."""

    class OneTurn(rmz_sync.InMemoryQuotaStore):
        turns = 1

        async def reserve(self, *_: Any, **__: Any) -> float:
            self.turns -= 1
            return 0.0 if self.turns == 0 else 60.0

    pacing = rmz_sync.Pacing(max_wait=300, store=OneTurn())
    shaky = Shaky(httpx.ConnectError("refused"), pacing=pacing)
    error = closed_during(WRITES["subscriptions.extend"][0], shaky.client, shaky.waiting)
    assert type(error) is rmz_sync.ConnectionFailedError


def test_a_call_with_the_wrong_token_was_not_applied() -> None:
    """RMZ has refused it, and the next token has not come yet."""
    tokens = [TOKEN]

    async def provide() -> str:
        return tokens.pop() if tokens else await shaky.wait()

    shaky = Shaky(httpx.Response(401, json={"message": "Unauthenticated."}), provide)
    error = closed_during(WRITES["subscriptions.extend"][0], shaky.client, shaky.waiting)
    assert type(error) is rmz_sync.ConnectionFailedError


def test_a_call_that_failed_before_it_waited_is_unknown() -> None:
    """An attempt that may have been applied is remembered while the next one is waited for."""
    shaky = Shaky(httpx.Response(503, headers={"Retry-After": "60"}))
    error = closed_during(WRITES["portal_sessions.create"][0], shaky.client, shaky.waiting)
    assert type(error) is rmz_sync.OutcomeUnknownError
    assert error.operation == "portal_sessions.create"


def test_a_change_that_is_being_read_back_is_unknown() -> None:
    """The error is about the change, and not about the read."""
    shaky = Shaky(httpx.Response(502))
    error = closed_during(WRITES["subscriptions.pause"][0], shaky.client, shaky.waiting)
    assert type(error) is rmz_sync.OutcomeUnknownError
    assert (error.operation, error.object_id) == ("subscriptions.pause", HELD)


@pytest.fixture
def brought_down(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[rmz_sync.Client], None]]:
    """Cancel all tasks of a client's loop from within."""
    monkeypatch.setattr(threading, "excepthook", silence)
    tasks: list[asyncio.Task[NoReturn]] = []

    async def stray() -> NoReturn:
        sys.exit()

    async def start() -> None:
        tasks.append(asyncio.get_running_loop().create_task(stray()))

    yield lambda rmz: run_in_thread_of(rmz, start)
    assert [type(task.exception()) for task in tasks] == [SystemExit]


@pytest.mark.parametrize("name", ["subscriptions.get", "subscriptions.pause"])
def test_a_loop_that_another_program_ends_is_reported_like_close(
    shop: Shop, brought_down: Any, name: str
) -> None:
    """The error is the same if another program ended the client's loop."""
    call = READS[name] if name in READS else WRITES[name][0]
    with rmz_sync.Client(TOKEN, base_url=shop.url) as rmz, ThreadPoolExecutor(1) as pool:
        caller = pool.submit(call, rmz)
        assert shop.arrived.wait(10)
        brought_down(rmz)
        error: Any = caller.exception(10)
    failed, unknown = rmz_sync.ConnectionFailedError, rmz_sync.OutcomeUnknownError
    assert type(error) is (failed if name in READS else unknown)
    assert error.operation == name
