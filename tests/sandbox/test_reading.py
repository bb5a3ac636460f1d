from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from rmz_async.sandbox import Sandbox, Status, Variant

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


async def test_get_sends_the_documented_subscription(api: httpx.AsyncClient) -> None:
    """A subscription has every documented key, in the documented forms, in the envelope."""
    answer = await api.get("/subscriptions/501")
    assert answer.status_code == 200
    assert answer.json() == {
        "message": None,
        "data": {
            "id": 501,
            "status": "active",
            "external_customer_id": "usr_abc123",
            "starts_at": "2025-05-22",
            "ends_at": "2026-05-22",
            "start_date": "2025-05-22",
            "end_date": "2026-05-22",
            "current_period_start": "2025-05-22T12:00:00.000000Z",
            "current_period_end": "2026-05-22T12:00:00.000000Z",
            "trial_ends_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "duration": "annually",
            "order_id": 78901,
            "auto_renew": True,
            "price": {"amount": 199.99, "formatted": "١٩٩٫٩٩ ر.س", "currency": "SAR"},
            "metadata": {"external_user_id": "usr_abc123", "plan": "pro"},
            "product": {
                "id": 102,
                "name": "Pro Plan",
                "slug": "pro-plan",
                "type": "subscription",
            },
            "variant": {
                "id": 15,
                "duration": "annually",
                "duration_text": "سنه",
                "price": 199.99,
            },
            "payment_method": {"last_four": "4242", "scheme": "visa"},
            "scheduled_variant": None,
            "features": None,
            "is_active": True,
            "is_expired": False,
            "days_remaining": 355,
            "created_at": "2025-05-22T12:00:00.000000Z",
            "updated_at": "2025-05-22T12:00:00.000000Z",
        },
        "api": "rmz.shawarma",
        "timestamp": 1748779200,
    }


@pytest.mark.parametrize(
    ("subscription_id", "written"), [(501, "199.99"), (502, "49"), (503, "99.00")]
)
async def test_prices_are_numbers_with_the_digits_that_were_set(
    api: httpx.AsyncClient, subscription_id: int, written: str
) -> None:
    """No price passes through a float: 99.00 keeps its zeros and 49 gets none."""
    answer = await api.get(f"/subscriptions/{subscription_id}")
    assert f'"amount":{written},' in answer.text
    assert f'"price":{written}}}' in answer.text


