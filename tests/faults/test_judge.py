"""The judge distinguishes each kind of lie from the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import attrs
import pytest

from rmz_async._calls.outcome import Evidence
from rmz_async.resources import _settling
from rmz_async.sandbox.store.state import Status
from tests.faults.customer import Customer
from tests.faults.faults import Fault, fault_named
from tests.faults.judge import OFFENCES, Column, Finding, Tally, Verdict, column
from tests.faults.lanes import LANES
from tests.faults.matrix import reported
from tests.faults.parts import read, write
from tests.faults.report import offenders, shares, table
from tests.faults.shop import open_shop
from tests.seams import Part, Setting, inside, replace

OK, FAILED, UNKNOWN, BROKEN = Verdict.OK, Verdict.FAILED, Verdict.UNKNOWN, Verdict.BROKEN


@pytest.mark.parametrize(
    ("verdict", "applied", "expected"),
    [
        (OK, 0, Column.NOT_APPLIED),
        (OK, 1, Column.ONCE),
        (OK, 2, Column.TWICE),
        (FAILED, 0, Column.FAILED),
        (FAILED, 1, Column.FAILED_APPLIED),
        (FAILED, 2, Column.TWICE),
        (UNKNOWN, 0, Column.UNKNOWN),
        (UNKNOWN, 1, Column.UNKNOWN),
        (UNKNOWN, 2, Column.TWICE),
        (BROKEN, 0, Column.BROKEN),
    ],
)
def test_a_change(verdict: Verdict, applied: int, expected: Column) -> None:
    """A change is judged by the report and by how often it is in the ledger."""
    assert column(Finding(verdict=verdict, changes=True, applied=applied)) is expected


@pytest.mark.parametrize(
    ("verdict", "applied", "expected"),
    [
        (OK, 0, Column.NOT_APPLIED),
        (OK, 2, Column.ONCE),
        (UNKNOWN, 2, Column.UNKNOWN),
        (FAILED, 2, Column.FAILED_APPLIED),
    ],
)
def test_a_session_made_twice_is_no_offence(
    verdict: Verdict, applied: int, expected: Column
) -> None:
    """A call that may be applied twice is no offence for that, but for all else."""
    found = Finding(verdict=verdict, changes=True, harmless=True, applied=applied)
    assert column(found) is expected


@pytest.mark.parametrize(
    ("verdict", "right", "expected"),
    [
        (OK, True, Column.ANSWERED),
        (OK, False, Column.NOT_APPLIED),
        (FAILED, True, Column.FAILED),
        (UNKNOWN, True, Column.BROKEN),
    ],
)
def test_a_read(verdict: Verdict, right: bool, expected: Column) -> None:
    """A read is answered rightly, or failed; it never leaves anybody in doubt."""
    assert column(Finding(verdict=verdict, changes=False, right=right)) is expected


def test_an_answer_about_something_else() -> None:
    """A change that was applied is reported wrongly if the call returns something else."""
    found = Finding(verdict=OK, changes=True, applied=1, right=False)
    assert column(found) is Column.NOT_APPLIED


def test_a_change_by_somebody_else_excuses_an_ok() -> None:
    """Another caller's change excuses an ok without an effect, and nothing else."""
    assert column(Finding(verdict=OK, changes=True, by_customer=True)) is Column.BY_CUSTOMER
    assert column(Finding(verdict=OK, changes=True, applied=2, by_customer=True)) is Column.TWICE
    failed = Finding(verdict=FAILED, changes=True, applied=1, by_customer=True)
    assert column(failed) is Column.FAILED_APPLIED


class Meanwhile:
    """A plan in which the answer to a change is lost, and the customer acts before it is read.

    Args:
        customer: The customer who acts.
        what: A name in ``DOINGS``.
        number: On which subscription.
        fault: The fault that the change meets.
    """

    def __init__(self, customer: Customer, what: str, number: int, fault: Fault) -> None:
        self._act = [lambda: customer.do(what, number)]
        self._fault = fault

    def on_connection(self) -> Fault | None:
        """See `Plan`."""
        return None

    def on_request(self, method: str) -> Fault | None:
        """See `Plan`."""
        if method == "POST":
            return self._fault
        while self._act:
            self._act.pop()()
        return None

    def passing(self, when: str) -> None:
        """See `Plan`."""


def judged(call: str, status: Status, what: str, fault: str) -> Column:
    """Return what becomes of *call* if its answer is lost and the customer does *what*."""
    lane = LANES[0]

    async def main() -> Column:
        with open_shop() as shop:
            customer, number = Customer(shop), shop.subscription(status).id
            line = shop.proxy.line(Meanwhile(customer, what, number, fault_named(fault)))
            client = lane.client(shop.token, line.base_url, shop.timing.waiting())
            began, mark = shop.timing.clock(), shop.mark()
            change = getattr(client.subscriptions, call)
            verdict, _ = await reported(lane, lambda: change(number))
            await lane.close(client)
            line.close()
            name = f"subscriptions.{call}"
            return column(
                Finding(
                    verdict=verdict,
                    changes=True,
                    applied=len(shop.effects(mark, name)),
                    by_customer=customer.explains(name, number, began),
                )
            )

    return anyio.run(main)


