"""Talk to a sandbox that runs in another process."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from rmz_async.sandbox.commands.credentials import read_from
from rmz_async.sandbox.commands.parsing import CommandError, ExitCode
from rmz_async.sandbox.loopback import is_loopback
from rmz_async.sandbox.tokens import may_be_live
from rmz_async.sandbox.wire.below import BASE_PATH

__all__ = ("RunningSandbox", "add_address_options")

STANDARD_URL = "http://127.0.0.1:8787"
# Moving the time waits for all deliveries, however many there are.
_PATIENCE = httpx.Timeout(10, read=None)


def add_address_options(parser: ArgumentParser) -> None:
    """Add the options that say which sandbox is meant."""
    group = parser.add_argument_group("the running sandbox")
    group.add_argument(
        "--url",
        help="its address; RMZ_BASE_URL if that is http, otherwise " + STANDARD_URL,
    )
    secret = group.add_mutually_exclusive_group()
    secret.add_argument("--token", help="its API token; RMZ_API_TOKEN if left out")
    secret.add_argument(
        "--credentials",
        type=Path,
        metavar="FILE",
        help="the file that the sandbox keeps its token in",
    )
    group.add_argument(
        "--i-know-that-this-is-not-rmz",
        action="store_true",
        help="allow an address on another machine, which gets the token unencrypted",
    )


class RunningSandbox:
    """A sandbox that answers at an address.

    Raises:
        CommandError: The address is not of a sandbox, or there is no token for it.
    """

    def __init__(self, given: Namespace) -> None:
        self.url: str = _address(given.url, elsewhere=given.i_know_that_this_is_not_rmz)
        token = _token(given)
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=_PATIENCE,
            trust_env=False,
        )

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """Return the answer to a question."""
        return self._send("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """Return the answer to an order."""
        return self._send("POST", path, json=body)

    def _send(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """Send a request below ``/sandbox``.

        Raises:
            CommandError: No sandbox answers, or it refuses.
        """
        try:
            with self._http as http:
                answer = http.request(method, f"{self.url}/sandbox/{path}", **content)
        except httpx.HTTPError as problem:
            raise CommandError(
                f"no sandbox answers at {self.url} ({problem}): start one with 'python -m "
                "rmz_async.sandbox', or name another address with --url",
                ExitCode.NO_SANDBOX,
            ) from None
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            body: Any = answer.json()
            message = "" if answer.is_success else str(body["message"])
        except (ValueError, KeyError, TypeError):
            raise CommandError(
                f"the server at {self.url} is no sandbox, or one of another version: its answer "
                f"was {answer.status_code}",
                ExitCode.NO_SANDBOX,
            ) from None
        if answer.status_code == 401:
            raise CommandError(
                f"the sandbox at {self.url} has another token: pass the one that it printed with "
                "--token, or its file with --credentials",
                ExitCode.FAILED,
            )
        if message:
            raise CommandError(f"the sandbox refused: {message}", ExitCode.FAILED)
        found: dict[str, Any] = body
        return found


def _address(given: str | None, *, elsewhere: bool) -> str:
    environment = os.environ.get("RMZ_BASE_URL", "")
    url = given or (environment if environment.startswith("http://") else STANDARD_URL)
    url = url.rstrip("/").removesuffix(BASE_PATH)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not url.startswith("http://") or not host:
        raise CommandError(
            f"--url must be like {STANDARD_URL}: a sandbox is served over http", ExitCode.USAGE
        )
    if not elsewhere and not is_loopback(host):
        raise CommandError(
            f"{host} is another machine, which would get the token unencrypted: add "
            "--i-know-that-this-is-not-rmz if a sandbox is there",
            ExitCode.USAGE,
        )
    return url


def _token(given: Namespace) -> str:
    if given.credentials is not None:
        return read_from(given.credentials).token
    token: str = given.token or os.environ.get("RMZ_API_TOKEN", "")
    if not token:
        raise CommandError(
            "the sandbox's token is missing: pass --token or --credentials, or set RMZ_API_TOKEN",
            ExitCode.USAGE,
        )
    if may_be_live(token):
        raise CommandError(
            "this token may belong to a real store, and was sent nowhere: pass the one that the "
            "sandbox printed with --token or --credentials",
            ExitCode.USAGE,
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise CommandError("a token is visible ASCII characters without blanks", ExitCode.USAGE)
    return token