async def test_price_is_locked_though_the_variant_gets_dearer(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A subscription's price is its own, and its variant's is the one of today."""
    variant = sandbox.state.variants[15]
    assert isinstance(variant, Variant)
    variant.price *= 2
    data = (await api.get("/subscriptions/501")).json()["data"]
    assert data["price"]["amount"] == 199.99
    assert data["variant"]["price"] == 399.98


@pytest.mark.parametrize(
    ("subscription_id", "status", "is_active", "is_expired", "days", "auto_renew"),
    [
        (502, "trialing", True, False, 4, True),
        (503, "past_due", False, False, 2, True),
        (504, "paused", False, False, 12, False),
        (505, "canceled", False, False, 20, False),
        (506, "expired", False, True, 0, False),
        (507, "active", True, False, 355, False),
    ],
)
async def test_seed_has_every_status(
    api: httpx.AsyncClient,
    subscription_id: int,
    status: str,
    is_active: bool,
    is_expired: bool,
    days: int,
    auto_renew: bool,
) -> None:
    """The seeded store has a subscription in each status, consistent in itself."""
    data = (await api.get(f"/subscriptions/{subscription_id}")).json()["data"]
    assert data["status"] == status
    assert (data["is_active"], data["is_expired"]) == (is_active, is_expired)
    assert data["days_remaining"] == days
    assert data["auto_renew"] is auto_renew


async def test_only_a_paused_one_tells_of_its_pause(api: httpx.AsyncClient) -> None:
    """The keys of a pause and of a retry are there only in their status."""
    waiting = {"paused_at", "paused_remaining_days", "next_retry_at"}
    shown = {
        number: waiting & (await api.get(f"/subscriptions/{number}")).json()["data"].keys()
        for number in (501, 503, 504)
    }
    assert shown == {
        501: set(),
        503: {"next_retry_at"},
        504: {"paused_at", "paused_remaining_days"},
    }


async def test_empty_metadata_is_a_list_and_none_is_null(api: httpx.AsyncClient) -> None:
    """An empty object is PHP's [], and no object is null."""
    assert (await api.get("/subscriptions/507")).json()["data"]["metadata"] == []
    assert (await api.get("/subscriptions/508")).json()["data"]["metadata"] is None


async def test_a_missing_card_is_null_and_a_scheduled_variant_is_shown(
    api: httpx.AsyncClient,
) -> None:
    """A subscription without a card says null, and one that will change says to what."""
    assert (await api.get("/subscriptions/507")).json()["data"]["payment_method"] is None
    assert (await api.get("/subscriptions/508")).json()["data"]["scheduled_variant"] == {
        "id": 21,
        "duration": "quarterly",
        "duration_text": "3 أشهر",
        "price": 129.00,
    }


@pytest.mark.parametrize("unknown", ["999", "abc", "-1", "٥٠١", "5" * 5000])
async def test_unknown_subscription_is_404(api: httpx.AsyncClient, unknown: str) -> None:
    """An id that names nothing, or is no id, is answered with the error envelope."""
    answer = await api.get(f"/subscriptions/{unknown}")
    assert answer.status_code == 404
    assert answer.json() == {
        "message": "Subscription not found",
        "data": None,
        "api": "rmz.shawarma",
        "timestamp": 1748779200,
        "error": True,
    }


async def test_list_walks_to_a_last_page(api: httpx.AsyncClient) -> None:
    """Three pages hold all 33, newest first, and only the last has no next one."""
    path = "http://127.0.0.1/shawarma/subscriptions"
    pages = [
        (await api.get("/subscriptions", params={"page": n})).json()["data"] for n in (1, 2, 3)
    ]
    assert [row["id"] for page in pages for row in page["data"]] == list(range(533, 500, -1))
    assert [{key: page[key] for key in page if key != "data"} for page in pages] == [
        {
            "current_page": 1,
            "first_page_url": f"{path}?page=1",
            "from": 1,
            "next_page_url": f"{path}?page=2",
            "path": path,
            "per_page": 15,
            "prev_page_url": None,
            "to": 15,
        },
        {
            "current_page": 2,
            "first_page_url": f"{path}?page=1",
            "from": 16,
            "next_page_url": f"{path}?page=3",
            "path": path,
            "per_page": 15,
            "prev_page_url": f"{path}?page=1",
            "to": 30,
        },
        {
            "current_page": 3,
            "first_page_url": f"{path}?page=1",
            "from": 31,
            "next_page_url": None,
            "path": path,
            "per_page": 15,
            "prev_page_url": f"{path}?page=2",
            "to": 33,
        },
    ]


async def test_exactly_full_page_is_the_last(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Fifteen subscriptions are one page with no next one."""
    for subscription_id in range(516, 534):
        del sandbox.state.subscriptions[subscription_id]
    page = (await api.get("/subscriptions")).json()["data"]
    assert (page["to"], page["next_page_url"]) == (15, None)


async def test_page_past_the_end_is_empty(api: httpx.AsyncClient) -> None:
    """A page that does not exist has no rows, no bounds and no next one."""
    page = (await api.get("/subscriptions?page=9")).json()["data"]
    assert (page["data"], page["from"], page["to"], page["next_page_url"]) == ([], None, None, None)


@pytest.mark.parametrize("senseless", ["0", "-2", "x", "", "9" * 5000])
async def test_senseless_page_is_the_first(api: httpx.AsyncClient, senseless: str) -> None:
    """A page number that is none is answered with the first page."""
    answer = await api.get("/subscriptions", params={"page": senseless})
    assert answer.json()["data"]["current_page"] == 1


async def test_list_row_has_its_own_form(api: httpx.AsyncClient) -> None:
    """A list's row leaves out the scheduled variant, and writes its times as MySQL does."""
    row = (await api.get("/subscriptions?page=3")).json()["data"]["data"][-1]
    whole = (await api.get("/subscriptions/501")).json()["data"]
    assert whole.keys() - row.keys() == {"scheduled_variant"}
    assert row["starts_at"] == row["start_date"] == "2025-05-22 12:00:00"
    assert row["ends_at"] == row["end_date"] == "2026-05-22 12:00:00"
    assert row["current_period_start"] == "2025-05-22 12:00:00"
    assert row["current_period_end"] == "2026-05-22 12:00:00"
    assert row["created_at"] == "2025-05-22T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"customerEmail": "ahmed@example.com"}, 11),
        ({"customerPhone": "33123456"}, 11),
        ({"customerCountryCode": "973"}, 11),
        ({"customerCountryCode": "966", "customerPhone": "501234567"}, 11),
        ({"customerCountryCode": "973", "customerPhone": "501234567"}, 0),
        (
            {
                "customerCountryCode": "973",
                "customerPhone": "33123456",
                "customerEmail": "yousef@example.com",
            },
            11,
        ),
        ({"customerEmail": "nobody@example.com"}, 0),
    ],
)
async def test_list_filters_must_all_match(
    api: httpx.AsyncClient, filters: dict[str, str], count: int
) -> None:
    """The list holds those subscriptions whose customer matches every filter."""
    page = (await api.get("/subscriptions", params=filters)).json()["data"]
    assert len(page["data"]) == count


