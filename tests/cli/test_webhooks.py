"""``rmz webhooks`` for people and programs."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from pathlib import Path

import pytest

from rmz_async.cli import main
from rmz_async.sandbox import Served
from rmz_async.webhooks.inbox.interface import TaskState
from tests.cli.conftest import printed
from tests.webhooks.receiving import SECRET, fill_inbox

PROGRAM = f"""
from rmz_async import webhooks

receiver = webhooks.Receiver(secrets=[{SECRET!r}], inbox="sqlite:///inbox.db")


@receiver.on("subscription.*", name="renew")
def renew(event):
    ...
"""


@pytest.fixture(autouse=True)
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An inbox with one event that was applied, one that failed and one that cannot be read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "my_shop", raising=False)
    monkeypatch.delenv("RMZ_RECEIVER", raising=False)
    (tmp_path / "my_shop.py").write_text(PROGRAM, encoding="utf-8")
    address = "sqlite:///inbox.db"
    fill_inbox(address, failure="no such\n\x1b[2Juser")
    monkeypatch.setenv("RMZ_INBOX", address)
    return address


def test_deliveries_are_a_table_lines_of_json_or_values_with_commas(
    capsys: pytest.CaptureFixture[str],
) -> None:
    heading, *rows = printed(capsys, "webhooks", "list").splitlines()
    assert heading.split() == ["number", "received_at", "event", "about", "state"]
    assert [row.split()[-1] for row in rows] == ["unreadable", "dead", "done"]

    found = [
        json.loads(line) for line in printed(capsys, "webhooks", "list", "--json").splitlines()
    ]
    assert [each["number"] for each in found] == [3, 2, 1]
    assert datetime.fromisoformat(found[0]["received_at"]).utcoffset() is not None

    assert len(printed(capsys, "webhooks", "list", "--csv", "--limit", "1").splitlines()) == 2
    dead = printed(capsys, "webhooks", "list", "--csv", "--state", "dead", "--before", "3")
    assert len(dead.splitlines()) == 2


@pytest.mark.parametrize("state", list(TaskState))
def test_deliveries_are_listed_by_each_state_of_a_task(
    capsys: pytest.CaptureFixture[str], state: TaskState
) -> None:
    listed = printed(capsys, "webhooks", "list", "--csv", "--state", state)

    assert {row.split(",")[4] for row in listed.splitlines()[1:]} <= {state}


def test_counts_have_words_for_people_and_always_the_same_names_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stats = ("webhooks", "stats")

    assert "oldest waiting (seconds)" in printed(capsys, *stats)
    arabic = printed(capsys, *stats, "--language", "ar")
    assert not re.search("[a-z]", arabic)
    assert "oldest waiting,0" in printed(capsys, *stats, "--csv")


def test_a_delivery_is_shown_with_its_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys, "webhooks", "show", "2")
    assert "no such\\n\\x1b[2Juser" in output
    assert "sara@example.com" not in output
    assert "sara@example.com" in printed(capsys, "webhooks", "show", "2", "--body")
    assert "not an event" in printed(capsys, "webhooks", "show", "3")

    document = json.loads(printed(capsys, "webhooks", "show", "2", "--json", "--body"))
    assert document["key"] == "bad"
    assert document["tasks"][0]["state"] == "dead"
    assert json.loads(document["body"])["event"] == "subscription.renewed"

    assert printed(capsys, "webhooks", "show", "2", "--csv").startswith("handler,state,")


def test_a_replay_says_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("webhooks", "replay", "2", "9", "--receiver", "my_shop:receiver")

    assert main([*words, "--dry-run", "--json"]) == 0
    output = capsys.readouterr()
    would = json.loads(output.out)
    assert (would["number"], would["handler"], would["dry_run"]) == (2, "renew", True)
    assert "9: nothing to run" in output.err
    assert json.loads(printed(capsys, "webhooks", "stats", "--json"))["waiting"] == 0

    printed(capsys, *words)
    assert json.loads(printed(capsys, "webhooks", "stats", "--json"))["waiting"] == 1


def test_the_rest_of_the_module_is_there_too(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "dead" in printed(capsys, "webhooks", "stats")
    tables = printed(capsys, "webhooks", "schema")
    assert tables.startswith("CREATE TABLE")
    assert json.loads(printed(capsys, "webhooks", "schema", "--json"))[
        "schema"
    ] == tables.removesuffix("\n")
    assert printed(capsys, "webhooks", "create") == "the tables are there\n"
    assert printed(capsys, "webhooks", "create", "--json") == ""
    forgotten = printed(capsys, "webhooks", "purge", "--older-than=-1", "--dead", "--json")
    assert json.loads(forgotten) == {"forgotten": 3}
    words = ("--receiver", "my_shop:receiver", "--per-minute", "60000", "--feed-first", "--json")
    found = json.loads(printed(capsys, "webhooks", "reconcile", *words))
    assert found["subscriptions"] > 0
    assert found["complete"]


def test_the_inbox_may_be_named_before_the_command(
    inbox: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RMZ_INBOX")

    before = printed(capsys, "webhooks", "--inbox", inbox, "list", "--csv")
    assert before == printed(capsys, "webhooks", f"--inbox={inbox}", "list", "--csv")
    assert before == printed(capsys, "webhooks", "list", "--csv", "--inbox", inbox)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", "9"], "there is no delivery 9"),
        (["replay", "1"], "--receiver: write it as module:name"),
        (["stats", "--inbox", "sqlite:////no/such/S3CRET.db"], "there is no such file"),
        (["create", "--inbox", "sqlite:////no/such/S3CRET.db"], "cannot be used (Operational"),
        (["stats", "--inbox", "mysql://me:S3CRET@x"], "must be sqlite:///"),
    ],
)
def test_a_failure_is_one_line_without_the_address(
    capsys: pytest.CaptureFixture[str], words: list[str], reason: str
) -> None:
    assert main(["webhooks", *words]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line
    assert "S3CRET" not in line
