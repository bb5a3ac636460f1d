"""Reports of played scenarios: the file that CI servers read, and the command's own words."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.scenarios.command import STORIES
from rmz_async.sandbox.scenarios.junit import report
from tests.sandbox.stories import played, story


def test_the_report_is_read_as_ci_servers_read_it(tmp_path: Path) -> None:
    """A suite for each scenario, a case for each step, with times, messages and counts."""
    good = played(tmp_path, "[[step]]\ntitle = 'A day'\nadvance = { days = 1 }")
    bad = played(
        tmp_path,
        """
        [[step]]
        advance = { days = 1 }
        [[step]]
        call = { path = "/subscriptions/9" }
        [[step]]
        advance = { days = 1 }
        """,
        head='name = "Bad <&> \\u0007"',
    )
    broken = played(tmp_path, "[[step]]\nsubscribe = { variant_id = 9 }")
    written = report([good, bad, broken], datetime(2026, 1, 1, tzinfo=UTC))
    path = tmp_path / "out.xml"
    path.write_bytes(written)
    suites: Any = JUnitXml.fromfile(str(path))
    assert (suites.tests, suites.failures, suites.errors, suites.skipped) == (5, 1, 1, 1)
    first, second, third = suites
    assert (first.name, first.tests, first.failures) == ("A story", 1, 0)
    assert first.timestamp == "2026-01-01T00:00:00+00:00"
    (case,) = first
    assert (case.classname, case.name) == ("story", "step 01 advance: A day")
    assert case.time >= 0
    assert case.is_passed
    assert second.name == "Bad <&> �"
    passed, failed, skipped = second
    assert passed.is_passed
    (failure,) = failed.result
    assert isinstance(failure, Failure)
    assert "step 2 (call): status: must be 200, and is 404" in failure.message
    assert failure.text == str(bad.failed.problem if bad.failed else None)
    assert isinstance(skipped.result[0], Skipped)
    (wrong,) = third
    assert isinstance(wrong.result[0], Error)
    assert "NotFoundError" in wrong.result[0].message


def test_the_command_plays_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shipped story by its name, a file by its path, and 1 if one fails."""
    bad = story(tmp_path, "[[step]]\ncall = { path = '/subscriptions/9' }")
    out = tmp_path / "out.xml"
    assert main(["run", "1-trial", str(bad), "--junit", str(out)]) == 1
    printed = capsys.readouterr().out
    assert "✓ A trial becomes a paid subscription: 7 steps" in printed
    assert f"✗ A story\n  {bad}: step 1 (call): status: must be 200" in printed
    read_back: Any = JUnitXml.fromfile(str(out))
    assert len(list(read_back)) == 2
    assert main(["run", "1-trial"]) == 0


def test_the_command_lists_the_stories(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its name."""
    assert main(["run", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(list(STORIES.glob("*.toml")))
    assert lines[0].split(maxsplit=1) == ["1-trial", "A trial becomes a paid subscription"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["missing.toml"], 2, "cannot read missing.toml: No such file"),
        (["story.toml"], 2, "story.toml: step: there must be"),
        (["1-trial", "--junit", "missing/out.xml"], 1, "cannot write missing/out.xml"),
    ],
)
def test_the_command_says_on_one_line_what_is_wrong(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    message: str,
) -> None:
    """With the exit code that the help documents."""
    story(tmp_path, "step = []")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", *words])
    assert ended.value.code == code
    assert message in capsys.readouterr().err
