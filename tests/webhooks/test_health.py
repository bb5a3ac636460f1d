"""A receiver knows how RMZ sees it, and warns before its webhook is switched off."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import cast

import pytest

import rmz_sync.webhooks
from rmz_async.webhooks import EventType, HealthLevel, Receiver, sample, sign
from rmz_async.webhooks.health import HealthMonitor
from rmz_async.webhooks.inbox.interface import Inbox, Stats
from tests.webhooks.receiving import SECRET, Unreliable, deliver


def test_counts_are_ready_for_json() -> None:
    assert json.loads(json.dumps(Stats(deliveries=2, oldest_waiting=0.5).to_dict())) == {
        **{"deliveries": 2, "unreadable": 0, "waiting": 0, "running": 0, "done": 0},
        **{"merged": 0, "dead": 0, "oldest_waiting": 0.5},
    }


@pytest.fixture
def monitor() -> HealthMonitor:
    """A monitor that has seen nothing."""
    return HealthMonitor()


def answer(monitor: HealthMonitor, *statuses: int, seconds: float = 0.01) -> None:
    """Note answers."""
    for status in statuses:
        monitor.answered(status, seconds)


def test_a_receiver_that_answers_is_well(monitor: HealthMonitor) -> None:
    """The figures are those of the latest hundred answers."""
    answer(monitor, *[200] * 150)
    answer(monitor, 200, seconds=0.5)

    health = monitor.report(Stats(deliveries=151))

    assert (health.level, health.reasons, health.failed) == (HealthLevel.OK, (), 0)
    assert (health.answered, health.median, health.slowest) == (100, 0.01, 0.5)
    assert json.loads(json.dumps(health.to_dict()))["inbox"]["deliveries"] == 151
    assert HealthMonitor().report(Stats()).median == 0.0


def test_events_that_wait_are_a_warning(monitor: HealthMonitor) -> None:
    """The most likely cause is a service that has forgotten ``working()``."""
    assert monitor.report(Stats(waiting=1, oldest_waiting=299.0)).level is HealthLevel.OK

    health = monitor.report(Stats(waiting=1, oldest_waiting=301.0))

    assert health.level is HealthLevel.WARNING
    assert "301 seconds: no process has receiver.working() open" in health.reasons[0]


def test_a_webhook_in_danger_stays_critical_if_events_wait(monitor: HealthMonitor) -> None:
    answer(monitor, *[503] * 5)

    assert monitor.report(Stats(oldest_waiting=301.0)).level is HealthLevel.CRITICAL


def test_a_warning_comes_before_rmz_switches_the_webhook_off(
    monitor: HealthMonitor, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for each step, and once as it is well again."""
    caplog.set_level(logging.WARNING)
    answer(monitor, 200, 503)
    assert caplog.records == []
    answer(monitor, 503)
    assert monitor.report(Stats()).level is HealthLevel.WARNING
    answer(monitor, 503, 503, 503, 503, 503, 503)
    report = monitor.report(Stats())
    assert (report.level, report.failed, report.answered) == (HealthLevel.CRITICAL, 8, 9)
    assert report.failure_ratio == pytest.approx(8 / 9)
    answer(monitor, *[200] * 100)

    assert [record.levelname for record in caplog.records] == [
        "WARNING",
        "ERROR",
        "WARNING",
        "WARNING",
    ]
    assert "2 of 3 deliveries failed" in caplog.messages[0]
    assert caplog.messages[-1] == "the webhook is well again"


def test_an_answer_after_three_seconds_has_failed(monitor: HealthMonitor) -> None:
    """RMZ does not wait for it, though the delivery is stored."""
    answer(monitor, 200, 200, 200, seconds=3.1)

    assert monitor.report(Stats()).failed == 3


@pytest.mark.parametrize(
    ("statuses", "seconds", "level"),
    [
        ([503] * 80, 0.01, HealthLevel.CRITICAL),
        ([200] * 50, 1.01, HealthLevel.WARNING),
        ([401] * 5, 0.01, HealthLevel.WARNING),
        ([401] * 5 + [200], 0.01, HealthLevel.OK),
    ],
)
def test_a_hundred_good_answers_hide_nothing_that_comes_after_them(
    monitor: HealthMonitor, statuses: list[int], seconds: float, level: HealthLevel
) -> None:
    answer(monitor, *[200] * 100)
    answer(monitor, *statuses, seconds=seconds)

    assert monitor.report(Stats()).level is level


def test_slow_answers_are_warned_of(monitor: HealthMonitor) -> None:
    """Before they are too slow."""
    answer(monitor, 200, 200, 200, seconds=1.5)

    report = monitor.report(Stats())

    assert (report.level, report.failed) == (HealthLevel.WARNING, 0)
    assert "longer than 1 second" in report.reasons[0]


def test_a_minority_of_slow_answers_is_no_reason_to_warn(monitor: HealthMonitor) -> None:
    """The median is the upper one of two."""
    answer(monitor, 200, seconds=1.5)
    answer(monitor, 200, 200)
    assert monitor.report(Stats()).level is HealthLevel.OK

    answer(monitor, 200, seconds=1.5)
    assert monitor.report(Stats()).level is HealthLevel.WARNING


def test_forged_deliveries_do_not_count_as_failed(monitor: HealthMonitor) -> None:
    """Anyone can send them; but many in a row may be RMZ's own, with a new secret."""
    answer(monitor, 200, *[401] * 4)
    assert monitor.report(Stats()).level is HealthLevel.OK
    answer(monitor, 401)
    report = monitor.report(Stats())
    assert (report.level, report.failed, report.refused) == (HealthLevel.WARNING, 0, 5)
    assert "5 deliveries in a row" in report.reasons[0]
    answer(monitor, 500, 500, 500, 500, 500, *[401] * 5)
    assert monitor.report(Stats()).level is HealthLevel.CRITICAL
    answer(monitor, 200)
    assert monitor.report(Stats()).refused == 0


@pytest.mark.parametrize("inbox", [Stats(dead=1), Stats(unreadable=2)])
def test_what_waits_for_a_person_is_a_warning(monitor: HealthMonitor, inbox: Stats) -> None:
    """Though RMZ is content."""
    answer(monitor, 200)

    assert monitor.report(inbox).level is HealthLevel.WARNING
    answer(monitor, *[500] * 99)
    assert monitor.report(inbox).level is HealthLevel.CRITICAL


@pytest.mark.anyio
async def test_a_receiver_measures_its_answers(receiver: Receiver) -> None:
    """A delivery that cannot be stored, and one that is forged, are counted apart."""
    body = sample(EventType.SUBSCRIPTION_RENEWED)
    assert (await deliver(receiver, body)).status == 200
    assert (await receiver.receive(body, {"Signature": "0" * 64})).status == 401
    health = await receiver.health()
    assert (health.answered, health.failed, health.refused) == (1, 0, 1)
    assert health.slowest >= health.median >= 0
    assert health.inbox.deliveries == 1


def test_a_receiver_that_blocks_measures_too(tmp_path: Path) -> None:
    """With the names of the async side."""
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path}/in.db")
    body = sample(EventType.SUBSCRIPTION_RENEWED)
    assert receiver.receive(body, {"Signature": sign(body, SECRET)}).status == 200
    receiver.close()

    unreliable = cast("Inbox", Unreliable(receiver.inbox, "add", "add", "add"))
    broken = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox=unreliable)
    for _ in range(3):
        assert broken.receive(body, {"Signature": sign(body, SECRET)}).status == 503
    assert broken.health().failed == 3
    broken.close()
