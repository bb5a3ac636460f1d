"""The functions of "Errors"."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

import rmz_async
import rmz_sync
from rmz_async import errors
from tests.docs.networks import Unsteady
from tests.docs.pages import ROOT, Page, prose_of

PAGE = "docs/errors.md"


def test_both_packages_raise_the_same_classes() -> None:
    assert rmz_sync.NotFoundError is rmz_async.NotFoundError


def test_the_table_has_every_error_that_is_raised() -> None:
    table = " ".join(line.split("|")[1] for _, line in prose_of(PAGE) if line.startswith("| `"))
    bases = {"RMZError", "WebhookError", "FieldErrors"}

    assert {name for name in errors.__all__ if f"`{name}`" not in table} == bases


@pytest.mark.parametrize(
    ("subscription_id", "text"),
    [
        (508, "Paused."),
        (504, "Only an active subscription can be paused."),
        (999, "That did not work. Please try again."),
    ],
)
def test_three_branches_are_enough(page: Page, subscription_id: int, text: str) -> None:
    page.run()

    async def pause() -> Any:
        async with rmz_async.Client() as rmz:
            return await page["pause"](rmz, subscription_id)

    assert page.wait(pause()) == text


def test_a_lost_answer_is_being_checked(page: Page) -> None:
    page.run()

    async def pause() -> Any:
        policy = rmz_async.RetryPolicy(backoff=0.001)
        async with (
            Unsteady().client() as network,
            rmz_async.Client(http=network, retry=policy) as rmz,
        ):
            return await page["pause"](rmz, 508)

    assert page.wait(pause()).startswith("We are checking")


def test_each_field_that_is_wrong_is_printed(page: Page) -> None:
    page.run()

    async def sign_up() -> None:
        async with rmz_async.Client() as rmz:
            await page["sign_up"](rmz)

    page.wait(sign_up())
    assert sorted(line.partition(":")[0] for line in page.printed) == [
        "customer.email",
        "customer.phone",
    ]


@pytest.mark.parametrize(
    ("subscription_id", "expected"),
    [(504, rmz_async.ConflictError), (999, rmz_async.NotFoundError)],
)
def test_an_error_goes_through_json_with_its_class_and_attributes(
    page: Page, subscription_id: int, expected: type[rmz_async.APIError]
) -> None:
    page.run()
    with rmz_sync.Client() as rmz:
        result = page["pause_in_a_task"](rmz, subscription_id)
        with pytest.raises(expected) as direct:
            rmz.subscriptions.pause(subscription_id)

    with pytest.raises(expected) as caught:
        page["raise_error_of"](json.loads(json.dumps(result)))
    assert str(caught.value) == str(direct.value)
    assert (caught.value.status, caught.value.message, caught.value.operation) == (
        direct.value.status,
        direct.value.message,
        "subscriptions.pause",
    )


def test_a_task_without_an_error_raises_none(page: Page) -> None:
    page.run()
    with rmz_sync.Client() as rmz:
        result = page["pause_in_a_task"](rmz, 508)

    page["raise_error_of"](json.loads(json.dumps(result)))
    assert page.sandbox.state.subscriptions[508].status == "paused"


def test_an_unknown_outcome_goes_through_json_and_is_resolved_before_it(page: Page) -> None:
    page.run()
    policy = rmz_sync.RetryPolicy(backoff=0.001)
    with rmz_sync.Client(http=Unsteady().client(), retry=policy) as rmz:
        result = page["pause_in_a_task"](rmz, 508)
        with pytest.raises(rmz_sync.OutcomeUnknownError) as caught:
            page["raise_error_of"](json.loads(json.dumps(result)))
        with pytest.raises(rmz_sync.ConfigurationError):
            rmz.resolve(caught.value)

    assert caught.value.object_id == 508


def test_the_tasks_of_celery_compile_and_call_what_the_page_defines(page: Page) -> None:
    """The block is not run: Celery and its broker are no part of these tests."""
    page.run()
    (block,) = re.findall(r"(?ms)^```py$(.*?)^```$", (ROOT / PAGE).read_text(encoding="utf-8"))
    tree = ast.parse(block)
    compile(tree, PAGE, "exec")

    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {function.id for function in calls if isinstance(function, ast.Name)}
    assert called - set(page.names) == {"Celery"}
