from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest

from rmz_async import (
    CodeStock,
    Course,
    FieldOption,
    InvalidRequestError,
    LicenseTerms,
    NewVariant,
    OrderStatus,
    Product,
    SelectField,
    SubscriptionPlans,
    VariantFeature,
    operations,
)
from rmz_async.resources.products import Products
from tests.new_products import LEAST, OPTIONAL

pytestmark = pytest.mark.anyio

KEPT: dict[str, Any] = {"slug": "tea", "image": 601, "files": [], "extra_images": []}


async def faults_of(recorder: Any, **given: Any) -> Any:
    """The refusal of a product that would be right without what is given."""
    right: dict[str, Any] = {**LEAST, "kind": "service"}
    with pytest.raises(InvalidRequestError, match=r"^products\.create was not sent") as caught:
        await recorder.make(Products).create(**{**right, **given})
    assert recorder.calls == []
    return caught.value.errors


async def test_nothing_shows_whether_a_product_was_made(recorder: Any) -> None:
    """So an unclear outcome stays unknown: there is nothing to settle it by."""
    await recorder.make(Products).create(**LEAST, kind="service")
    await recorder.make(Products).update(101, **KEPT)
    created, updated = recorder.calls
    assert (created.operation, updated.operation) == (
        operations.PRODUCTS_CREATE,
        operations.PRODUCTS_UPDATE,
    )
    assert (created.settlement, updated.settlement) == (None, None)
    assert updated.object_id == 101


async def test_an_update_names_images_and_files_or_removes_them(recorder: Any) -> None:
    """Python itself demands what RMZ would remove if it were left out."""
    for name in ("image", "files", "extra_images", "slug"):
        given = {key: value for key, value in KEPT.items() if key != name}
        with pytest.raises(TypeError, match=name):
            await recorder.make(Products).update(101, **given)
    await recorder.make(Products).update(101, **KEPT)
    assert recorder.only.body["product_files"] == recorder.only.body["extra_images"] == []


async def test_a_slug_of_none_is_refused_on_update(recorder: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await recorder.make(Products).update(0, **{**KEPT, "slug": None})
    assert caught.value.errors == {
        "id": ("must be a positive integer",),
        "slug": ("must be given",),
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"kind": None}, "type"),
        ({"kind": "subscription"}, "type"),
        ({"kind": "course"}, "type"),
        ({"kind": CodeStock}, "type"),
        ({"price": None}, "price"),
        ({"price": 1.5}, "price"),
        ({"price": True}, "price"),
        ({"price": -1}, "price"),
        ({"price": Decimal("NaN")}, "price"),
        ({"price": Decimal("1.005")}, "price"),
        ({"price": 10**10}, "price"),
        ({"price": Decimal("1E+1000000")}, "price"),
        ({"price": Decimal("-1E+1000000")}, "price"),
        ({"cost_price": "1"}, "cost_price"),
        ({"discount_price": Decimal(-1)}, "discount_price"),
        ({"discount_expiry": datetime(2026, 1, 1)}, "discount_expiry"),  # noqa: DTZ001 - no day
        ({"image": 0}, "image.file.response.id"),
        ({"files": [1, "2"]}, "product_files.1.file.response.id"),
        ({"files": [None]}, "product_files.0"),
        ({"extra_images": 5}, "extra_images"),
        ({"extra_images": [1, None]}, "extra_images.1"),
        ({"categories": [True]}, "categories.0"),
        ({"benefits": "12"}, "benefits"),
        ({"status": 9}, "status"),
        ({"status": OrderStatus.IN_PROGRESS}, "status"),
        ({"show_reviews": 1}, "show_reviews"),
        ({"stock": -1}, "stock"),
        ({"kind": "code", "stock": 1}, "stock"),
        ({"min_qty": 0}, "min_qty"),
        ({"description": 5}, "description"),
        ({"display": []}, "metadata.display"),
        ({"seo": {"a": float("nan")}}, "seo"),
        ({"kind": CodeStock(codes=[])}, "codes"),
        ({"kind": CodeStock(codes="ABC")}, "codes"),
        ({"kind": CodeStock(codes=[""])}, "codes.0.code"),
        ({"kind": SubscriptionPlans(variants=[])}, "subscriptionVariants"),
        ({"kind": SubscriptionPlans(variants=[5])}, "subscriptionVariants.0"),  # type: ignore[list-item] # pyright: ignore[reportArgumentType] # a caller without a type checker
        ({"kind": LicenseTerms(lock_type="disk")}, "license_config.lock_type"),
        ({"kind": LicenseTerms(max_activations=0)}, "license_config.max_activations"),
        ({"kind": Course(content=5)}, "course"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # a caller without a type checker
        ({"fields": [SelectField(name="", options=[FieldOption(name="L")])]}, "fields.0.name"),
        ({"fields": [SelectField(name="s", options=[])]}, "fields.0.options"),
        (
            {"fields": [SelectField(name="s", options=[FieldOption(name="")])]},
            "fields.0.options.0.name",
        ),
    ],
    ids=repr,
)
async def test_a_field_that_breaks_a_rule_is_named(recorder: Any, given: Any, field: str) -> None:
    assert field in await faults_of(recorder, **given)


