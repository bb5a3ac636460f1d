"""A snapshot's rows: they stay as they were, whatever is done to the sandbox after the save."""

from __future__ import annotations

import pytest

from rmz_async.sandbox import Card, CardBehaviour, Change, Customer, Sandbox, Status
from rmz_async.sandbox.store.orders import PlacedRequest


@pytest.mark.anyio
async def test_changes_after_a_save_do_not_reach_the_snapshot(sandbox: Sandbox) -> None:
    """Rows are shared until they change; new and removed rows are not in it."""
    state = sandbox.state
    sandbox.snapshots.save("a")
    row = state.subscriptions[501]
    row.status = Status.PAUSED
    del state.subscriptions[502]
    state.customers[9] = Customer(
        id=9, first_name="N", last_name="N", country_code="966", phone="5", email="n@example.com"
    )
    state.profile.name = "Other"
    state.placed_requests["hash"] = PlacedRequest(at=sandbox.clock.now())
    sandbox.snapshots.save("b")
    row.external_customer_id = "usr_other"

    sandbox.snapshots.restore("a")
    assert state.subscriptions[501].status == "active"
    assert 502 in state.subscriptions
    assert 9 not in state.customers
    assert state.profile.name != "Other"
    sandbox.snapshots.restore("b")
    assert state.subscriptions[501].status == "paused"
    assert state.subscriptions[501].external_customer_id == "usr_abc123"
    assert state.profile.name == "Other"
    assert "hash" in state.placed_requests


@pytest.mark.anyio
async def test_lookups_and_ids_follow_a_restore(sandbox: Sandbox) -> None:
    """The indexes of the store, and the number of the next subscription."""
    sandbox.snapshots.save("a")
    first = await sandbox.subscribe(external_customer_id="usr_1")
    assert sandbox.state.finder.subscriptions(external_customer_id="usr_1")
    sandbox.snapshots.restore("a")
    assert not sandbox.state.finder.subscriptions(external_customer_id="usr_1")
    assert await sandbox.subscribe(external_customer_id="usr_2") == first


@pytest.mark.anyio
async def test_a_restored_subscription_comes_due_when_it_did(sandbox: Sandbox) -> None:
    """The clock goes back as well, and time brings the same again."""
    sandbox.snapshots.save("a")
    for _ in range(2):
        before = sandbox.clock.now()
        await sandbox.advance(days=400)
        assert len(sandbox.ledger.renewals(501)) == 1
        sandbox.snapshots.restore("a")
        assert sandbox.clock.now() == before
        assert not sandbox.ledger


@pytest.mark.anyio
async def test_a_card_that_is_charged_after_a_save_is_as_it_was(sandbox: Sandbox) -> None:
    """A card counts its declined attempts."""
    subscription = sandbox.state.subscriptions[502]
    subscription.card = Card(
        last_four="0119", scheme="visa", behaviour=CardBehaviour.SECOND_ATTEMPT
    )
    sandbox.snapshots.save("a")
    await sandbox.advance(days=5)
    declined = sandbox.state.subscriptions[502].card
    (change,) = [one for one in sandbox.snapshots.diff("a") if one.field.startswith("card")]
    assert change == Change("subscriptions", 502, "card.declined", 0, 1)
    sandbox.snapshots.restore("a")
    as_it_was = sandbox.state.subscriptions[502].card

    assert declined is not None
    assert declined.declined == 1
    assert as_it_was is not None
    assert as_it_was.declined == 0
