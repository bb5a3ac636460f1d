"""The sandbox and the names that the steps of a scenario act on."""

from __future__ import annotations

import re
from typing import Any, cast

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox.sandbox import Sandbox
from rmz_async.sandbox.store.state import Subscription

__all__ = ("REFERENCE", "Stage", "StepError")

REFERENCE = re.compile(r"\$([a-z_][a-z0-9_]*)")
_HOOK = "http://127.0.0.1/scenario"


class StepError(Exception):
    """A step did not go as it should; the message names the field and the rule."""


class Stage:
    """A sandbox, what the steps have saved, and a receiver of webhooks."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox: Sandbox = sandbox
        self.saved: dict[str, Any] = {}
        self.answers: int = 200

    def value(self, written: object) -> Any:
        """Return *written*, with what was saved in place of each ``$name``.

        Raises:
            StepError: Nothing was saved by that name.
        """
        match written:
            case str():
                whole = REFERENCE.fullmatch(written)
                if whole:
                    return self._saved(whole[1])
                return REFERENCE.sub(lambda found: str(self._saved(found[1])), written)
            case dict():
                rows = cast("dict[str, object]", written)
                return {self.value(key): self.value(row) for key, row in rows.items()}
            case list():
                return [self.value(item) for item in cast("list[object]", written)]
            case _:
                return written

    def subscription(self, field: str, written: int | str) -> Subscription:
        """Return the subscription whose id *field* has.

        Raises:
            StepError: There is none.
        """
        number = self.value(written)
        found = self.sandbox.state.subscriptions.get(number)
        if found is None:
            raise StepError(f"{field}: there is no subscription {number}")
        return found

    def save(self, name: str | None, value: object) -> None:
        """Keep *value* for the steps that follow; without a name keep nothing."""
        if name is not None:
            self.saved[name] = value

    def add_webhook(self, tries: int) -> None:
        """Let this stage receive every event from now on."""
        self.sandbox.add_webhook(_HOOK, tries=tries, app=self._receive)

    def api(self) -> httpx.AsyncClient:
        """Return a caller of the API that neither retries nor waits."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.sandbox.app),
            headers={"Authorization": f"Bearer {self.sandbox.token}"},
        )

    def _saved(self, name: str) -> Any:
        if name not in self.saved:
            raise StepError(f"nothing was saved as ${name}")
        return self.saved[name]

    async def _receive(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await Response(status_code=self.answers)(scope, receive, send)
