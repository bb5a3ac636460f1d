"""The whole decision table, written out: who reads it need not read the code."""

from __future__ import annotations

from itertools import product

import attrs
import pytest

from rmz_async import operations
from rmz_async._retry import Failure, History, Step, next_step
from rmz_async.operations import Operation, Repeat
from rmz_async.options import RetryPolicy

BY_RULE = {
    Repeat.SAFE: operations.SUBSCRIPTIONS_GET,
    Repeat.SETTLE: operations.SUBSCRIPTIONS_PAUSE,
    Repeat.HARMLESS: operations.CHECKOUT_SESSIONS_CREATE,
    Repeat.ONCE: operations.SUBSCRIPTIONS_EXTEND,
}

# Each cell is six letters: the decisions after try 1, 2 and 3 of 3 where no earlier try may have
# been applied, and then the same where one may have been. P repeats, S settles by reading back,
# and R raises; where there is no way to read back, each S is R.
TABLE = {
    #                       SAFE       SETTLE     HARMLESS   ONCE
    Failure.NOT_SENT:    ("PPR PPS", "PPR SSS", "PPR PPS", "PPR PPS"),
    Failure.NEVER_SENT:  ("RRR SSS", "RRR SSS", "RRR SSS", "RRR SSS"),
    Failure.AMBIGUOUS:   ("PPS PPS", "SSS SSS", "PPS SSS", "SSS SSS"),
    Failure.UNREADABLE:  ("SSS SSS", "SSS SSS", "SSS SSS", "SSS SSS"),
    Failure.THROTTLED:   ("PPR PPS", "PPR SSS", "PPR PPS", "RRR SSS"),
    Failure.REFUSED:     ("PRR PSS", "RRR SSS", "PRR PSS", "RRR SSS"),
    Failure.CONFLICT:    ("RRR SSS", "RRR SSS", "RRR SSS", "RRR SSS"),
    Failure.FINAL:       ("RRR SSS", "RRR SSS", "RRR SSS", "RRR SSS"),
}  # fmt: skip
STEPS = {"P": Step.REPEAT, "S": Step.SETTLE, "R": Step.RAISE}
RULES = (Repeat.SAFE, Repeat.SETTLE, Repeat.HARMLESS, Repeat.ONCE)


def cases() -> list[tuple[Repeat, Failure, bool, int, bool, Step]]:
    """Read the table."""
    found: list[tuple[Repeat, Failure, bool, int, bool, Step]] = []
    for failure, row in TABLE.items():
        for rule, cell in zip(RULES, row, strict=True):
            letters = cell.replace(" ", "")
            for place, (ambiguous, attempts) in enumerate(product((False, True), (1, 2, 3))):
                letter = letters[place]
                found.append((rule, failure, ambiguous, attempts, True, STEPS[letter]))
                blind = "R" if letter == "S" else letter
                found.append((rule, failure, ambiguous, attempts, False, STEPS[blind]))
    return found


def name(value: object) -> str:
    """Name a case after its parts."""
    return value.name if isinstance(value, Repeat | Failure | Step) else str(value)


def test_the_table_is_complete() -> None:
    """Every rule and every failure has its cell."""
    assert set(TABLE) == set(Failure)
    assert set(RULES) == set(Repeat)


@pytest.mark.parametrize(
    ("rule", "failure", "ambiguous", "attempts", "can_settle", "expected"), cases(), ids=name
)
def test_what_to_do_next(
    rule: Repeat,
    failure: Failure,
    ambiguous: bool,
    attempts: int,
    can_settle: bool,
    expected: Step,
) -> None:
    """A failed try is followed by what the table says."""
    history = History(attempts=attempts, ambiguous=ambiguous)

    step = next_step(
        BY_RULE[rule], failure, history, RetryPolicy(max_attempts=3), can_settle=can_settle
    )

    assert step is expected


@pytest.mark.parametrize("failure", Failure, ids=name)
@pytest.mark.parametrize("operation", operations.OPERATIONS, ids=lambda row: row.name)
def test_one_attempt_means_one(operation: Operation, failure: Failure) -> None:
    """With one attempt allowed nothing is ever repeated."""
    step = next_step(
        operation, failure, History(attempts=1), RetryPolicy(max_attempts=1), can_settle=False
    )

    assert step is Step.RAISE


def test_the_rule_decides_and_not_the_name() -> None:
    """A call is repeated by its row's rule, whatever else the row says."""
    row = attrs.evolve(operations.SUBSCRIPTIONS_EXTEND, repeat=Repeat.SAFE)

    step = next_step(row, Failure.AMBIGUOUS, History(attempts=1), RetryPolicy(), can_settle=False)

    assert step is Step.REPEAT
