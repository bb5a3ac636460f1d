"""Many sandboxes behind one address, each below a path of its own."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from rmz_async.sandbox.sandbox import Sandbox

__all__ = ("ROOT", "WorldError", "WorldPaths", "Worlds", "token_of_world")

ROOT = "/worlds/"
MOST = 500

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOKEN_DIGITS = 33


class WorldError(ValueError):
    """A world cannot be made: its name is wrong, or there are too many."""


def token_of_world(token: str, name: str) -> str:
    """Return the token of a world, which anyone who has the server's can work out.

    Args:
        token: The server's.
        name: The world's.

    Returns:
        ``1|sandbox`` and the first 33 hexadecimal digits of the HMAC-SHA256 of *name*, whose key
        is *token*.
    """
    digest = hmac.new(token.encode(), name.encode(), hashlib.sha256).hexdigest()
    return f"1|sandbox{digest[:_TOKEN_DIGITS]}"


class Worlds(Mapping[str, "Sandbox"]):
    """The worlds of a sandbox by name, in the order in which they were made.

    Attributes:
        most: How many there may be.
        when_made: Each is called with the name and the sandbox of each new world.
    """

    def __init__(self, make: Callable[[str], Sandbox]) -> None:
        self._make = make
        self._made: dict[str, Sandbox] = {}
        # A server's loop and a test's thread may ask for the same world.
        self._lock = threading.Lock()
        self.most: int = MOST
        self.when_made: list[Callable[[str, Sandbox], object]] = []

    def use(self, name: str) -> Sandbox:
        """Return the world of a name, which is made if there is none.

        Args:
            name: 1 to 64 letters and digits of ASCII, dots, hyphens and underscores; the first is
                a letter or a digit.

        Raises:
            WorldError: *name* is something else, or there are as many worlds as there may be.
        """
        with self._lock:
            world = self._made.get(name)
            if world is not None:
                return world
            if _NAME.fullmatch(name) is None:
                raise WorldError(
                    "the name of a world is 1 to 64 letters, digits, '.', '-' and '_', and begins "
                    f"with a letter or a digit; not {name!r}"
                )
            if len(self._made) >= self.most:
                raise WorldError(
                    f"there are {self.most} worlds, and no more can be made: delete one, or set "
                    "sandbox.worlds.most"
                )
            world = self._made[name] = self._make(name)
            for call in self.when_made:
                call(name, world)
            return world

    async def delete(self, name: str) -> None:
        """Give up the deliveries of a world, and forget it; a later use makes a new one.

        Raises:
            KeyError: There is no such world.
        """
        await self._made.pop(name).aclose()

    def __getitem__(self, name: str) -> Sandbox:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._made))

    def __len__(self) -> int:
        return len(self._made)


class WorldPaths:
    """Leads requests below ``/worlds/<name>/`` to that world, and all others to the sandbox."""

    def __init__(self, app: ASGIApp, worlds: Worlds) -> None:
        self._app = app
        self._worlds = worlds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; the world is made if this is its first."""
        path = scope.get("path", "")
        name, slash, _ = path.removeprefix(ROOT).partition("/")
        if not path.startswith(ROOT) or not slash:
            await self._app(scope, receive, send)
            return
        try:
            world = self._worlds.use(name)
        except WorldError as problem:
            await JSONResponse({"message": str(problem)}, 422)(scope, receive, send)
            return
        await world.app(scope, receive, send)
