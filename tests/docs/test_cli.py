"""The page "The command line": each command prints what the page shows."""

from __future__ import annotations

import re
import sys

import pytest

from rmz_async.cli import _wording, main
from rmz_async.sandbox import Sandbox
from tests.docs.pages import ROOT

BLOCKS = re.findall(r"```console\n(.*?)```", (ROOT / "docs/cli.md").read_text("utf-8"), re.DOTALL)


def steady(output: str) -> list[str]:
    """Return lines without what each run has of its own: times, and the blanks that fill a row."""
    output = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\dZ)?", "DAY", output)
    return [line.rstrip() for line in output.splitlines()]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_command_prints_what_the_page_shows(
    block: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("REDIS_URL", "RMZ_INBOX", "RMZ_API_TOKEN_FILE", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    with Sandbox().serve(clock_runs=False) as served:
        monkeypatch.setenv("RMZ_BASE_URL", served.base_url)
        monkeypatch.setenv("RMZ_API_TOKEN", served.sandbox.token)
        for command in re.findall(r"\$ rmz (.*)\n", block):
            sys.stdout.write(f"$ rmz {command}\n")
            assert main(command.split()) == 0

    assert steady(capsys.readouterr().out) == steady(block)
    assert _wording.language() == "en"
