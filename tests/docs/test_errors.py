"""The functions of "Errors"."""

from __future__ import annotations

from typing import Any

import pytest

import rmz_async
import rmz_sync
from rmz_async import errors
from tests.docs.networks import Unsteady
from tests.docs.pages import Page, prose_of

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
