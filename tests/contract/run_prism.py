"""Let Prism play RMZ by the document, and see whether it and the client understand each other.

Every call is answered as the document shows it, then with each error that it may have, then with
what Prism makes up. Ends non-zero if a request broke the document, or an answer was not
understood.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from rmz_async import Client, RetryPolicy, RMZError
from rmz_async.sandbox.serving.reference import contract
from tests.contract.outcomes import is_error_of, is_of, left_over
from tests.endpoint import Endpoint, Request
from tests.endpoints import ENDPOINTS, REQUESTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
PRISM = "@stoplight/prism-cli@5.14.2"  # the last that runs on Node.js 20
SECONDS = 300
MADE_UP = 5
# A pattern knows no calendar, so Prism would make up the 31st of April.
DAYS, DAYS_OF_EVERY_MONTH = json.dumps(r"(0[1-9]|[12]\d|3[01])")[1:-1], r"(0[1-9]|1\\d|2[0-8])"
CALLS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    call["operationId"]: (method.upper(), call)
    for item in contract()["paths"].values()
    for method, call in item.items()
}


def possible() -> Path:
    """Return a copy of the document from which no answer is made up that can never be.

    The copy is written into the current directory.
    """
    document: dict[str, Any] = json.loads(json.dumps(contract()))
    for path, item in document["paths"].items():
        for call in item.values():
            success = call["responses"].get("200", {})
            for body in success.get("content", {}).values():
                # The page or the object that was asked for, which no schema knows.
                asked_for = "id" if "{id}" in path else "current_page"
                shown = next(iter(body["examples"].values()))["value"]["data"] or {}
                if asked_for in shown:
                    only = {"properties": {asked_for: {"const": shown[asked_for]}}}
                    data = body["schema"]["allOf"][1]["properties"]
                    data["data"] = {"allOf": [data["data"], only]}
    text = json.dumps(document)
    assert DAYS in text
    copy = Path("made_up.json").resolve()
    copy.write_text(text.replace(DAYS, DAYS_OF_EVERY_MONTH), encoding="utf-8")
    return copy


@contextmanager
def prism(document: Path, *options: str) -> Generator[str]:
    """Run Prism on a free port, for `SECONDS` at most; gives its address."""
    npx = shutil.which("npx")
    if npx is None:
        raise SystemExit("Prism needs Node.js, and there is no npx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [npx, "--yes", PRISM, "mock", *options, f"--port={port}", str(document)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # npx runs it as a child: a group of their own, so that both can be stopped.
        start_new_session=True,
    )
    doom = threading.Timer(SECONDS, stop, [process])
    doom.start()
    try:
        assert process.stdout is not None
        said: list[str] = []
        while "is listening on" not in "".join(said[-1:]):
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"Prism did not start:\n{''.join(said)}")
            said.append(line)
        # A thread reads on, because a full pipe would stop Prism.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        doom.cancel()
        stop(process)
        process.wait()


def stop(process: subprocess.Popen[str]) -> None:
    """End a process and its children."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
    except ProcessLookupError:
        return


class Game:
    """Makes calls to Prism, and keeps the score."""

    def __init__(self) -> None:
        self.score: Counter[str] = Counter(calls=len(CALLS))
        self.faults: list[str] = []
        self._prefer = ""
        self._name = ""
        self._is_amiss = False

    async def as_written(self, base_url: str) -> None:
        """Get every answer and every error as the document shows it."""
        async with self._opened(base_url):
            for endpoint, request in REQUESTS:
                await self._answered(endpoint, request, "")
            for endpoint in ENDPOINTS:
                for status in CALLS[endpoint.name][1]["responses"]:
                    if int(status) >= 400:
                        await self._refused(endpoint, int(status))

    async def made_up(self, base_url: str) -> None:
        """Get answers that Prism makes up."""
        async with self._opened(base_url):
            for endpoint, request in REQUESTS:
                for _ in range(MADE_UP):
                    await self._answered(endpoint, request, "dynamic=true")

    @asynccontextmanager
    async def _opened(self, base_url: str) -> AsyncGenerator[None]:
        once = RetryPolicy(max_attempts=1)
        async with (
            # A long answer is made up slowly.
            httpx.AsyncClient(
                event_hooks={"request": [self._before], "response": [self._after]}, timeout=30
            ) as http,
            Client("1|prism", base_url=base_url, http=http, retry=once, pacing=None) as client,
        ):
            self._client = client
            yield

    async def _answered(self, endpoint: Endpoint, request: Request, prefer: str) -> None:
        self._name, self._prefer = endpoint.name, prefer
        try:
            value = await request.make(self._client, endpoint.number)
        except RMZError as error:
            if not self._is_amiss:
                self._fault(f"{prefer} {type(error).__name__}: {error}")
            return
        if not is_of(self._client, endpoint.name, value):
            self._fault(f"{prefer} came to a {type(value).__name__}")
        # An answer that is made up may have keys that no document names.
        elif not prefer and list(left_over(value)):
            self._fault(f"left over: {', '.join(left_over(value))}")
        else:
            self.score["answers decoded"] += 1

    async def _refused(self, endpoint: Endpoint, status: int) -> None:
        self._name, self._prefer = endpoint.name, f"code={status}"
        try:
            await endpoint.requests[-1].make(self._client, endpoint.number)
        except RMZError as error:
            if is_error_of(endpoint.name, status, error):
                self.score["errors mapped"] += 1
            else:
                self._fault(f"{status} became a {type(error).__name__}: {error}")
            return
        self._fault(f"{status} became no error")

    async def _before(self, request: httpx.Request) -> None:
        self.score["requests"] += 1
        # After a change that may have failed the client reads; that is to fail as well.
        is_it = request.method == CALLS[self._name][0]
        if self._prefer:
            request.headers["Prefer"] = self._prefer if is_it else "code=500"

    async def _after(self, response: httpx.Response) -> None:
        said = response.headers.get("sl-violations", "")
        if "problem+json" in response.headers.get("content-type", ""):
            said += (await response.aread()).decode()
        # Prism's answers are not always of their schema: the client may read or refuse them.
        self._is_amiss = bool(said) and self._prefer == "dynamic=true"
        if said and ('"location":["request"' in said or not self._is_amiss):
            self.score["violations"] += 1
            self._fault(f"{self._prefer} {response.request.url.raw_path.decode()}: {said}")

    def _fault(self, text: str) -> None:
        self.faults.append(f"{self._name}: {text}")


def main() -> int:
    """Print the score and the faults.

    Returns:
        The exit code.
    """
    game = Game()
    with prism(DOCUMENT, "--errors") as base_url:
        asyncio.run(game.as_written(base_url))
    with prism(possible(), "--seed=20260421") as base_url:
        asyncio.run(game.made_up(base_url))
    for row in ("calls", "requests", "violations", "answers decoded", "errors mapped"):
        print(f"{row:<16} {game.score[row]:>4}")
    print(*game.faults, sep="\n")
    return 1 if game.faults else 0


if __name__ == "__main__":
    sys.exit(main())
