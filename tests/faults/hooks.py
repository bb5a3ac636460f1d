"""Event hooks that callers add to an `httpx.AsyncClient` of their own."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import httpx

from tests.seams import Clock

EventHooks = dict[str, list[Callable[[Any], Awaitable[None]]]]


# Shared: to make one takes longer than a whole case.
_TLS = ssl.create_default_context()


class HookError(Exception):
    """An error of a request hook; the caller gets it as it is."""


@attrs.frozen(eq=False)
class Hook:
    """A way to look at each request or answer.

    Attributes:
        make: Returns the hooks of one client, which live in a time of the test's.
        spoils: Whether an answer may not reach the client that RMZ has given.
        waits: Whether it takes time, for which the client cannot be blamed.
    """

    make: Callable[[Clock], EventHooks]
    spoils: bool = False
    waits: bool = False


def client_with(hook: Hook, clock: Clock) -> httpx.AsyncClient:
    """Return a caller's own client."""
    return httpx.AsyncClient(verify=_TLS, event_hooks=hook.make(clock))


def _on_response(hook: Callable[[httpx.Response], Awaitable[None]]) -> Callable[[Clock], Any]:
    return lambda _: {"response": [hook]}


def _raises(text: str) -> Callable[[Clock], EventHooks]:
    async def hook(_: httpx.Response) -> None:
        raise RuntimeError(text)

    return _on_response(hook)


async def _raise_for_status(response: httpx.Response) -> None:
    response.raise_for_status()


async def _post_to_nobody(_: httpx.Response) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        async with httpx.AsyncClient(verify=_TLS) as audit:
            await audit.post(f"http://127.0.0.1:{unheard.getsockname()[1]}/")


async def _read(response: httpx.Response) -> None:
    await response.aread()


async def _indent(response: httpx.Response) -> None:
    # As those do who hide a field in what they keep.
    content = await response.aread()
    try:
        response._content = json.dumps(json.loads(content), indent=1).encode()
    except ValueError:
        return


async def _mask(response: httpx.Response) -> None:
    await response.aread()
    response._content = b"masked"


def _wait(seconds: float) -> Callable[[Clock], EventHooks]:
    def make(clock: Clock) -> EventHooks:
        async def hook(_: httpx.Response) -> None:
            await clock.sleep(seconds)

        return {"response": [hook]}

    return make


def _refuse_second(_: Clock) -> EventHooks:
    seen: set[tuple[str, str]] = set()

    async def hook(request: httpx.Request) -> None:
        what = (request.method, request.url.path)
        if what in seen:
            raise HookError("a request like an earlier one")
        seen.add(what)

    return {"request": [hook]}


HOOKS = {
    "own": Hook(lambda _: {}),
    "hook-raises": Hook(_raises("the audit is full"), spoils=True),
    "hook-at-shutdown": Hook(_raises("cannot schedule new futures after shutdown"), spoils=True),
    "hook-raise-for-status": Hook(_on_response(_raise_for_status)),
    "hook-audit-down": Hook(_on_response(_post_to_nobody), spoils=True),
    "hook-slow": Hook(_wait(5), waits=True),
    "hook-too-slow": Hook(_wait(31), spoils=True, waits=True),
    "hook-reads": Hook(_on_response(_read)),
    "hook-indents": Hook(_on_response(_indent)),
    "hook-masks": Hook(_on_response(_mask), spoils=True),
    "request-hook-raises": Hook(_refuse_second, spoils=True),
}
"""By the names of their lanes."""
