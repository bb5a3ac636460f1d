"""The search for secrets: it finds what leaks, and in the library it finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.canary import search

# Secrets come in, travel and are echoed there; ``nox -s canary`` takes all suites.
SHORT = (
    "tests/unit/test_token.py",
    "tests/unit/test_client.py",
    "tests/wire/test_token.py",
    "tests/wire/test_hostile_answers.py",
    "tests/integration",
    "tests/sync/test_client.py",
    "tests/security/test_cancelled.py",
)
SLOW = "not bomb and not megabytes and not deadline"

LEAKS = """
import logging

import pytest

import rmz_async
from rmz_async import Client
from rmz_async._http.client import Connections
from rmz_async.models.subscriptions import Subscription

TOKEN = "1|S3CRETcanary0123456789"


class Leaked(rmz_async.RMZError):
    pass


def leaks(monkeypatch, leak):
    async def exchange(self, prepared, token, limit, clock, history):
        leak(token)
        raise Leaked("leaked")

    monkeypatch.setattr(Connections, "exchange", exchange)


async def call():
    with pytest.raises(rmz_async.RMZError):
        await Client(TOKEN).subscriptions.get(1)


@pytest.mark.asyncio
async def test_output(monkeypatch):
    leaks(monkeypatch, lambda token: print("sent", token.reveal()))
    await call()


@pytest.mark.asyncio
async def test_log(monkeypatch):
    leaks(monkeypatch, lambda token: logging.getLogger("httpx").debug("%s", token.reveal()))
    await call()


@pytest.mark.asyncio
async def test_variables(monkeypatch):
    def keep(token):
        kept = token.reveal()
        raise Leaked(str(len(kept)))

    leaks(monkeypatch, keep)
    await call()


@pytest.mark.asyncio
async def test_error(monkeypatch):
    def tell(token):
        raise Leaked(token.reveal())

    leaks(monkeypatch, tell)
    await call()


@pytest.mark.asyncio
async def test_result(monkeypatch):
    async def exchange(self, prepared, token, limit, clock, history):
        body = b'{"data": {"id": 1, "status": "%s"}}' % token.reveal().encode()
        return rmz_async._calls.outcome.Answer(200, {"content-type": "application/json"}, body)

    monkeypatch.setattr(Connections, "exchange", exchange)
    await Client(TOKEN).subscriptions.get(1)


def test_nothing():
    raise LookupError
"""


def test_the_search_finds_each_leak(tmp_path: Path) -> None:
    """A token that is printed, logged, kept, raised or returned is seen in just that place.

    A test that fails is named, because its calls may have ended before they showed anything.
    """
    (tmp_path / "test_leaks.py").write_text(LEAKS, "utf-8")
    found = search(tmp_path, str(tmp_path / "test_leaks.py"))
    assert found.tests.startswith("1 failed, 5 passed"), found.tests
    (failed,) = found.failed
    assert "::test_nothing" in failed
    assert found.secrets == {"S3CRETcanary0123456789"}
    kinds = {kind for kind, _ in found.sightings}
    assert kinds == {"output", "log", "variables", "error", "pickle", "result"}


@pytest.mark.parametrize("name", ["output", "log", "variables"])
def test_each_place_is_searched(tmp_path: Path, name: str) -> None:
    """A leak in one place is not found by chance in another."""
    (tmp_path / "test_leaks.py").write_text(LEAKS, "utf-8")
    found = search(tmp_path, f"{tmp_path / 'test_leaks.py'}::test_{name}")
    assert {kind for kind, _ in found.sightings} == {name}


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """If the library is given secrets, none is in its logs, errors, results or output."""
    found = search(tmp_path, *SHORT, "-k", SLOW)
    assert found.secrets >= {"wire-test-token", "secret-token"}
    assert min(found.shown[kind] for kind in ("error", "log", "pickle", "result")) > 100, found
    assert found.sightings == ()
