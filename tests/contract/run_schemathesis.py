"""Let Schemathesis check the document against a sandbox; ends non-zero if they disagree.

A call that was never answered with a success fails the run too: the rest would prove little.
"""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

import attrs
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.seed.store import seeded_store
from rmz_async.sandbox.serving.reference import contract
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.wire.below import BASE_PATH

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "openapi.yaml"
PROGRAM = Path(sysconfig.get_path("scripts")) / "schemathesis"
# A subscription that was cancelled stays so, and two extensions must be ten seconds apart: so many
# that most calls meet one that no other call has changed.
COPIES = range(1001, 2001)


class Tally:
    """Passes requests on, and counts the answers of each call by their status."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # An address without an id may look like one that has one.
        paths = sorted(contract()["paths"].items(), key=lambda entry: "{id}" in entry[0])
        self._calls = [
            (method.upper(), re.compile(BASE_PATH + path.replace("{id}", "[^/]+")), call)
            for path, item in paths
            for method, call in item.items()
        ]
        self.counts = {call["operationId"]: Counter[int]() for _, _, call in self._calls}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                for method, path, call in self._calls:
                    if scope["method"] == method and path.fullmatch(address):
                        self.counts[call["operationId"]][message["status"]] += 1
                        break
            await send(message)

        # The router changes the scope.
        address = scope["path"]
        await self._app(scope, receive, counted)

    @property
    def never_done(self) -> list[str]:
        """The calls that had no success."""
        return [name for name, counts in self.counts.items() if not {200, 201} & set(counts)]

    def show(self) -> None:
        """Print one line for each call."""
        for name, counts in sorted(self.counts.items()):
            found = "  ".join(f"{status}: {count}" for status, count in sorted(counts.items()))
            print(f"{name:<26} {found}")


def filled_store() -> Store:
    """Return the seeded store with many more subscriptions, active and paused by turns."""
    store = seeded_store(datetime.now(UTC))
    for number in COPIES:
        original = store.subscriptions[504 if number % 2 else 508]
        store.subscriptions[number] = attrs.evolve(original, id=number)
    return store


def settings(store: Store) -> str:
    """Return the settings with the hooks' place and the ids that *store* has."""
    found: Mapping[str, Collection[int]] = {
        "subscriptions": store.subscriptions,
        "orders": store.orders,
        "products": store.products,
    }
    return "\n".join(
        [
            f"hooks = '{HERE / 'schemathesis_hooks.py'}'",
            (HERE / "schemathesis.toml").read_text(encoding="utf-8"),
            *(f"[dictionaries.{name}]\nvalues = {list(ids)}" for name, ids in found.items()),
        ]
    )


def main() -> int:
    """Serve a sandbox without limits; the settings are written into the current directory.

    Returns:
        The exit code.
    """
    store = filled_store()
    file = Path("schemathesis.toml").resolve()
    file.write_text(settings(store), encoding="utf-8")
    sandbox = Sandbox(state=store, throttle=False)
    tally = Tally(sandbox.app)
    sandbox.app = tally
    with sandbox.serve() as served:
        command = [
            *(str(PROGRAM), f"--config-file={file}", "run", str(DOCUMENT)),
            f"--url={served.base_url}",
            f"--header=Authorization: Bearer {served.token}",
            *sys.argv[1:],
        ]
        code = subprocess.run(command, check=False).returncode
    tally.show()
    if tally.never_done:
        print(f"never answered with a success: {', '.join(tally.never_done)}")
    return code or len(tally.never_done)


if __name__ == "__main__":
    sys.exit(main())
