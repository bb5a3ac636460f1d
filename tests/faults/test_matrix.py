"""The matrix finds a client that lies, and none in one that does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rmz_async import Client, RetryPolicy
from rmz_async._calls import retry as _retry
from rmz_async._calls import verdict as _verdict
from rmz_async._calls import wire as _wire
from rmz_async._calls.outcome import Evidence
from rmz_async._calls.retry import Step
from rmz_async.operations import OPERATIONS
from rmz_async.resources import _settling
from tests.faults.faults import FAULTS
from tests.faults.judge import Column, Tally
from tests.faults.lanes import LANES
from tests.faults.matrix import cases
from tests.faults.parts import FULL, SHORT, chosen, matching, play, walk
from tests.faults.walk import SEED
from tests.seams import Setting, async_client, replace

LIES = (Column.NOT_APPLIED, Column.TWICE, Column.FAILED_APPLIED)


def lies(tally: Tally) -> dict[str, int]:
    """The three columns that must be 0."""
    return {where: tally.total(where) for where in LIES if tally.total(where)}


def with_its_own(**options: Any) -> Callable[..., Client]:
    """Return what makes a client that takes these options for those that it is given."""
    return lambda clock, token, **given: async_client(clock, token, **{**given, **options})


def naive(*_: Any, **__: Any) -> Any:
    """Retry every call that has failed."""
    return Step.RETRY


@pytest.mark.parametrize("lane", ["asyncio", "trio", "sync"])
def test_a_client_that_reports_the_truth_has_no_offence(lane: str) -> None:
    """A lost answer to a change is reported as it is, on all lanes."""
    played = matching(f"subscriptions.extend+baseline/reset-in-body/after/{lane}")
    tally = play(played)
    assert tally.calls >= len(played) > 0
    assert tally.total(Column.ONCE) > 0
    assert tally.total(Column.UNKNOWN) > 0
    assert not tally.offenders


def test_a_naive_retry_loop_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that retries every call that has failed extends twice."""
    replace(monkeypatch, Setting.RETRY_STEP, naive)
    tally = play(matching("subscriptions.extend/html-504/after/first/asyncio"))
    assert lies(tally) == {Column.TWICE: 2}
    assert "subscriptions.extend/html-504/after/first/asyncio" in dict(tally.offenders)


def test_calling_every_error_a_failure_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that takes "no answer" for "not applied" is wrong if it was applied."""
    replace(monkeypatch, Setting.MAY_HAVE_BEEN_APPLIED, lambda *_: False)
    tally = play(matching("subscriptions.pause/reset-in-headers/after/all+reads/asyncio"))
    assert lies(tally) == {Column.FAILED_APPLIED: 1}


def test_believing_without_reading_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that takes every read-back for a success is wrong if nothing was applied."""
    replace(monkeypatch, Setting.COMPARE_STATES, lambda *_: Evidence.APPLIED)
    tally = play(matching("subscriptions.pause/html-502/before/first/asyncio"))
    assert lies(tally) == {Column.NOT_APPLIED: 1}


def test_who_gives_up_too_early_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``resolve()`` that does not wait for what is still on its way is wrong about it."""
    replace(monkeypatch, Setting.MAX_PROCESSING_TIME, 0.0)
    monkeypatch.setattr(_retry, "lag_of", lambda _: 0.0)
    tally = play(matching("subscriptions.cancel/html-504/later/all/asyncio"))
    assert Column.FAILED_APPLIED in lies(tally)


@pytest.mark.parametrize("fault", ["html-502", "stall"])
def test_who_says_unknown_to_everything_is_caught(
    monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A client that neither retries nor reads back is never wrong, and of no use."""
    replace(monkeypatch, Setting.RETRY_STEP, lambda *_, **__: Step.RAISE)
    tally = play(matching(f"subscriptions.pause/{fault}/after/first/asyncio"))
    assert tally.total(Column.NEEDLESS) == 1
    assert tally.offenders


