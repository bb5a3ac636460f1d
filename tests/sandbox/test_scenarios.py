"""Scenarios: stories in TOML, with messages that name the step, and a report for CI servers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import anyio
import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.scenarios.actions import ACTIONS
from rmz_async.sandbox.scenarios.command import STORIES
from rmz_async.sandbox.scenarios.expectations import EXPECTATIONS
from rmz_async.sandbox.scenarios.junit import report
from rmz_async.sandbox.scenarios.playing import Played, play
from rmz_async.sandbox.scenarios.scenario import ScenarioError, read

LIVE = "7|" + "a1B2c3D4" * 5


def story(folder: Path, steps: str, head: str = 'name = "A story"') -> Path:
    """Write a scenario."""
    path = folder / "story.toml"
    path.write_text(f"{head}\n{dedent(steps)}", "utf-8")
    return path


def played(folder: Path, steps: str, head: str = 'name = "A story"') -> Played:
    """Write a scenario, and play it."""
    return anyio.run(play, read(story(folder, steps, head)))


@pytest.mark.parametrize("path", sorted(STORIES.glob("*.toml")), ids=lambda path: path.stem)
def test_each_story_that_comes_with_the_sandbox_passes(path: Path) -> None:
    """And it takes the same way each time."""
    first, again = (anyio.run(play, read(path)) for _ in range(2))
    assert first.failed is None
    assert len(first.outcomes) >= 6
    assert [one.step for one in again.outcomes] == [one.step for one in first.outcomes]


ALL_STEPS = """
    [[step]]
    receive = { status = 200, tries = 2 }
    [[step]]
    [step.call]
    method = "POST"
    path = "/subscriptions/checkout-sessions"
    save = { url = "data.checkout_url" }
    [step.call.body]
    product_id = 102
    variant_id = 14
    customer = { id = 4501 }
    success_url = "https://app.example/ok"
    cancel_url = "https://app.example/no"
    [[step]]
    pay = { checkout_url = "$url", card = "4000000000000002", refused = true }
    [[step]]
    pay = { checkout_url = "$url", save = "sub" }
    [[step]]
    subscribe = { card = "4000000000000069", refused = true }
    [[step]]
    save_snapshot = { name = "paid" }
    [[step]]
    set_card = { subscription = "$sub", behaviour = "declines" }
    [[step]]
    advance = { days = 27 }
    [[step]]
    expect_subscription = { id = "$sub", fields = { status = "past_due", renews = true } }
    [[step]]
    restore_snapshot = { name = "paid" }
    [[step]]
    set = { state = { subscriptions = { "$sub" = { external_customer_id = "usr_9" } } } }
    [[step]]
    [step.call]
    path = "/subscriptions/$sub"
    expect = { "data.id" = "$sub", "data.external_customer_id" = "usr_9" }
    [[step]]
    fault = { fault = "server_error", on = "GET *", times = 1 }
    [[step]]
    call = { path = "/subscriptions", status = 500 }
    [[step]]
    call = { path = "/subscriptions", expect = { "data.data.0.id" = "$sub" } }
    [[step]]
    fault = { fault = "drop" }
    [[step]]
    clear_faults = {}
    [[step]]
    emit = { event = "subscription.updated", id = "$sub" }
    [[step]]
    expect_deliveries = { event = "subscription.updated", id = "$sub" }
    [[step]]
    portal = { subscription = "$sub", cancel = "immediate" }
    [[step]]
    portal = { subscription = "$sub", plan = 15, refused = true }
    [[step]]
    portal = { subscription = "$sub", resume = true }
    [[step]]
    portal = { subscription = "$sub", card = "5555555555554444" }
    [[step]]
    expect_ledger = { operation = "portal.change_card", id = "$sub" }
    [[step]]
    expect_requests = { times = 1, status = 500 }
