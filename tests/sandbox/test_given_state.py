"""The state that a test gives: names and values are checked before the sandbox begins."""

from __future__ import annotations

import copy
import traceback
from decimal import Decimal
from typing import Any

import pytest

import rmz_sync.sandbox
from rmz_async.sandbox import (
    Card,
    CardBehaviour,
    Duration,
    OrderStatus,
    Product,
    Sandbox,
    Status,
    Store,
    Subscription,
    Variant,
)


def test_given_rows_change_the_seeded_store() -> None:
    """By table, key and field; numbers may be strings, as keys of JSON and TOML are."""
    state = Sandbox(
        state={
            "subscriptions": {501: {"status": "past_due", "card": None}, "502": {"price": "1.50"}},
            "products": {102: {"trial_days": 7, "metadata": {"a": 1}}},
            "switches": {"charge_at": "period_end"},
            "profile": {"name": "My shop"},
        }
    ).state
    assert state.subscriptions[501].status is Status.PAST_DUE
    assert state.subscriptions[501].card is None
    assert state.subscriptions[502].price == Decimal("1.50")
    assert state.products[102].trial_days == 7
    assert state.switches.charge_at == "period_end"
    assert state.profile.name == "My shop"


@pytest.mark.anyio
async def test_a_copy_of_a_store_in_use_is_a_store_of_its_own() -> None:
    """A copy finds its own rows, and tells the sandbox that it was made from nothing."""
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        await rmz.subscriptions.lookup(external_customer_id="usr_abc123")
        before = copy.deepcopy(sandbox.state)
        assert sandbox.state == before
        await rmz.subscriptions.pause(501)
        assert sandbox.state != before
        async with Sandbox(state=before) as other, other.client() as client:
            other.state.subscriptions[508].external_customer_id = "usr_abc123"
            found = await client.subscriptions.lookup(external_customer_id="usr_abc123")
            assert [(one.id, one.status) for one in found.subscriptions] == [
                (508, "active"),
                (501, "active"),
            ]
            await other.advance(days=400)
        assert sandbox.state.subscriptions[508].external_customer_id is None
        assert not sandbox.ledger.renewals(501)


def test_a_row_that_is_new_needs_the_fields_without_a_default() -> None:
    """Its key is its id, or what else names it."""
    state = Sandbox(
        state={
            "products": {900: {"name": "New", "slug": "new"}},
            "checkout_sessions": {
                "K": {
                    "id": "cs_1",
                    "product_id": 102,
                    "variant_id": 15,
                    "customer_id": 4501,
                    "success_url": "https://app.example/ok",
                    "cancel_url": "https://app.example/no",
                    "expires_at": "2026-01-01T00:00:00+03:00",
                }
            },
            "placed_requests": {"hash": {"at": "2026-01-01T00:00:00Z", "order_id": 78901}},
        }
    ).state
    assert state.placed_requests["hash"].order_id == 78901
    assert state.products[900] == Product(id=900, name="New", slug="new")
    assert state.checkout_sessions["K"].key == "K"
    assert state.checkout_sessions["K"].expires_at.isoformat() == "2025-12-31T21:00:00+00:00"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"subscriptons": {}}, "state.subscriptons: .*did you mean subscriptions?"),
        ({"zzz": {}}, "state.zzz: there is no zzz; there are categories, "),
        ({"subscriptions": 5}, "state.subscriptions: must be a table of names and values, not 5"),
        ({"subscriptions": {501: 5}}, "state.subscriptions.501: must be a table of names"),
        ({"subscriptions": {"x": {}}}, "state.subscriptions.x: must be an integer, not 'x'"),
        (
            {"subscriptions": {501: {"statsu": "active"}}},
            "state.subscriptions.501.statsu: there is no statsu; did you mean status?",
        ),
        (
            {"subscriptions": {501: {"status": "actve"}}},
            "state.subscriptions.501.status: must be one of 'trialing', 'active', .*not 'actve'",
        ),
        (
            {"subscriptions": {501: {"auto_renew": "no"}}},
            "state.subscriptions.501.auto_renew: must be true or false, not 'no'",
        ),
        (
            {"subscriptions": {501: {"card": {"last_four": "1", "scheme": "visa", "x": 1}}}},
            "state.subscriptions.501.card: unknown: x",
        ),
        (
            {"products": {900: {"nam": "x"}}},
            "state.products.900.nam: there is no nam; did you mean name?",
        ),
        ({"products": {900: {"name": "x"}}}, "state.products.900.slug: the field slug is missing"),
        (
            {"switches": {"second_cancel_status": 400}},
            r"state.switches.second_cancel_status: 'second_cancel_status' must be in \(409, 422\)",
        ),
    ],
)
def test_a_wrong_name_or_value_is_refused_by_field_and_rule(
    state: dict[str, Any], message: str
) -> None:
    """The path says which row it is."""
    with pytest.raises(ValueError, match=message):
        Sandbox(state=state)


@pytest.mark.parametrize("make", [Sandbox, rmz_sync.sandbox.Sandbox])
@pytest.mark.parametrize("option", [{"state": {"tables": {}}}, {"clock": "noon"}], ids=str)
def test_a_traceback_with_variables_shows_a_sandbox_that_was_refused(
    make: Any, option: dict[str, Any]
) -> None:
    """On Python 3.11 an object without a repr takes the place of the whole traceback."""
    with pytest.raises((ValueError, TypeError)) as caught:
        make(**option)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "self = <Sandbox" in "".join(shown.format())


def test_what_is_no_state_is_refused() -> None:
    """At the beginning, and not at the first call."""
    with pytest.raises(TypeError, match="state must be a Store or a mapping"):
        Sandbox(state=501)  # type: ignore[arg-type]  # as an untyped test would


@pytest.mark.parametrize(
    ("row", "field", "wrong"),
    [
        (Sandbox().state.subscriptions[501], "status", "actve"),
        (Sandbox().state.products[101], "status", 2),
        (Sandbox().state.products[101], "cancel_behavior", "later"),
        (Sandbox().state.variants[14], "duration", "weekly"),
    ],
)
def test_a_row_refuses_a_value_that_it_cannot_have(row: Any, field: str, wrong: object) -> None:
    """When it is changed, and it stays as it was."""
    before = getattr(row, field)
    with pytest.raises(ValueError, match=f"{field} must be one of .*, not {wrong!r}"):
        setattr(row, field, wrong)
    with pytest.raises(AttributeError, match="colour"):
        row.colour = "red"
    assert getattr(row, field) is before
    setattr(row, field, before.value)
    assert getattr(row, field) is before


def test_a_row_is_not_made_with_a_value_that_it_cannot_have() -> None:
    """Nor with an unknown name."""
    with pytest.raises(ValueError, match="behaviour must be one of 'pays', "):
        Card(last_four="4242", scheme="visa", behaviour="mostly pays")
    with pytest.raises(ValueError, match="duration must be one of 'monthly'"):
        Variant(id=1, product_id=1, duration="weekly", price=Decimal(1))
    with pytest.raises(TypeError, match="statsu"):
        Subscription(statsu="active")  # type: ignore[call-arg]  # as an untyped test would
    with pytest.raises(TypeError, match="subscriptons"):
        Store(subscriptons={})  # type: ignore[call-arg]  # as above
    assert Card(last_four="4242", scheme="visa", behaviour="pays").behaviour is CardBehaviour.PAYS
    assert Variant(id=1, product_id=1, duration="monthly", price=Decimal(1)).duration is (
        Duration.MONTHLY
    )
    assert OrderStatus(4) is OrderStatus.COMPLETED
