"""An outcome that is unknown, for code that cannot await: what it says, and how to find out."""

from __future__ import annotations

import copy
import inspect
import pickle
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import anyio
import httpx
import pytest

import rmz_async
import rmz_sync
from rmz_async import errors
from tests.seams import Clock, Portal, sync_client

TOKEN = "1|resolve-test-token"
ANSWERS: dict[str, object] = {
    "/shawarma/portal-sessions": {"url": "https://billing.rmz.gg/s/abc", "expires_at": None},
    "/shawarma/orders": {"checkout_id": 7, "duplicate": True},
    "/shawarma/subscriptions/501/pause": {"id": 501, "status": "paused"},
}
CALLS: dict[str, Callable[[rmz_sync.Client], object]] = {
    "portal_sessions.create": lambda rmz: rmz.portal_sessions.create(customer=4501),
    "orders.create": lambda rmz: rmz.orders.create(
        created_from="app.example", products=[rmz_sync.OrderLine(product=101)]
    ),
    "subscriptions.pause": lambda rmz: rmz.subscriptions.pause(501),
    "subscriptions.extend": lambda rmz: rmz.subscriptions.extend(501, days=7),
}


class RMZ:
    """A server that loses every answer, until it works.

    Attributes:
        now: The time of its clock, and of the client's.
        works: Whether answers arrive.
        hangs: Whether the server answers nothing from now on.
        asked: Set when it was asked then.
        paused: Whether the subscription is, since just now.
        sent: The paths of all requests.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.works = False
        self.hangs = False
        self.asked = threading.Event()
        self.paused = False
        self.sent: list[str] = []
        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        clock = Clock(clock=lambda: self.now, sleep=self._sleep, draw=lambda: 1.0)
        self.client = sync_client(clock, TOKEN, http=http)

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.url.path)
        if self.hangs:
            self.asked.set()
            await anyio.sleep_forever()
        if not self.works:
            return httpx.Response(502, html="<h1>Bad Gateway</h1>")
        return httpx.Response(200, json={"data": self._data(request), "timestamp": int(self.now)})

    def _data(self, request: httpx.Request) -> object:
        if request.method == "POST":
            return ANSWERS[request.url.path]
        status, when = ("paused", "00:16:40") if self.paused else ("active", "00:00:00")
        return {"id": 501, "status": status, "updated_at": f"1970-01-01T{when}Z"}

    def fail(self, name: str) -> rmz_sync.OutcomeUnknownError:
        """Make a call whose answer is lost."""
        with pytest.raises(rmz_sync.OutcomeUnknownError) as caught:
            CALLS[name](self.client)
        self.works = True
        self.sent.clear()
        return caught.value


@pytest.fixture
def rmz() -> Iterator[RMZ]:
    """A server and its client, which is closed after the test."""
    server = RMZ()
    yield server
    server.client.close()


@pytest.mark.parametrize("name", CALLS)
def test_an_unclear_call_says_all_that_the_async_client_says(rmz: RMZ, name: str) -> None:
    """The error has all attributes of the async client's, and the answer as its cause."""
    error = rmz.fail(name)
    assert type(error) is rmz_sync.OutcomeUnknownError
    assert error.operation == name
    assert error.object_id == (501 if "subscriptions" in name else None)
    assert error.sent_at is not None
    assert error.attempts >= 1
    assert str(error).startswith(name)
    assert isinstance(error.__cause__, rmz_sync.ServerError)


def test_an_applied_change_returns_its_result(rmz: RMZ) -> None:
    """`resolve` returns the result that the call would have returned."""
    error = rmz.fail("subscriptions.pause")
    rmz.paused = True
    assert rmz.client.resolve(error).status == "paused"
    assert rmz.sent == ["/shawarma/subscriptions/501"]


def test_a_change_that_was_not_applied_is_a_failed_connection(rmz: RMZ) -> None:
    """After a minute and the lag that is certain; before, the very error is raised."""
    error = rmz.fail("subscriptions.pause")
    with pytest.raises(rmz_sync.OutcomeUnknownError) as caught:
        rmz.client.resolve(error)
    assert caught.value is error
    assert isinstance(error.__cause__, rmz_sync.ServerError)
    rmz.now += 91
    with pytest.raises(rmz_sync.ConnectionFailedError, match="it was not applied"):
        rmz.client.resolve(error)


def test_an_order_is_resolved_by_making_it_again(rmz: RMZ) -> None:
    """The order is made again while RMZ takes it for the same one."""
    error = rmz.fail("orders.create")
    assert rmz.client.resolve(error).checkout_id == 7
    rmz.now += 240
    with pytest.raises(rmz_sync.OutcomeUnknownError) as caught:
        rmz.client.resolve(error)
    assert caught.value is error
    assert rmz.sent == ["/shawarma/orders"]


