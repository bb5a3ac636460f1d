"""The steps of "Receive your first webhook in five minutes", with the output that each shows."""

from __future__ import annotations

import importlib
import re
import socket
import sys
import time
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.commands.parsing import PROGRAM
from rmz_async.webhooks.__main__ import main as inbox
from tests.docs.pages import ROOT, examples_of
from tests.integrations.conftest import PATH, serving

PAGE = "docs/first-webhook.md"
EXAMPLE = ROOT / "docs" / "examples" / "receive.py"
TEXT = (ROOT / PAGE).read_text("utf-8")
CREDENTIALS = ["--credentials", "rmz.env"]


def typed(command: str) -> list[str]:
    """The rest of the command of the page that begins like this."""
    (line,) = re.findall(rf"(?m)^\$ {re.escape(command)} (.+)$", TEXT)
    return str(line).split()


def below(command: str) -> str:
    """The output that the page shows below a command."""
    (block,) = re.findall(rf"(?ms)^\$ {re.escape(command)}[^\n]*\n(.*?)^```$", TEXT)
    return str(block)


def comparable(output: str) -> str:
    """An output without the parts that are others each time."""
    output = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:…", output)
    return re.sub(r"(sandbox|secret +)[^\s']+", r"\1…", output)


def test_the_page_shows_the_file() -> None:
    (shown,) = examples_of(PAGE, None).examples()

    assert str(shown.parsed) == EXAMPLE.read_text("utf-8")


def test_each_step_prints_what_the_page_shows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service is a thread of this process; all else is as on the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(EXAMPLE.parent)
    listener = socket.create_server(("127.0.0.1", 0))
    webhook = f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"

    def use_it() -> None:
        printed = capsys.readouterr().out
        assert comparable(printed) == comparable(below(f"{PROGRAM} --credentials"))
        for line in Path("rmz.env").read_text("utf-8").splitlines():
            monkeypatch.setenv(line.partition("=")[0], line.partition("=")[2].strip("'"))
        monkeypatch.setenv("RMZ_BASE_URL", re.findall(r"RMZ_BASE_URL=(\S+)", printed)[0])
        service = importlib.import_module("receive")
        with serving(service.app, listener):
            follow(service, webhook, capsys)

    assert typed(f"{PROGRAM} --credentials")[0] == "rmz.env"
    assert main(["--port", "0", *CREDENTIALS, "--webhook", webhook], wait=use_it) == 0
    monkeypatch.delitem(sys.modules, "receive")


def follow(service: ModuleType, webhook: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Do what the page says from the fifth step on."""
    assert main(["emit", *typed(f"{PROGRAM} emit")]) == 0
    until = time.monotonic() + 60
    while service.receiver.inbox.stats().done == 0:
        assert time.monotonic() < until, "the handler has not run"
    printed = capsys.readouterr().out
    handled = re.findall(r"(?ms)^```text\n.*?\n(subscription[^\n]+)\n```$", TEXT)[0]
    assert below(f"{PROGRAM} emit").strip() in printed
    assert handled in printed

    assert main(["resend", *typed(f"{PROGRAM} resend")]) == 0
    assert inbox(typed("python -m rmz_async.webhooks")) == 0
    printed = capsys.readouterr().out
    # Between the lines, the sandbox reports what it was asked.
    shown = below(f"{PROGRAM} resend") + below("python -m rmz_async.webhooks")
    for line in shown.splitlines():
        assert line in printed
    assert handled not in printed

    forged = httpx.post(webhook, content=typed("curl")[-1], trust_env=False)
    assert (forged.status_code, f"{forged.text}\n") == (401, below("curl"))
