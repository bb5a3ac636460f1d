from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from rmz_async import ConnectionFailedError, RetryPolicy
from rmz_async.sandbox import DeliveryFault, Event, RequestFault, Sandbox
from rmz_sync.sandbox import Sandbox as BlockingSandbox
from tests.sandbox.conftest import Receiver

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

URL = "http://127.0.0.1/hooks"
PAUSE = "/subscriptions/501/pause"


@pytest.mark.anyio
@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    ("fault", "status", "media_type"),
    [
        (RequestFault.SERVER_ERROR, 500, "application/json"),
        (RequestFault.BAD_GATEWAY, 502, "text/html"),
        (RequestFault.UNAUTHENTICATED, 401, "application/json"),
        (RequestFault.PLAN_MISSING, 403, "application/json"),
    ],
)
async def test_another_answers_before_or_after_the_effect(
    api: httpx.AsyncClient,
    sandbox: Sandbox,
    fault: RequestFault,
    status: int,
    media_type: str,
    after_effect: bool,
) -> None:
    """Once, if it is said so, and only what the rule names."""
    sandbox.faults.add(fault, on="POST */pause", times=1, after_effect=after_effect)
    assert (await api.get("/subscriptions/501")).status_code == 200
    answer = await api.post(PAUSE)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(media_type)
    assert len(sandbox.ledger) == after_effect
    assert (await api.post(PAUSE)).status_code == (422 if after_effect else 200)
    assert [name for _, name in sandbox.faults.injected] == [f"POST {PAUSE}"]


