from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox, Status
from rmz_async.sandbox.store.replica import Replica

if TYPE_CHECKING:
    from tests.sandbox.conftest import ManualClock

pytestmark = pytest.mark.anyio


async def read(api: httpx.AsyncClient, path: str) -> Any:
    """Return the data of an answer."""
    return (await api.get(path)).json()["data"]


async def test_a_read_is_as_old_as_the_replica_lags(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """The answer to the change is new, and each read is old until the lag is over."""
    sandbox.switches.replica_lag = 2
    changed = (await api.post("/subscriptions/501/pause")).json()["data"]
    assert changed["status"] == "paused"
    assert (await read(api, "/subscriptions/501"))["status"] == "active"
    clock.advance(seconds=1.9)
    assert (await read(api, "/subscriptions/501"))["status"] == "active"
    clock.advance(seconds=0.1)
    assert (await read(api, "/subscriptions/501"))["status"] == "paused"


async def test_a_replica_follows_change_by_change(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock
) -> None:
    """The older one of two changes is seen first."""
    sandbox.switches.replica_lag = 10
    await api.post("/subscriptions/501/pause")
    clock.advance(seconds=5)
    await api.post("/subscriptions/501/unpause")
    clock.advance(seconds=5)
    assert (await read(api, "/subscriptions/501"))["status"] == "paused"
    clock.advance(seconds=5)
    assert (await read(api, "/subscriptions/501"))["status"] == "active"


async def test_every_read_lags(
    api: httpx.AsyncClient, sandbox: Sandbox, clock: ManualClock, basket: dict[str, Any]
) -> None:
    """Lists, lookups and orders too: what was just made is not there, what went still is."""
    sandbox.switches.replica_lag = 1
    lookup = "/subscriptions/lookup?external_customer_id=usr_abc123&include_inactive=1"
    subscription = sandbox.state.subscriptions[501]
    subscription.external_customer_id = "usr_other"
    free = basket | {"coupon_code": "FREE100"}
    made = (await api.post("/orders", json=free)).json()["data"]["order_id"]
    del sandbox.state.subscriptions[533]
    await api.put("/orders/78942", json={"status": 4})
    await api.put("/orders/78941", json={"status": 6})
    assert (await read(api, lookup))["count"] == 1
    assert (await api.get(f"/orders/{made}")).status_code == 404
    assert (await read(api, "/subscriptions"))["data"][0]["id"] == 533
    assert (await read(api, "/orders/78942"))["current_status"] == 2
    assert (await read(api, "/orders/78941"))["transaction"]["is_refunded"] is False
    clock.advance(seconds=1)
    assert (await read(api, lookup))["count"] == 0
    assert (await api.get(f"/orders/{made}")).status_code == 200
    assert (await read(api, "/subscriptions"))["data"][0]["id"] == 532
    assert (await read(api, "/orders/78942"))["current_status"] == 4
    assert (await read(api, "/orders/78941"))["transaction"]["is_refunded"] is True


async def test_a_lag_begins_and_ends_at_once(api: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Changes from before the switch are seen, and all of them once it is back at 0."""
    await api.post("/subscriptions/501/pause")
    sandbox.switches.replica_lag = 30
    assert (await read(api, "/subscriptions/501"))["status"] == "paused"
    await api.post("/subscriptions/501/unpause")
    assert (await read(api, "/subscriptions/501"))["status"] == "paused"
    sandbox.switches.replica_lag = 0
    assert (await read(api, "/subscriptions/501"))["status"] == "active"


async def test_a_change_that_a_test_makes_lags_too(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The replica hears of every change of the state later."""
    sandbox.switches.replica_lag = 1
    sandbox.state.subscriptions[501].status = Status.PAST_DUE
    assert (await read(api, "/subscriptions/501"))["status"] == "active"


@pytest.mark.parametrize("skew", [300, -300])
async def test_clocks_of_the_servers_may_differ(
    api: httpx.AsyncClient, sandbox: Sandbox, skew: float
) -> None:
    """The first writes ``updated_at``, the other the ``timestamp`` of the answers."""
    await api.post("/subscriptions/501/pause")
    right = (await api.get("/subscriptions/501")).json()
    sandbox.switches.updated_at_skew = skew
    answer = (await api.get("/subscriptions/501")).json()
    assert answer["timestamp"] == right["timestamp"]
    minute = 5 if skew > 0 else 55
    assert answer["data"]["updated_at"][11:19] == f"{12 if skew > 0 else 11}:{minute:02}:00"
    sandbox.switches.timestamp_skew = skew
    for path in ("/subscriptions/501", "/subscriptions/999"):
        assert (await api.get(path)).json()["timestamp"] == right["timestamp"] + skew
    assert (await read(api, "/orders/78901"))["updated_at"] != "2025-05-22T12:00:00.000000Z"


async def test_reads_between_two_changes_share_one_view(sandbox: Sandbox) -> None:
    """Each change makes another one, also a change from while nothing lagged."""
    state = sandbox.state
    replica = Replica(state, sandbox.clock.now)
    state.switches.replica_lag = 30
    state.subscriptions[501].status = Status.PAUSED
    view = replica.store()
    assert replica.store() is view
    state.switches.replica_lag = 0
    del state.subscriptions[533]
    state.switches.replica_lag = 30
    assert 533 not in replica.store().subscriptions
    assert replica.store().subscriptions[501].status is Status.ACTIVE
