from __future__ import annotations

import attrs
import pytest

from rmz_async import operations
from rmz_async.operations import OPERATIONS, Operation, RetryRule

every_row = pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: row.name)


def test_no_row_is_missing() -> None:
    """Each row that the module defines stands in the table, under its own name."""
    defined = {
        name: value for name, value in vars(operations).items() if isinstance(value, Operation)
    }

    assert list(defined.values()) == list(OPERATIONS)
    assert list(defined) == [row.name.upper().replace(".", "_") for row in OPERATIONS]


@every_row
def test_a_read_is_safe_and_a_write_is_not(row: Operation) -> None:
    """Only reads may be retried at will, and all reads may."""
    assert (row.retry is RetryRule.SAFE) == (row.method == "GET")


@every_row
def test_a_write_says_how_to_find_out(row: Operation) -> None:
    """Only the error of an unknown outcome says what to do next."""
    assert bool(row.find_out) == (row.retry is not RetryRule.SAFE)
    assert not row.find_out.endswith(".")


@every_row
def test_a_row_names_its_source(row: Operation) -> None:
    """Each row can be compared with RMZ's own page."""
    assert row.source.startswith("https://docs.rmz.gg/merchant-api/")


@every_row
def test_only_a_change_has_a_time_to_be_sent_again(row: Operation) -> None:
    """A read may always be retried, and a call that is sent only once never is."""
    assert row.resend_within == 0 or row.retry in (RetryRule.SETTLE, RetryRule.DEDUPED)


def test_an_order_is_not_retried_after_its_5_minutes() -> None:
    """RMZ remembers an order for 300 seconds: later, a retry would be a second order."""
    assert 0 < operations.ORDERS_CREATE.resend_within <= 300 - 60


def test_extending_is_warned_of() -> None:
    """An unclear extension must not simply be made again."""
    assert operations.SUBSCRIPTIONS_EXTEND.find_out.endswith("extending again adds up")


def test_rows_do_not_change() -> None:
    """No caller can make a write a call that is retried."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        operations.SUBSCRIPTIONS_EXTEND.retry = RetryRule.SAFE  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the very mistake


@pytest.mark.parametrize("rule", RetryRule)
def test_a_rule_says_in_words_whether_it_retries(rule: RetryRule) -> None:
    """The docs print the words, so they must not promise what the rule forbids."""
    assert ("never retry" in rule.words) is (rule is RetryRule.ONCE)
    assert not rule.words.endswith(".")
