"""Names of hosts, and which of their addresses is connected to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any, NoReturn

import anyio
import anyio.lowlevel
import httpcore
import pytest

from rmz_async._http import over_httpx as _over_httpx
from rmz_async._http.over_httpx import _Network
from rmz_async._http.resolver import addresses_of
from tests.seams import Part, Setting, replace

pytestmark = pytest.mark.anyio

LookUp = Callable[..., list[Any]]


def finding(*addresses: str) -> LookUp:
    """A name server that knows these."""

    def look_up(host: Any, port: int, *args: Any, **_: Any) -> list[Any]:
        if any(isinstance(flags, int) and flags & socket.AI_NUMERICHOST for flags in args[3:4]):
            raise socket.gaierror(socket.EAI_NONAME, "no address")  # As trio asks first.
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port))
            for one in addresses
        ]

    return look_up


async def test_an_address_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address is not resolved, so no thread is needed."""
    monkeypatch.setattr(socket, "getaddrinfo", None)
    assert await addresses_of("127.0.0.1", 80) == ["127.0.0.1"]
    assert await addresses_of("::1", 80) == ["::1"]


@pytest.mark.parametrize(
    ("found", "ordered"),
    [
        (["10.0.0.1"], ["10.0.0.1"]),
        (["::1"], ["::1"]),
        (["10.0.0.1", "10.0.0.2", "::1", "::2"], ["::1", "10.0.0.1", "10.0.0.2", "::2"]),
        (["::1", "::2", "10.0.0.1"], ["::1", "10.0.0.1", "::2"]),
        (["10.0.0.1", "10.0.0.1"], ["10.0.0.1"]),
    ],
)
async def test_the_first_of_each_family_comes_first(
    monkeypatch: pytest.MonkeyPatch, found: list[str], ordered: list[str]
) -> None:
    """So that a family that leads nowhere costs a quarter of a second at most."""
    monkeypatch.setattr(socket, "getaddrinfo", finding(*found))
    assert await addresses_of("host.example", 443) == ordered


async def test_a_name_without_an_address_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the name server says it."""

    def fail(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(OSError, match="Name or service not known"):
        await addresses_of("host.example", 443)


def test_no_thread_as_the_interpreter_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name is not resolved, as if it had no address."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    async def resolve() -> None:
        monkeypatch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(OSError, match="cannot be resolved: can't create new thread"):
            await addresses_of("host.example", 443)

    asyncio.run(resolve())


@pytest.mark.parametrize("loop_ends", [False, True])
def test_an_answer_that_nobody_waits_for_is_dropped(
    monkeypatch: pytest.MonkeyPatch, loop_ends: bool
) -> None:
    """Whether the call was cancelled, or its event loop has ended."""
    asked, may_answer, threads = threading.Event(), threading.Event(), list[threading.Thread]()

    def late(*_: Any, **__: Any) -> Any:
        threads.append(threading.current_thread())
        asked.set()
        assert may_answer.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", late)

    def answer() -> None:
        may_answer.set()
        threads[0].join(60)
        assert not threads[0].is_alive()

    async def cancelled() -> None:
        async with anyio.create_task_group() as calls:
            calls.start_soon(addresses_of, "host.example", 443)
            assert await anyio.to_thread.run_sync(asked.wait, 60)
            calls.cancel_scope.cancel()
        if not loop_ends:
            answer()
            await anyio.lowlevel.checkpoint()

    asyncio.run(cancelled())
    if loop_ends:
        answer()


class Stream(httpcore.AsyncNetworkStream):
    """An open connection to an address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.is_open = True

    async def aclose(self) -> None:
        """Close it."""
        await anyio.lowlevel.checkpoint()
        self.is_open = False


class Opener:
    """Connects to addresses as the test says."""

    def __init__(self, **addresses: Callable[[], Any]) -> None:
        self.opened: list[Stream] = []
        self._addresses = addresses

    async def connect_tcp(self, address: str, _: int) -> Stream:
        """Connect, or not."""
        await self._addresses[address]()
        self.opened.append(Stream(address))
        return self.opened[-1]


async def opens() -> None:
    """Connect immediately."""


async def refuses() -> None:
    """Refuse."""
    raise httpcore.ConnectError("refused")


async def hangs() -> None:
    """Answer never."""
    await anyio.sleep_forever()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[[Opener], Any]:
    """Connect to a name with two addresses, each of which gets no head start."""
    replace(monkeypatch, Setting.HEAD_START, 0)

    async def addresses(*_: object) -> list[str]:
        return ["first", "second"]

    monkeypatch.setattr(_over_httpx, "addresses_of", addresses)

    def connecting(opener: Opener) -> Any:
        network = _Network()
        monkeypatch.setattr(network, Part.OPENER, opener)
        return network.connect_tcp("host.example", 443, timeout=5)

    return connecting


async def test_the_second_address_is_connected_to_if_the_first_refuses(connect: Any) -> None:
    """Or answers not at all."""
    for first in (refuses, hangs):
        stream = await connect(Opener(first=first, second=opens))
        assert stream.address == "second"
        assert stream.is_open


async def test_the_first_refusal_is_raised_if_no_address_can_be_connected_to(connect: Any) -> None:
    """As an error of the connection, outside of any group."""
    with pytest.raises(httpcore.ConnectError, match="refused"):
        await connect(Opener(first=refuses, second=refuses))


async def test_one_of_two_connections_that_open_together_is_closed(connect: Any) -> None:
    """Nothing else would close it."""
    together = anyio.Event()

    async def waits() -> None:
        with anyio.CancelScope(shield=True):
            await together.wait()

    async def last() -> None:
        together.set()

    opener = Opener(first=waits, second=last)
    stream = await connect(opener)
    assert [one.is_open for one in opener.opened if one is not stream] == [False]
    assert stream.is_open


async def test_a_connection_that_takes_too_long_is_an_error(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is one of the connection: nothing was sent."""
    network = _Network()
    monkeypatch.setattr(network, Part.OPENER, Opener(first=hangs, second=hangs))
    with pytest.raises(httpcore.ConnectTimeout):
        await network.connect_tcp("host.example", 443, timeout=0.01)


async def test_a_name_that_nobody_knows_is_an_error_of_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing was sent."""

    def unknown(*_: object, **__: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(httpcore.ConnectError, match="no such name"):
        await _Network().connect_tcp("host.example", 443, timeout=10)