async def test_filter_is_kept_in_page_addresses(api: httpx.AsyncClient) -> None:
    """The next page's address has the filter too."""
    page = (await api.get("/subscriptions?customerCountryCode=966")).json()["data"]
    assert page["next_page_url"].endswith("/subscriptions?customerCountryCode=966&page=2")


async def test_days_remaining_follow_the_clock(
    api: httpx.AsyncClient, clock: ManualClock, sandbox: Sandbox
) -> None:
    """Only whole days count, and none are left once the period has ended."""
    sandbox.state.subscriptions[501].current_period_end = clock.now + timedelta(days=2)
    sandbox.state.subscriptions[501].auto_renew = False
    clock.advance(seconds=1)
    assert (await api.get("/subscriptions/501")).json()["data"]["days_remaining"] == 1
    clock.advance(days=5)
    assert (await api.get("/subscriptions/501")).json()["data"]["days_remaining"] == 0


async def test_a_card_is_shown_only_while_it_will_be_charged(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The card is hidden if nothing renews, and an unchecked wish to renew needs a card."""
    subscription = sandbox.state.subscriptions[501]

    async def shown() -> tuple[bool, bool]:
        data = (await api.get("/subscriptions/501")).json()["data"]
        return data["auto_renew"], data["payment_method"] is not None

    assert await shown() == (True, True)
    subscription.auto_renew = False
    assert await shown() == (False, False)
    subscription.auto_renew, subscription.card = True, None
    assert await shown() == (False, False)


async def test_a_plan_has_its_features(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """A name and a description each; a plan without any says null."""
    assert (await api.get("/subscriptions/501")).json()["data"]["features"] is None
    sandbox.state.variants[15].features = ({"name": "Seats", "description": "Five"},)
    data = (await api.get("/subscriptions/501")).json()["data"]
    assert data["features"] == [{"name": "Seats", "description": "Five"}]


async def test_contradictions_of_the_documentation_are_switches(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Whether a past due subscription is active, and what a second cancel is answered with."""
    assert (await api.get("/subscriptions/503")).json()["data"]["is_active"] is False
    sandbox.switches.past_due_is_active = True
    assert (await api.get("/subscriptions/503")).json()["data"]["is_active"] is True
    assert (await api.post("/subscriptions/505/cancel")).status_code == 409
    sandbox.switches.second_cancel_status = 422
    assert (await api.post("/subscriptions/505/cancel")).status_code == 422


async def test_state_can_be_set_up(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The API answers what a test writes into the state."""
    sandbox.state.subscriptions[501].status = Status.PAST_DUE
    assert (await api.get("/subscriptions/501")).json()["data"]["status"] == "past_due"


async def test_answers_are_ascii_json(api: httpx.AsyncClient) -> None:
    """Arabic travels escaped, as PHP writes it, and arrives as it was."""
    answer = await api.get("/subscriptions/502")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content.isascii()
    assert json.loads(answer.content)["data"]["product"]["name"] == "باقة الأعمال"