def test_a_machine_that_is_slower_than_the_time_out_is_no_fault_of_the_clients(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The case is played again with more patience."""
    monkeypatch.setattr("tests.faults.matrix.PATIENCE", 0.0001)
    tally = play(matching("subscriptions.pause/stall/after/first/asyncio"))
    assert not tally.offenders
    assert tally.total(Column.ONCE) >= 1


def test_who_believes_a_stale_read_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not wait for a replica pauses a second time, against the wish."""
    monkeypatch.setattr(_verdict, "weigh", lambda evidence, *_, **__: evidence)
    tally = play(matching("subscriptions.pause/html-502/after/first/undone-lag-2"))
    assert lies(tally) == {Column.TWICE: 1}


def test_who_takes_two_clocks_for_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that compares times of two servers to the second does the same."""
    monkeypatch.setattr(_settling, "CLOCKS_DIFFER", timedelta(0))
    tally = play(matching("subscriptions.pause/html-502/after/first/undone-updates-behind"))
    assert lies(tally) == {Column.TWICE: 1}


def test_who_believes_a_contradicted_read_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that takes a refusal for final, though the state allows the change, is wrong."""
    monkeypatch.setattr(_settling, "refuses_pause", lambda _: True)
    monkeypatch.setattr(_retry, "lag_of", lambda _: 0.0)
    tally = play(matching("subscriptions.pause/html-502/after/first/lag-30"))
    assert lies(tally) == {Column.FAILED_APPLIED: 1}


def test_who_takes_a_foreign_error_for_rmzs_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that believes each 404 says "failed" of what a proxy's page hides."""
    monkeypatch.setattr(_wire, "is_documented", lambda _: True)
    tally = play(matching("subscriptions.extend/404-nginx/after/first/asyncio"))
    assert lies(tally) == {Column.FAILED_APPLIED: 2}


def test_who_drops_a_head_with_its_body_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client for which an unreadable refusal is no answer is in doubt without need."""
    monkeypatch.setattr(_wire, "is_documented", lambda answer: answer.is_whole)
    tally = play(matching("subscriptions.extend/404-cut-gzip/before/first/asyncio"))
    assert tally.total(Column.NEEDLESS) == 2


def test_keeping_a_connection_with_more_on_it_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next call over it gets an answer to another request."""
    replace(monkeypatch, Setting.CONNECTION_WITH_MORE, lambda _: None)
    tally = play(matching("subscriptions.get/stray-422/after/first/own"))
    assert tally.total(Column.SPOILED) == 1


def test_taking_a_hooks_error_for_the_requests_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client for which each error of this kind means "not sent" is wrong if it was sent."""
    replace(monkeypatch, Setting.IS_OF_TRANSPORT, lambda _: True)
    tally = play(matching("subscriptions.extend/no-fault/after/first/hook-at-shutdown"))
    assert sum(lies(tally).values()) == 2


def test_who_fails_a_clean_call_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that never says a wrong word, as it never says anything, is of no use."""
    monkeypatch.setattr(_wire, "decode", lambda *_: 1 / 0)
    tally = play(matching("subscriptions.get/no-fault/after/first/asyncio"))
    assert tally.total(Column.BROKEN) == 1
    monkeypatch.setattr(_wire, "check_object", _refuse)
    tally = play(matching("subscriptions.get/no-fault/after/first/asyncio"))
    assert tally.total(Column.SPOILED) == 1


def _refuse(*_: object) -> None:
    raise ValueError("not that one")


def test_who_reads_back_for_too_long_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that waits too long before it reads back outlives the deadline of a change."""
    replace(monkeypatch, Setting.SETTLE_GRACE, 400.0)
    replace(monkeypatch, Setting.RETRY_WAIT, lambda *_: 150.0)
    tally = play(matching("subscriptions.pause/html-502/after/first/asyncio"))
    assert tally.total(Column.LATE) == 1


def test_who_reads_back_a_little_too_long_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that is settled in the end has a deadline too, and no second more."""
    replace(monkeypatch, Setting.SETTLE_GRACE, 144.0)
    replace(monkeypatch, Setting.RETRY_WAIT, lambda *_: 72.0)
    tally = play(matching("subscriptions.pause/html-502/after/first/asyncio"))
    assert tally.total(Column.LATE) == 1


def test_who_takes_the_time_of_reading_back_for_more_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A call that is not read back ends with its timeout."""
    monkeypatch.setattr("tests.faults.lanes.async_client", with_its_own(timeout=70.0))
    replace(monkeypatch, Setting.RETRY_WAIT, lambda *_: 31.0)
    tally = play(matching("orders.get/html-502/after/two/asyncio"))
    assert tally.total(Column.LATE) == 1


@pytest.mark.parametrize("name", ["subscriptions.pause/stall/after", "orders.get/stall/later"])
def test_who_waits_too_long_in_real_time_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A client whose attempts do not end in time keeps its caller, whatever its clock says."""
    patient = with_its_own(retry=RetryPolicy(attempt_timeout=1.5))
    monkeypatch.setattr("tests.faults.lanes.async_client", patient)
    monkeypatch.setattr("tests.faults.matrix._BUSY", 0.2)
    tally = play(matching(f"{name}/first/asyncio"))
    assert tally.total(Column.LATE) == 1


@pytest.mark.parametrize("lane", [lane.name for lane in LANES if lane.hook is not None])
def test_no_hook_makes_the_client_lie(lane: str) -> None:
    """With each hook a lost answer, a clean one and a foreign one are reported as they are."""
    for fault in ("no-fault/after", "html-502/after", "404-nginx/after", "422-cut-gzip/before"):
        tally = play(matching(f"subscriptions.extend/{fault}/first/{lane}"))
        assert tally.calls > 0
        assert not tally.offenders


@pytest.mark.parametrize("lane", [lane.name for lane in LANES if not lane.believes])
def test_no_lag_and_no_clock_makes_the_client_lie(lane: str) -> None:
    """In each of these lanes a lost answer is reported as it is."""
    tally = play(matching(f"subscriptions.pause/html-502/after/{lane}"))
    assert tally.calls > 0
    assert not tally.offenders


def test_an_exception_of_another_library_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outcome that is neither a result nor an error of the library is an offence."""
    replace(monkeypatch, Setting.RETRY_STEP, lambda *_, **__: 1 / 0)
    tally = play(matching("orders.get/html-502/after/first/asyncio"))
    assert tally.total(Column.BROKEN) == 1
    assert "ZeroDivisionError" in tally.offenders[0][1]


def test_a_fault_that_does_not_happen_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case whose fault was never met proves nothing, and says so."""
    monkeypatch.setattr("tests.faults.matrix.CasePlan._hit", lambda _: None)
    tally = play(matching("orders.get/html-502/after/first/asyncio"))
    assert [what for _, what in tally.offenders] == ["no fault was injected"]


def test_a_naive_client_is_caught_on_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk finds a call that is applied twice, and names the step that makes it again."""
    replace(monkeypatch, Setting.RETRY_STEP, naive)
    tally = walk(SEED, 120)
    assert tally.total(Column.TWICE) > 0
    assert all(name.startswith(f"walk/{SEED}/") for name, _ in tally.offenders)


def test_an_ok_that_the_customer_does_not_explain_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that takes any later change for its own is wrong if the customer made another."""
    replace(monkeypatch, Setting.COMPARE_STATES, lambda *_: Evidence.APPLIED)
    tally = walk(SEED, 300)
    assert tally.total(Column.NOT_APPLIED) > 0


def test_a_single_step_of_a_walk_can_be_counted() -> None:
    """A single step can be looked at; those before it are made and not counted."""
    tally = walk(SEED, 5, only=4)
    counted = sum(sum(row.values()) for name, row in tally.rows.items() if "resolve" not in name)
    assert counted == 1


def test_the_matrix_is_whole() -> None:
    """Each lane has every operation with every fault, and no two cases have one name."""
    names = {case.name for lane in LANES for case in cases(lane)}
    assert len(names) == sum(1 for lane in LANES for _ in cases(lane))
    lane = list(cases(LANES[0]))
    assert {case.subject.operation for case in lane} == set(OPERATIONS)
    assert {str(case.fault) for case in lane if case.subject.changes} == set(map(str, FAULTS))
    assert sum(len(chosen(lane.name, FULL)) for lane in LANES) >= 1500


def test_the_short_form_has_every_operation_and_fault() -> None:
    """Fewer cases, but nothing is left out of them."""
    played = [case for lane in LANES for case in chosen(lane.name, SHORT)]
    assert {case.subject.operation for case in played} == set(OPERATIONS)
    assert {str(case.fault) for case in played} == set(map(str, FAULTS))


def test_the_command_plays_a_named_case() -> None:
    """Only the named case is played, and the exit status says how it went."""
    program = str(Path(__file__).with_name("run.py"))
    name = "subscriptions.cancel/reset-in-body/after/first/asyncio"
    command = [sys.executable, "-P", program, "--only", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "subscriptions.cancel " in done.stdout
    assert not done.stderr
