from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox, Status

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


async def test_cancel_lets_the_period_run_out(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """By default a subscription stays active, and will not renew."""
    answer = await api.post("/subscriptions/501/cancel")
    assert answer.status_code == 200
    assert answer.json()["message"] == "Subscription canceled successfully"
    assert answer.json()["data"] == {
        "id": 501,
        "status": "active",
        "external_customer_id": "usr_abc123",
        "cancel_at_period_end": True,
        "canceled_at": "2025-06-01T12:00:00.000000Z",
        "current_period_end": "2026-05-22T12:00:00.000000Z",
    }
    assert sandbox.state.subscriptions[501].auto_renew is False


@pytest.mark.parametrize("subscription_id", [501, 502, 503, 504, 507])
async def test_an_immediate_cancel_ends_the_subscription(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock, subscription_id: int
) -> None:
    """An immediate cancel ends whatever has not ended, and clears what it was waiting for."""
    clock.advance(minutes=1)
    answer = await api.post(
        f"/subscriptions/{subscription_id}/cancel", json={"effective": "immediate"}
    )
    assert answer.json()["data"]["status"] == "canceled"
    assert answer.json()["data"]["cancel_at_period_end"] is False
    subscription = sandbox.state.subscriptions[subscription_id]
    assert subscription.auto_renew is False
    assert subscription.canceled_at == subscription.updated_at == clock.now
    assert subscription.paused_at is None
    assert subscription.paused_remaining_days is None
    assert subscription.next_retry_at is None


@pytest.mark.parametrize("effective", ["end_of_period", "immediate"])
@pytest.mark.parametrize("subscription_id", [505, 506])
async def test_an_ended_subscription_cannot_be_canceled(
    api: httpx.AsyncClient, subscription_id: int, effective: str
) -> None:
    """A canceled or expired subscription answers 409."""
    answer = await api.post(
        f"/subscriptions/{subscription_id}/cancel", json={"effective": effective}
    )
    assert answer.status_code == 409
    assert answer.json()["message"] == "Subscription is already canceled or expired"
    assert answer.json()["error"] is True


async def test_cancel_twice_is_a_conflict(api: httpx.AsyncClient) -> None:
    """A second cancel at the period's end is refused as too late."""
    assert (await api.post("/subscriptions/501/cancel")).status_code == 200
    assert (await api.post("/subscriptions/501/cancel")).status_code == 409


async def test_cancel_knows_two_effects(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Any other effect is refused, and changes nothing."""
    for wrong in ("tomorrow", 5):
        answer = await api.post("/subscriptions/501/cancel", json={"effective": wrong})
        assert answer.status_code == 422
        assert answer.json() == {
            "message": "The given data was invalid.",
            "errors": {"effective": ["The selected effective is invalid."]},
        }
    assert sandbox.state.subscriptions[501].canceled_at is None


async def test_pause_banks_the_days_that_are_left(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """A pause stops access and renewal, and remembers the whole days that are left."""
    clock.advance(hours=1)
    answer = await api.post("/subscriptions/501/pause")
    assert answer.json()["message"] == "Subscription paused successfully"
    assert answer.json()["data"] == {
        "id": 501,
        "status": "paused",
        "external_customer_id": "usr_abc123",
        "is_active": False,
        "current_period_end": "2026-05-22T12:00:00.000000Z",
    }
    subscription = sandbox.state.subscriptions[501]
    assert subscription.paused_at == subscription.updated_at == clock.now
    assert subscription.paused_remaining_days == 354
    assert subscription.renews is False


@pytest.mark.parametrize("subscription_id", [502, 503, 504, 505, 506])
async def test_only_active_ones_can_be_paused(api: httpx.AsyncClient, subscription_id: int) -> None:
    """Any other status answers 422 with a message and no fields."""
    answer = await api.post(f"/subscriptions/{subscription_id}/pause")
    assert answer.status_code == 422
    assert answer.json()["message"] == "Only active subscriptions can be paused"
    assert "errors" not in answer.json()


async def test_unpause_starts_a_period_of_the_banked_days(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """A new period starts now and lasts as long as what was left of the old one."""
    clock.advance(days=30)
    answer = await api.post("/subscriptions/504/unpause")
    assert answer.json()["message"] == "Subscription unpaused successfully"
    assert answer.json()["data"] == {
        "id": 504,
        "status": "active",
        "external_customer_id": "usr_paused",
        "is_active": True,
        "current_period_start": "2025-07-01T12:00:00.000000Z",
        "current_period_end": "2025-07-13T12:00:00.000000Z",
    }
    subscription = sandbox.state.subscriptions[504]
    assert subscription.auto_renew is True
    assert subscription.updated_at == clock.now
    assert subscription.paused_at is None
    assert subscription.paused_remaining_days is None


async def test_unpause_gives_one_day_at_least(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """A subscription paused in the last hours, or after the end, comes back for a day."""
    subscription = sandbox.state.subscriptions[501]
    for left in (timedelta(hours=3), timedelta(days=-3)):
        subscription.current_period_end = clock.now + left
        await api.post("/subscriptions/501/pause")
        assert subscription.paused_remaining_days == 0
        await api.post("/subscriptions/501/unpause")
        assert subscription.current_period_end == clock.now + timedelta(days=1)


async def test_unpause_does_not_undo_a_cancel(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """A subscription that is to end with its period does so after a pause too."""
    await api.post("/subscriptions/507/pause")
    await api.post("/subscriptions/507/unpause")
    subscription = sandbox.state.subscriptions[507]
    assert (subscription.cancel_at_period_end, subscription.auto_renew) == (True, False)


@pytest.mark.parametrize("subscription_id", [501, 502, 503, 505, 506])
async def test_only_paused_ones_can_be_unpaused(
    api: httpx.AsyncClient, subscription_id: int
) -> None:
    """Any other status answers 422."""
    answer = await api.post(f"/subscriptions/{subscription_id}/unpause")
    assert answer.status_code == 422
    assert answer.json()["message"] == "Only paused subscriptions can be unpaused"


@pytest.mark.parametrize(
    ("body", "days"), [({"days": 7}, 7), ({"months": 2}, 60), ({"days": "3"}, 3)]
)
async def test_extend_moves_the_end(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock, body: dict[str, Any], days: int
) -> None:
    """The period ends later by the days, or by 30 days for a month."""
    clock.advance(minutes=1)
    end = sandbox.state.subscriptions[501].current_period_end + timedelta(days=days)
    answer = await api.post("/subscriptions/501/extend", json=body)
    assert answer.status_code == 200
    assert answer.json()["message"] == "Subscription extended successfully"
    assert answer.json()["data"] == {
        "id": 501,
        "status": "active",
        "external_customer_id": "usr_abc123",
        "current_period_start": "2025-05-22T12:00:00.000000Z",
        "current_period_end": f"{end:%Y-%m-%d}T12:00:00.000000Z",
        "end_date": f"{end:%Y-%m-%d}T12:00:00.000000Z",
    }
    assert sandbox.state.subscriptions[501].updated_at == clock.now


async def test_extend_while_paused_is_not_lost(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """While paused, the banked days grow with the period."""
    await api.post("/subscriptions/504/extend", json={"days": 5})
    assert sandbox.state.subscriptions[504].paused_remaining_days == 17


@pytest.mark.parametrize("subscription_id", [505, 506])
async def test_an_ended_subscription_cannot_be_extended(
    api: httpx.AsyncClient, subscription_id: int
) -> None:
    """A canceled or expired subscription answers 409."""
    answer = await api.post(f"/subscriptions/{subscription_id}/extend", json={"days": 1})
    assert answer.status_code == 409


async def test_extending_again_within_ten_seconds_is_refused(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """The guard answers 429, unlike the throttle: with requests left, and without Retry-After."""
    end = sandbox.state.subscriptions[501].current_period_end
    await api.post("/subscriptions/501/extend", json={"days": 7})
    clock.advance(seconds=9)
    answer = await api.post("/subscriptions/501/extend", json={"months": 1})
    assert answer.status_code == 429
    assert answer.json()["message"] != "Too Many Requests"
    assert answer.headers["x-ratelimit-remaining"] == "58"
    assert "retry-after" not in answer.headers
    assert "x-ratelimit-reset" not in answer.headers
    assert sandbox.state.subscriptions[501].current_period_end == end + timedelta(days=7)


async def test_extend_again_after_ten_seconds_adds_up(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """Once the guard has gone, the same request extends a second time."""
    end = sandbox.state.subscriptions[501].current_period_end
    await api.post("/subscriptions/501/extend", json={"days": 7})
    clock.advance(seconds=10)
    await api.post("/subscriptions/501/extend", json={"days": 7})
    assert sandbox.state.subscriptions[501].current_period_end == end + timedelta(days=14)


async def test_guard_is_one_subscriptions_own(api: httpx.AsyncClient) -> None:
    """Another subscription can be extended meanwhile."""
    await api.post("/subscriptions/501/extend", json={"days": 7})
    assert (await api.post("/subscriptions/508/extend", json={"days": 7})).status_code == 200


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (
            {},
            {
                "days": ["The days field is required when months is not present."],
                "months": ["The months field is required when days is not present."],
            },
        ),
        (
            {"days": 1, "months": 1},
            {"days": ["The days field prohibits months from being present."]},
        ),
        ({"days": 0}, {"days": ["The days field must be at least 1."]}),
        ({"days": 366}, {"days": ["The days field must not be greater than 365."]}),
        ({"months": 0}, {"months": ["The months field must be at least 1."]}),
        ({"months": 25}, {"months": ["The months field must not be greater than 24."]}),
        ({"days": True}, {"days": ["The days field must be an integer."]}),
        ({"days": 1.5}, {"days": ["The days field must be an integer."]}),
        ({"days": "many"}, {"days": ["The days field must be an integer."]}),
    ],
)
async def test_extend_takes_days_or_months(
    api: httpx.AsyncClient, sandbox: Sandbox, body: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    """Exactly one of both, within its bounds; else nothing is extended and no guard is set."""
    end = sandbox.state.subscriptions[501].current_period_end
    answer = await api.post("/subscriptions/501/extend", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == errors
    assert sandbox.state.subscriptions[501].current_period_end == end
    assert (await api.post("/subscriptions/501/extend", json={"days": 1})).status_code == 200


@pytest.mark.parametrize("body", [{"days": 365}, {"months": 24}])
async def test_extend_bounds_are_inclusive(api: httpx.AsyncClient, body: dict[str, int]) -> None:
    """The longest that is documented is allowed."""
    assert (await api.post("/subscriptions/501/extend", json=body)).status_code == 200


@pytest.mark.parametrize("change", ["cancel", "pause", "unpause", "extend"])
async def test_unknown_one_cannot_be_changed(api: httpx.AsyncClient, change: str) -> None:
    """Every change of an unknown subscription is a 404."""
    answer = await api.post(f"/subscriptions/999/{change}", json={"days": 1})
    assert answer.status_code == 404


async def test_statuses_are_written_as_documented() -> None:
    """The statuses are the documented six."""
    assert {str(status) for status in Status} == {
        "trialing",
        "active",
        "past_due",
        "paused",
        "canceled",
        "expired",
    }
