"""Scenarios: stories in TOML that are played, with messages that name the step that failed."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import anyio
import pytest

from rmz_async.sandbox.scenarios.actions import ACTIONS
from rmz_async.sandbox.scenarios.command import STORIES
from rmz_async.sandbox.scenarios.expectations import EXPECTATIONS
from rmz_async.sandbox.scenarios.playing import play
from rmz_async.sandbox.scenarios.scenario import read
from tests.sandbox.stories import played


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