"""


def test_every_kind_of_step_can_be_played(tmp_path: Path) -> None:
    """References stand in keys, values and the middle of a path."""
    run = played(tmp_path, ALL_STEPS)
    assert run.failed is None, run.failed
    kinds = {one.step.kind for one in run.outcomes}
    assert kinds == ACTIONS.keys() | EXPECTATIONS.keys()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("step = []", "step: there must be at least one"),
        ("[[step]]\ntitle = 'x'", "step 1: a step does one thing, and this one has nothing"),
        (
            "[[step]]\nadvance = {}\nemit = {}",
            "step 1: a step does one thing, and this one has advance, emit",
        ),
        ("[[step]]\nadvanse = {}", "step 1: there is no advanse; did you mean advance?"),
        (
            "[[step]]\nadvance = 5",
            r"step 1 \(advance\): must be a table of names and values, not 5",
        ),
        (
            "[[step]]\nadvance = {}\n[[step]]\nadvance = { days = 'x' }",
            r"step 2 \(advance\): days: must be a number, not 'x'",
        ),
        ("[[step]]\nadvance = { day = 1 }", r"step 1 \(advance\): unknown: day"),
        ("[[step]]\nadvance = {}\ntitle = 1", "step 1: title: must be a string, not 1"),
        (
            "[[step]]\nset_card = { subscription = 501, behaviour = 'x' }",
            r"step 1 \(set_card\): behaviour: must be one of 'pays'",
        ),
        ("[[step]]\nemit = { event = 'subscription.renewed' }", "the field id is missing"),
        (
            "[[step]]\nportal = { subscription = 501 }",
            r"step 1 \(portal\): one of cancel, resume, card and plan must be there",
        ),
        (
            "[[step]]\nportal = { subscription = 501, cancel = 'later' }",
            r"step 1 \(portal\): 'cancel' must be in",
        ),
        (
            "[[step]]\nexpect_subscription = { id = 501, fields = { statsu = 'active' } }",
            "fields.statsu: there is no statsu; did you mean status?",
        ),
        (
            "[[step]]\nset_card = { subscription = '$sub', behaviour = 'pays' }",
            r"step 1 \(set_card\): nothing was saved as \$sub by a step before",
        ),
        (
            "[[step]]\nsubscribe = { save = 'My Sub' }",
            r"step 1 \(subscribe\): save: a name is small letters",
        ),
        (
            "[state.subscriptions.501]\nstatus = 'actve'",
            "state.subscriptions.501.status: must be one of",
        ),
        ("[state.subscriptons.501]\nstatus = 'active'", "there is no subscriptons; did you mean"),
        ("colour = 1", "unknown: colour"),
        ("[[step", "not TOML"),
        (f"[[step]]\nemit = {{ event = '{LIVE}' }}", "may belong to a real store"),
    ],
)
def test_a_wrong_file_is_refused_by_step_field_and_rule(
    tmp_path: Path, steps: str, message: str
) -> None:
    """Before anything is played."""
    path = story(tmp_path, steps if "step" in steps else f"{steps}\n[[step]]\nadvance = {{}}")
    with pytest.raises(ScenarioError, match=message) as refusal:
        read(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert LIVE not in str(refusal.value)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("subscribe = { card = '4000000000000002' }", "card: the card that ends in 0002"),
        ("subscribe = { refused = true }", "refused: the card has paid for subscription"),
        ("pay = { checkout_url = 'http://127.0.0.1/checkout/none' }", "card: the card that ends"),
        (
            "pay = { checkout_url = '$url', refused = true }",
            "refused: the card has paid for subscription",
        ),
        ("advance = { days = -1 }", "time goes on and never back"),
        ("call = { path = '/subscriptions/9' }", "status: must be 200, and is 404"),
        (
            "call = { path = '/subscriptions/501', expect = { 'data.status' = 'paused' } }",
            "data.status: must be 'paused', and is 'active'",
        ),
        (
            "call = { path = '/subscriptions', save = { x = 'data.data.99.id' } }",
            "data.data.99.id: the answer has no such value",
        ),
        (
            "portal = { subscription = 9, resume = true }",
            "subscription: there is no subscription 9",
        ),
        ("portal = { subscription = 501, resume = true }", "resume: was refused"),
        (
            "portal = { subscription = 501, cancel = 'immediate', refused = true }",
            "cancel: was not refused",
        ),
        ("set_card = { subscription = 9, behaviour = 'pays' }", "there is no subscription 9"),
        (
            "set = { state = { products = { 102 = { trial_days = 'x' } } } }",
            "trial_days: must be a",
        ),
        ("fault = { fault = 'explode' }", "there is no fault 'explode'"),
        ("emit = { event = 'subscription.renewed', id = 9 }", "id: there is no subscription 9"),
        ("save_snapshot = { name = '/' }", "name: the name of a snapshot"),
        ("restore_snapshot = { name = 'x' }", "name: there is no snapshot 'x'"),
        ("expect_subscription = { id = 9, fields = {} }", "id: there is no subscription 9"),
        (
            "expect_subscription = { id = 501, fields = { status = 'paused' } }",
            "status: must be 'paused', and is 'active'",
        ),
        (
            "expect_deliveries = { event = 'subscription.renewed' }",
            "subscription.renewed must be accepted 1 time.*was accepted 0, in 0 attempt.*: none",
        ),
        (
            "expect_ledger = { operation = 'orders.create' }",
            "orders.create 1 time.*has it 0; latest effects: checkout_sessions.create of",
        ),
        (
            "expect_requests = { times = 0, method = 'POST' }",
            r"0 request\(s\) must fit, and 1 do; latest requests: POST /subscriptions/checkout",
        ),
    ],
)
def test_a_step_that_fails_names_file_number_field_and_rule(
    tmp_path: Path, step: str, message: str
) -> None:
    """With what was found instead; the steps after it are not played."""
    before = ALL_STEPS[: ALL_STEPS.index("    [[step]]\n    pay")]
    run = played(
        tmp_path, f"{dedent(before)}\n[[step]]\n{step}\n[[step]]\nadvance = {{ days = 1 }}"
    )
    assert run.failed is not None
    assert run.failed.problem is not None
    kind = step.partition(" ")[0]
    start = f"{tmp_path / 'story.toml'}: step 3 ({kind}): "
    assert run.failed.problem.startswith(start)
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(run.failed.problem)
    assert [one.was_reached for one in run.outcomes] == [True, True, True, False]


def test_deliveries_are_expected_only_with_a_receiver(tmp_path: Path) -> None:
    """Else nothing would ever be sent, and the message says which step is missing."""
    run = played(tmp_path, "[[step]]\nexpect_deliveries = { event = 'subscription.renewed' }")
    assert run.failed is not None
    assert "begin with a receive step" in str(run.failed.problem)


def test_a_list_of_references_is_filled_in(tmp_path: Path) -> None:
    """In a body, as deep as it goes; a plain subscribe saves nothing."""
    run = played(
        tmp_path,
        """
        [[step]]
        subscribe = {}
        [[step]]
        call = { path = "/products/101", save = { key = "data.id" } }
        [[step]]
        [step.call]
        method = "POST"
        path = "/orders"
        status = 201
        [step.call.body]
        customer = { id = 4501 }
        created_from = "app.example"
        products = [{ identifier_type = "id", identifier = "$key", quantity = 1 }]
        """,
    )
    assert run.failed is None, run.failed


def test_a_name_that_a_refused_card_did_not_save_is_reported(tmp_path: Path) -> None:
    """The check before the run cannot know of it."""
    run = played(
        tmp_path,
        """
        [[step]]
        subscribe = { card = "4000000000000002", refused = true, save = "sub" }
        [[step]]
        call = { path = "/subscriptions/$sub" }
        """,
    )
    assert run.failed is not None
    assert str(run.failed.problem).endswith("step 2 (call): nothing was saved as $sub")


def test_a_portal_without_a_link_says_why(tmp_path: Path) -> None:
    """A fault may hit the call that makes the link; another may cut a call's connection."""
    run = played(
        tmp_path,
        """
        [[step]]
        fault = { fault = "server_error" }
        [[step]]
        portal = { subscription = 501, resume = true }
        """,
    )
    assert run.failed is not None
    assert "no link was made" in str(run.failed.problem)
    run = played(
        tmp_path,
        """
        [[step]]
        fault = { fault = "reset" }
        [[step]]
        call = { path = "/store" }
        """,
    )
    assert run.failed is not None
    assert "status: must be 200, and there is none" in str(run.failed.problem)


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