@pytest.mark.parametrize(
    ("variant", "field"),
    [
        (NewVariant(duration=0, price=1), "duration"),
        (NewVariant(duration=30, price=-1), "price"),
        (NewVariant(duration=30, price=1, id=0), "id"),
        (NewVariant(duration=30, price=1, badge=""), "badge"),
        (NewVariant(duration=30, price=1, features=[VariantFeature(name="")]), "features.0.name"),
    ],
    ids=repr,
)
async def test_a_plan_that_breaks_a_rule_is_named(
    recorder: Any, variant: NewVariant, field: str
) -> None:
    plans = SubscriptionPlans(variants=[NewVariant(duration=30, price=1), variant])
    assert list(await faults_of(recorder, kind=plans)) == [f"subscriptionVariants.1.{field}"]


@pytest.mark.parametrize(
    ("name", "most"), [("trial_days", 90), ("grace_period_days", 30), ("cancel_behavior", None)]
)
async def test_the_terms_of_a_subscription_have_limits(
    recorder: Any, name: str, most: int | None
) -> None:
    wrong: Any = "later" if most is None else most + 1
    plans = SubscriptionPlans(variants=[NewVariant(duration=30, price=1)], **{name: wrong})
    assert list(await faults_of(recorder, kind=plans)) == [name]


async def test_a_price_is_named_with_both_ends_of_its_range(recorder: Any) -> None:
    (rule,) = (await faults_of(recorder, price=10**10))["price"]
    assert "from 0 to below 10000000000" in rule


class Word(str, Enum):  # noqa: UP042 - its members have another ``str()`` than those of StrEnum
    SERVICE = "service"
    IMMEDIATE = "immediate"


class Whole(IntEnum):
    FIVE = 5


async def test_members_of_a_callers_own_enums_are_sent_as_their_values(recorder: Any) -> None:
    """The ``str()`` of such a member names its class."""
    kind = SubscriptionPlans(
        variants=[NewVariant(duration=30, price=Whole.FIVE)], cancel_behavior=Word.IMMEDIATE
    )
    await recorder.make(Products).create(**LEAST, kind=Word.SERVICE)
    await recorder.make(Products).create(**LEAST, kind=kind)
    first, second = (json.loads(json.dumps(call.body)) for call in recorder.calls)
    assert first["type"] == "service"
    assert second["cancel_behavior"] == "immediate"
    assert second["subscriptionVariants"][0]["price"] == 5


async def test_codes_are_hidden_in_a_repr() -> None:
    """They are the goods."""
    assert "SHAY" not in repr(CodeStock(codes=["SHAY-1"]))


async def test_all_faults_come_in_one_error(recorder: Any) -> None:
    assert set(await faults_of(recorder, name="", price=-1, image=None)) == {
        "name",
        "price",
        "image",
    }


async def test_a_caller_may_change_what_was_passed_in(recorder: Any) -> None:
    """The body is a copy, which every attempt sends alike."""
    seo = {"title": "Tea"}
    await recorder.make(Products).create(**{**LEAST, **OPTIONAL, "kind": "product", "seo": seo})
    seo["title"] = "Coffee"
    assert recorder.only.body["seo"] == {"title": "Tea"}
    assert recorder.only.body["discount_expiry"] == date(2026, 6, 1).isoformat()
    assert recorder.only.returns is Product