def test_a_session_is_resolved_by_asking_again(rmz: RMZ) -> None:
    """The session is asked for again; a second lost answer is an error of the same kind."""
    error = rmz.fail("portal_sessions.create")
    rmz.works = False
    with pytest.raises(rmz_sync.OutcomeUnknownError) as caught:
        rmz.client.resolve(error)
    assert caught.value is not error
    assert type(caught.value) is rmz_sync.OutcomeUnknownError
    rmz.works = True
    assert rmz.client.resolve(caught.value).url == "https://billing.rmz.gg/s/abc"


def test_an_extension_by_id_stays_unknown(rmz: RMZ) -> None:
    """The outcome stays unknown, and nothing is sent."""
    error = rmz.fail("subscriptions.extend")
    rmz.now += 3600
    with pytest.raises(rmz_sync.OutcomeUnknownError) as caught:
        rmz.client.resolve(error)
    assert caught.value is error
    assert rmz.sent == []


def test_an_error_is_resolved_from_another_thread(rmz: RMZ) -> None:
    """Every thread that has the error can find out."""
    error = rmz.fail("subscriptions.pause")
    rmz.paused = True
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(rmz.client.resolve(error).id))
    thread.start()
    thread.join(10)
    assert found == [501]


@pytest.mark.parametrize("name", CALLS)
def test_a_closed_client_cannot_resolve(rmz: RMZ, name: str) -> None:
    """A client that was closed cannot find out, and says so."""
    error = rmz.fail(name)
    rmz.client.close()
    with pytest.raises(rmz_sync.ConfigurationError, match="was closed"):
        rmz.client.resolve(error)


@pytest.mark.parametrize("name", ["subscriptions.pause", "portal_sessions.create", "orders.create"])
def test_a_client_that_is_closed_meanwhile_has_found_out_nothing(rmz: RMZ, name: str) -> None:
    """A search that is cut off has found out nothing: least of all that nothing was applied."""
    error = rmz.fail(name)
    rmz.hangs = True
    with ThreadPoolExecutor(1) as pool:
        caller = pool.submit(rmz.client.resolve, error)
        assert rmz.asked.wait(10)
        rmz.client.close()
        assert caller.exception(10) is error


COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    lambda error: pickle.loads(pickle.dumps(error)),  # noqa: S301 - our own bytes
]


@pytest.mark.parametrize("take", COPIES)
def test_a_copied_error_has_lost_its_call(rmz: RMZ, take: Callable[[Any], Any]) -> None:
    """A copy says all that the error said, notes included, but cannot find out."""
    error = rmz.fail("subscriptions.pause")
    error.add_note("mine")
    twin = take(error)
    assert type(twin) is rmz_sync.OutcomeUnknownError
    assert str(twin) == str(error)
    assert twin.__notes__ == ["mine"]
    assert set(vars(error)) - set(vars(twin)) == {"_unclear_call"}
    with pytest.raises(rmz_sync.ConfigurationError, match="lost its call"):
        rmz.client.resolve(twin)


def test_an_unknown_outcome_shows_no_secret(rmz: RMZ) -> None:
    """The call that it holds has no token."""
    error = rmz.fail("subscriptions.pause")
    assert "resolve-test-token" not in f"{error!r} {error} {vars(error)}"
    assert b"resolve-test-token" not in pickle.dumps(error)


def test_notes_and_frames_are_kept(portal: Portal) -> None:
    """Notes that were added on the way stay, and the traceback shows the raising line."""

    async def lose() -> NoReturn:
        error = errors.OutcomeUnknownError("lost", operation="x", attempts=2)
        error.page = 3
        error.add_note("go on with page=3")
        raise error from ValueError("why")

    with pytest.raises(rmz_sync.OutcomeUnknownError) as caught:
        portal.run(lose)
    error = caught.value
    assert error.__notes__ == ["go on with page=3"]
    assert (error.operation, error.attempts, error.page) == ("x", 2, 3)
    assert isinstance(error.__cause__, ValueError)
    assert error.__suppress_context__
    assert traceback.extract_tb(error.__traceback__)[-1].name == "lose"


def test_an_error_that_no_client_raised_cannot_be_resolved(rmz: RMZ) -> None:
    """An error that a test has made itself cannot be resolved."""
    error = rmz_sync.OutcomeUnknownError("text", operation="x", object_id=1, attempts=2)
    with pytest.raises(rmz_sync.ConfigurationError, match="lost its call"):
        rmz.client.resolve(error)


def test_both_clients_document_it_alike() -> None:
    """Both packages have the same error, and the same method beside it."""
    assert rmz_sync.OutcomeUnknownError is rmz_async.OutcomeUnknownError
    here, there = (inspect.getdoc(module.Client.resolve) for module in (rmz_sync, rmz_async))
    assert here == there
