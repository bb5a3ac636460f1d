from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from rmz_async.cli import _wording, main
from rmz_async.sandbox import Sandbox, Served

TOKEN = "1|s3cretlocal"


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of this machine's environment, and English again after each test."""
    for name in (
        *("LC_ALL", "LC_MESSAGES", "LANG", "REDIS_URL", "RMZ_INBOX", "RMZ_API_TOKEN_FILE"),
        *("RMZ_WEBHOOK_SECRET", "RMZ_WEBHOOK_SECRETS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"),
    ):
        monkeypatch.delenv(name, raising=False)
    yield
    _wording.use_language("en")


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A sandbox in this process, which the environment names; time stands still."""
    with Sandbox(token=TOKEN).serve(clock_runs=False) as opened:
        monkeypatch.setenv("RMZ_BASE_URL", opened.base_url)
        monkeypatch.setenv("RMZ_API_TOKEN", TOKEN)
        monkeypatch.setenv("COLUMNS", "140")
        yield opened


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the output of a command that works."""
    assert main(words) == 0
    return capsys.readouterr().out


def status(capsys: pytest.CaptureFixture[str]) -> object:
    """Return the status of subscription 501."""
    return json.loads(printed(capsys, "subscriptions", "get", "501", "--json"))["status"]