@pytest.mark.anyio
@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_connection_is_cut_in_process(
    api: httpx.AsyncClient, sandbox: Sandbox, after_effect: bool
) -> None:
    """The caller gets what a cut connection would raise."""
    sandbox.faults.add("reset", times=1, after_effect=after_effect)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.post(PAUSE)
    assert len(sandbox.ledger) == after_effect
    sandbox.faults.add("truncated", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.get("/subscriptions/501")


@pytest.mark.parametrize("fault", [RequestFault.RESET, RequestFault.TRUNCATED])
def test_a_connection_is_cut_over_a_socket(
    clock: ManualClock, caplog: pytest.LogCaptureFixture, fault: RequestFault
) -> None:
    """With nothing in the log, and the next request is served."""
    with Sandbox(clock=clock).serve() as served:
        rule = served.sandbox.faults.add(fault, after_effect=True)
        headers = {"Authorization": f"Bearer {served.token}"}
        url = f"{served.base_url}{PAUSE}"
        with pytest.raises(httpx.TransportError):
            httpx.post(url, headers=headers)
        served.sandbox.faults.remove(rule)
        assert httpx.post(url, headers=headers).status_code == 422
        assert len(served.ledger) == 1
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.anyio
async def test_latency_is_real_time(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """A caller that waits too little never sees the answer."""
    sandbox.faults.add("latency", seconds=60, times=1)
    with anyio.move_on_after(0.05) as cut:
        await api.get("/subscriptions/501")
    assert cut.cancelled_caught
    sandbox.faults.add("latency", seconds=0)
    assert (await api.get("/subscriptions/501")).status_code == 200


@pytest.mark.anyio
async def test_pages_are_never_spoiled(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Faults are RMZ's API's."""
    sandbox.faults.add("server_error")
    assert (await browser.get("/reference")).status_code == 200


async def outcomes(seed: int | None) -> list[int]:
    """Make fifty reads of a sandbox that fails now and then."""
    sandbox = Sandbox(seed=seed, throttle=False)
    sandbox.faults.add("server_error", chance=0.5)
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, headers=headers) as api:
        url = f"{sandbox.base_url}/subscriptions/501"
        return [(await api.get(url)).status_code for _ in range(50)]


@pytest.mark.anyio
async def test_chance_is_the_same_for_the_same_seed(anyio_backend: str) -> None:
    """Every sandbox has a seed, and shows it where a failed test would print it."""
    first = await outcomes(7)
    assert set(first) == {200, 500}
    assert await outcomes(7) == first
    assert await outcomes(8) != first
    assert await outcomes(None) != await outcomes(None)
    sandbox = Sandbox()
    assert f"seed={sandbox.seed!r}" in repr(sandbox)
    assert sandbox.token not in repr(sandbox)


async def story(seed: int | str | None, order: list[int]) -> tuple[list[tuple[int, int]], str]:
    """Read twenty subscriptions together, beginning in *order*, while answers fail by chance.

    Returns:
        The number and status of each, and the message of the assertion that fails.
    """
    sandbox = Sandbox(seed=seed, throttle=False)
    sandbox.faults.add("bad_gateway", on="GET *", chance=0.3)
    sandbox.faults.add("server_error", chance=0.3)
    outcomes: list[tuple[int, int]] = []
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, headers=headers) as api:

        async def read(number: int) -> None:
            for _ in range(3):
                answer = await api.get(f"{sandbox.base_url}/subscriptions/{number}")
                outcomes.append((number, answer.status_code))

        async with anyio.create_task_group() as tasks:
            for number in order:
                tasks.start_soon(read, number)
    with pytest.raises(AssertionError) as failed:
        sandbox.requests.assert_none(status=502)
    return sorted(outcomes), str(failed.value)


@pytest.mark.anyio
async def test_the_seed_of_a_failures_message_repeats_its_faults_exactly() -> None:
    """Also if calls that are made together come in another order."""
    numbers = list(range(501, 521))
    first, message = await story(None, numbers)
    found = re.search(r"Sandbox\(seed=(\d+)\) repeats", message)
    assert found is not None
    again, other_message = await story(int(found[1]), numbers[::-1])
    assert again == first
    assert found[0] in other_message
    assert {status for _, status in first} == {200, 500, 502}


@pytest.mark.anyio
async def test_the_message_about_a_delivery_has_the_seed(sandbox: Sandbox) -> None:
    """The events that were dropped by chance are dropped again, and the others keep their ids."""

    async def arrived() -> list[str]:
        async with Sandbox(seed="story") as sandbox:
            sandbox.add_webhook(URL, app=(receiver := Receiver()))
            sandbox.faults.add(DeliveryFault.DROP, chance=0.5)
            for event in (Event.RENEWED, Event.PAST_DUE, Event.EXPIRED, Event.UPDATED) * 3:
                sandbox.emit(event, 501)
            await sandbox.delivered()
            with pytest.raises(AssertionError, match=r"Sandbox\(seed='story'\) repeats"):
                sandbox.deliveries.assert_none()
            return [payload["event_id"] for payload in receiver.payloads]

    first = await arrived()
    assert await arrived() == first
    assert 0 < len(first) < 12
    with pytest.raises(AssertionError, match=r"Nothing was sent\.\nSandbox\(seed='tests'\)"):
        sandbox.deliveries.assert_once(Event.RENEWED, 501)


@pytest.mark.anyio
async def test_a_slip_of_the_pen_is_refused(sandbox: Sandbox) -> None:
    """A fault that there is not would never happen."""
    with pytest.raises(ValueError, match="there is no fault 'explode'"):
        sandbox.faults.add("explode")
    with pytest.raises(ValueError, match="chance must be from 0 to 1"):
        sandbox.faults.add("reset", chance=50)
    for times in (0, -1):
        with pytest.raises(ValueError, match="times must be 1 or more"):
            sandbox.faults.add("reset", times=times)
    for seconds in (-1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="seconds must be from 0"):
            sandbox.faults.add("latency", seconds=seconds)
    sandbox.faults.add("reset")
    sandbox.faults.clear()
    assert sandbox.faults.rules == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (DeliveryFault.DROP, ["expired"]),
        (DeliveryFault.DUPLICATE, ["past_due", "past_due", "expired"]),
        (DeliveryFault.REORDER, ["expired", "past_due"]),
        (DeliveryFault.DELAY, ["expired", "past_due"]),
    ],
)
async def test_deliveries_are_dropped_doubled_and_late(
    sandbox: Sandbox, receiver: Receiver, fault: DeliveryFault, expected: list[str]
) -> None:
    """Each under its own ids."""
    sandbox.add_webhook(URL, app=receiver)
    sandbox.faults.add(fault, on="subscription.past_due", seconds=5)
    sandbox.emit(Event.PAST_DUE, 501)
    sandbox.emit(Event.EXPIRED, 501)
    await sandbox.delivered()
    await sandbox.clock.advance(seconds=5)
    events = [payload["event"].removeprefix("subscription.") for payload in receiver.payloads]
    assert events == expected
    ids = {headers["x-rmz-request-id"] for headers in receiver.headers}
    assert len(ids) == len(set(expected))


@pytest.mark.anyio
async def test_two_that_change_places_lose_nothing(sandbox: Sandbox, receiver: Receiver) -> None:
    """If every event is to change its place, pairs do."""
    sandbox.add_webhook(URL, app=receiver)
    sandbox.faults.add(DeliveryFault.REORDER)
    events: list[Any] = [Event.PAST_DUE, Event.RENEWAL_FAILED, Event.RENEWED, Event.EXPIRED]
    for event in events:
        sandbox.emit(event, 501)
    await sandbox.delivered()
    reported = [payload["event"] for payload in receiver.payloads]
    assert reported == [events[1], events[0], events[3], events[2]]


@pytest.mark.anyio
async def test_a_signature_is_wrong_or_missing_once(sandbox: Sandbox, receiver: Receiver) -> None:
    """The retry is signed as it should be."""
    receiver.status = 401
    sandbox.add_webhook(URL, app=receiver, tries=2)
    for fault in (DeliveryFault.BAD_SIGNATURE, DeliveryFault.UNSIGNED):
        sandbox.faults.add(fault, times=1)
        sandbox.emit(Event.RENEWED, 501)
        await sandbox.delivered()
    await sandbox.clock.advance(seconds=10)
    signatures = [headers.get("signature") for headers in receiver.headers]
    assert signatures[:2] == ["0" * 64, None]
    assert None not in signatures[2:]
    assert "0" * 64 not in signatures[2:]


@pytest.mark.anyio
async def test_a_field_that_cannot_be_read_is_signed_all_the_same(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """A receiver must not lose the event for it."""
    sandbox.add_webhook(URL, app=receiver)
    sandbox.faults.add("unreadable_field")
    sandbox.emit(Event.RENEWED, 501)
    await sandbox.delivered()
    reported = json.loads(receiver.bodies[0])["data"]["subscription"]
    assert reported["current_period_start"] == "0000-00-00 00:00:00"
    assert reported["id"] == 501


@pytest.mark.anyio
async def test_a_request_in_process_times_out_as_over_a_network() -> None:
    """Else code that waits for RMZ could not be tested against a sandbox that is slow."""
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        sandbox.faults.add("latency", seconds=3600)
        hasty = rmz.with_options(retry=RetryPolicy(max_attempts=1, attempt_timeout=0.01))
        with pytest.raises(ConnectionFailedError, match="ReadTimeout"):
            await hasty.subscriptions.get(501)


def test_a_request_from_another_thread_times_out_too() -> None:
    with BlockingSandbox() as sandbox, sandbox.client() as rmz:
        sandbox.faults.add("latency", seconds=3600)
        hasty = rmz.with_options(retry=RetryPolicy(max_attempts=1, attempt_timeout=0.01))
        with pytest.raises(ConnectionFailedError, match="ReadTimeout"):
            hasty.subscriptions.get(501)
