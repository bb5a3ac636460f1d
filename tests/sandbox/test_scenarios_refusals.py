"""Scenarios that are wrong are refused before a step is played, by step, field and rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmz_async.sandbox.scenarios.scenario import ScenarioError, read
from tests.sandbox.stories import story

LIVE = "7|" + "a1B2c3D4" * 5


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