def test_an_ok_that_the_customer_has_brought_about_is_no_offence() -> None:
    """The pause did not arrive, and the customer paused: nobody can tell the two apart."""
    where = judged("pause", Status.ACTIVE, "subscriptions.pause", "html-502/before")
    assert where is Column.BY_CUSTOMER


@pytest.mark.parametrize(
    ("call", "status", "what"),
    [
        ("pause", Status.PAUSED, "subscriptions.cancel"),
        ("unpause", Status.ACTIVE, "renewal"),
        ("unpause", Status.ACTIVE, "subscriptions.cancel"),
    ],
)
def test_another_change_of_the_customers_excuses_no_ok(
    monkeypatch: pytest.MonkeyPatch, call: str, status: Status, what: str
) -> None:
    """The subscription was as wanted long before, and the refusal was lost.

    A client that looks only at when the object changed last takes that change for its own.
    """
    assert judged(call, status, what, "html-502/after") is Column.UNKNOWN
    compare: Callable[..., Evidence] = inside(_settling, Part.STATE)

    def compare_the_object_only(found: Any, window: Any, as_wanted: bool, _: Any) -> Evidence:
        return compare(found, window, as_wanted, None)

    replace(monkeypatch, Setting.COMPARE_STATES, compare_the_object_only)
    assert judged(call, status, what, "html-502/after") is Column.NOT_APPLIED


def test_an_unknown_outcome_that_nothing_forces_is_an_offence() -> None:
    """A client that answers every change with "unknown" would never be wrong, and be of no use."""
    needless = column(Finding(verdict=UNKNOWN, changes=True, forced=False))
    assert needless is Column.NEEDLESS
    assert needless in OFFENCES
    assert column(Finding(verdict=OK, changes=True, applied=1, forced=False)) is Column.ONCE


@pytest.mark.parametrize("changes", [True, False])
def test_an_answer_that_came_must_be_returned(changes: bool) -> None:
    """A client that fails a clean call is of no use, and a lie weighs more than that."""
    failed = Finding(verdict=FAILED, changes=changes, answered=True)
    assert column(failed) is Column.SPOILED
    lie = attrs.evolve(failed, changes=True, applied=1)
    assert column(lie) is Column.FAILED_APPLIED
    ok = Finding(verdict=OK, changes=changes, applied=1, answered=True)
    assert column(ok) in (Column.ONCE, Column.ANSWERED)


@pytest.mark.parametrize("verdict", [OK, FAILED, UNKNOWN])
def test_a_call_that_ends_too_late_is_an_offence(verdict: Verdict) -> None:
    """The call's report does not matter."""
    applied = int(verdict is OK)
    found = Finding(verdict=verdict, changes=True, applied=applied, late=True)
    assert column(found) is Column.LATE


def test_an_order_counts_by_its_status() -> None:
    """An order that is in the wanted status counts as moved, by any caller."""
    assert column(Finding(verdict=OK, changes=True, in_place=True)) is Column.ONCE


@pytest.mark.parametrize("where", Column)
def test_only_offences_are_listed(where: Column) -> None:
    """Each offence is listed with its name, and nothing else is."""
    tally = Tally()
    tally.add("a row", "a/case", where, injected=3)
    assert bool(tally.offenders) is (where in OFFENCES)
    assert ('--only "a/case"' in offenders(tally.offenders)) is (where in OFFENCES)
    assert tally.total(where) == tally.calls == 1


def test_a_tally_survives_the_way_to_another_process() -> None:
    """The counts of one process are added to those of another."""
    tally = Tally()
    tally.add("a row", "a/case", Column.TWICE, injected=3, said="ok")
    tally.notes["of a kind"] += 2
    tally.shares["html-502"] = Counter({"calls": 3})
    sum_of_both = read(write(tally))
    sum_of_both.merge(tally)
    assert sum_of_both.rows == {"a row": {Column.TWICE: 2}}
    assert sum_of_both.injected == {"a row": 6}
    assert sum_of_both.offenders == tally.offenders * 2
    assert sum_of_both.notes == {"of a kind": 4}
    assert sum_of_both.shares == {"html-502": {"calls": 6}}


def test_the_table_has_every_count() -> None:
    """The table shows a row's counts, their sum, and the zeros that there must be."""
    tally = Tally()
    tally.add("orders.get", "a/case", Column.ANSWERED, injected=4)
    tally.add("orders.update", "b/case", Column.ONCE, injected=1)
    lines = [line.split() for line in table("Title", tally).splitlines()]
    none = ["0", "0", "0", "0", "-", "0", "0", "0", "-"]
    assert ["orders.get", "1", "4", "-", *none, "1", "-"] in lines
    assert ["all", "2", "5", "1", *none, "1", "-"] in lines


def test_the_shares_name_what_forces_them() -> None:
    """How many calls were unknown, how many may be, and why."""
    tally = Tally()
    tally.shares["html-502"] = Counter(
        {"calls": 4, "unknown": 1, "forced": 2, "because it is never sent again": 2}
    )
    lines = [line.split() for line in shares(tally).splitlines()]
    assert ["html-502", "4", "25%", "50%", "2", "it", "is", "never", "sent", "again"] in lines
