"""The rules of a product's parts, and the effects of making and replacing it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import attrs

from rmz_async.sandbox.rules.stock import unsold_codes
from rmz_async.sandbox.store.catalog import (
    CancelBehavior,
    Code,
    Product,
    ProductStatus,
    Upload,
    Variant,
)
from rmz_async.sandbox.store.durations import Duration
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.wire.answers import InvalidProductError, RefusedError
from rmz_async.sandbox.wire.fields import Fields

__all__ = ("make", "replace")

_TYPES = ("product", "code", "service", "subscription", "license", "course")
_LONG = 65_535


def make(fields: Fields, store: Store, now: datetime) -> Product:
    """Make the product that a ``POST /products`` describes.

    Raises:
        InvalidProductError: A field is wrong.
        RefusedError: 404, an upload is not there.
    """
    form = _Form(fields, store, making=True)
    number = store.products.next_id(first=101)
    product = Product(id=number, name="", slug=f"product-{number}", created_at=now)
    form.check(product)
    form.write(product, now)
    store.products[number] = product
    form.write_parts(product, now)
    return product


def replace(product: Product, fields: Fields, store: Store, now: datetime) -> None:
    """Replace *product* by what a ``PUT /products/{id}`` describes.

    Raises:
        InvalidProductError: A field is wrong.
        RefusedError: 404, an upload is not there.
    """
    form = _Form(fields, store, making=False)
    form.check(product)
    form.write(product, now)
    form.write_parts(product, now)


@attrs.frozen
class _Plan:
    id: int
    duration: Duration
    price: Decimal
    badge: str | None
    features: tuple[dict[str, object], ...]


class _Form:
    """The fields of one request, read before anything is written."""

    def __init__(self, fields: Fields, store: Store, *, making: bool) -> None:
        self._fields = fields
        self._store = store
        self._making = making
        self._values: dict[str, Any] = {}

    def check(self, product: Product) -> None:
        """Read all fields for *product*.

        Raises:
            InvalidProductError: A field is wrong.
            RefusedError: 404, an upload is not there.
        """
        fields, making = self._fields, self._making
        self._texts()
        kind = fields.choice("type", _TYPES, required=making)
        if kind:
            self._values["type"] = kind
        self._slug(product)
        for name in ("price", "cost_price", "discount_price"):
            amount = fields.amount(name, required=making and name != "discount_price")
            self._set(name, amount)
        self._numbers()
        day = fields.day("discount_expiry")
        if day is not None:
            self._values["discount_expiry"] = datetime.combine(day, time(), UTC)
        self._image()
        self._values["file_ids"] = self._media("product_files")
        self._values["extra_image_ids"] = self._media("extra_images")
        self._references("categories", "category_ids", self._store.categories)
        self._references("benefits", "benefit_ids", None)
        kind = kind or product.type
        if fields.has("stock") and kind == "code":
            fields.refuse("stock", "The {} field is prohibited.")
        self._codes = self._read_codes() if fields.has("codes") else None
        self._plans = self._read_plans(product) if self._has_plans(kind) else None
        self._objects()
        fields.check(InvalidProductError)
        self._find_uploads()

    def write(self, product: Product, now: datetime) -> None:
        """Put what was read into the row of *product*."""
        for name, value in self._values.items():
            setattr(product, name, value)
        product.updated_at = now

    def write_parts(self, product: Product, now: datetime) -> None:
        """Replace the unsold codes and the plans, if the request names them."""
        store = self._store
        if self._codes is not None:
            for code in unsold_codes(product, store):
                del store.codes[code.id]
            for text in self._codes:
                number = store.codes.next_id(first=301)
                store.codes[number] = Code(
                    id=number, product_id=product.id, code=text, created_at=now, updated_at=now
                )
        if self._plans is not None:
            self._write_plans(product)

    def _write_plans(self, product: Product) -> None:
        assert self._plans is not None  # as the caller has seen
        store = self._store
        kept = {plan.id for plan in self._plans}
        for variant in tuple(store.variants.values()):
            if variant.product_id == product.id and variant.id not in kept:
                # Subscriptions of it go on.
                variant.is_deleted = True
        for plan in self._plans:
            number = plan.id or store.variants.next_id(first=14)
            store.variants[number] = Variant(
                id=number,
                product_id=product.id,
                duration=plan.duration,
                price=plan.price,
                badge=plan.badge,
                features=plan.features,
            )

    def _set(self, name: str, value: object) -> None:
        if self._fields.has(name):
            self._values[name] = value

    def _texts(self) -> None:
        fields = self._fields
        self._set("name", fields.text("name", required=self._making))
        for name in ("description", "activation_info"):
            self._set(name, fields.text(name, longest=_LONG))
        self._set("marketing_title", fields.text("marketing_title"))
        fields.text("image_ulid")

    def _slug(self, product: Product) -> None:
        slug = self._fields.text("slug", required=not self._making)
        self._set("slug", slug)
        for other in self._store.products.values():
            if other.slug == slug and other is not product:
                self._fields.refuse("slug", "The {} has already been taken.")

    def _numbers(self) -> None:
        fields = self._fields
        self._set("stock", fields.integer("stock", least=0))
        self._set("min_qty", fields.integer("min_qty", least=1))
        self._set("max_purchase_count", fields.integer("max_purchase_count", least=1))
        self._set("trial_days", fields.integer("trial_days", least=0, most=90))
        self._set("grace_period_days", fields.integer("grace_period_days", least=0, most=30))
        for name in ("show_reviews", "is_noticeable", "auto_renew_default"):
            self._set(name, fields.boolean(name))
        behavior = fields.choice("cancel_behavior", tuple(CancelBehavior))
        if behavior:
            self._values["cancel_behavior"] = CancelBehavior(behavior)
        status = fields.integer("status")
        if status in tuple(ProductStatus):
            self._values["status"] = ProductStatus(status)
        elif fields.has("status"):
            fields.refuse("status", "The selected {} is invalid.")

    def _image(self) -> None:
        self._values["image_id"] = None
        if self._making or self._fields.has("image"):
            self._values["image_id"] = _upload_id(self._fields.nested("image"))

    def _media(self, name: str) -> tuple[int, ...]:
        return tuple(_upload_id(entry) for entry in self._fields.listed(name))

    def _references(self, name: str, column: str, known: Collection[int] | None) -> None:
        if self._fields.has(name):
            ids = self._fields.ids(name)
            for index, number in enumerate(ids):
                if known is not None and number not in known:
                    self._fields.refuse(f"{name}.{index}", "The selected {} is invalid.")
            self._values[column] = ids

    def _read_codes(self) -> tuple[str, ...]:
        return tuple(
            entry.text("code", required=True, longest=_LONG)
            for entry in self._fields.listed("codes")
        )

    def _has_plans(self, kind: str) -> bool:
        needs = self._making and kind == "subscription"
        return needs or self._fields.sent("subscriptionVariants")

    def _read_plans(self, product: Product) -> tuple[_Plan, ...]:
        own = {
            variant.id
            for variant in self._store.variants.values()
            if variant.product_id == product.id and not variant.is_deleted
        }
        plans: list[_Plan] = []
        for entry in self._fields.entries("subscriptionVariants"):
            number = entry.integer("id")
            if number and number not in own:
                entry.refuse("id", "The selected {} is invalid.")
            days = entry.integer("duration", required=True)
            durations = {duration.length.days: duration for duration in Duration}
            if days and days not in durations:
                entry.refuse("duration", "The selected {} is invalid.")
            features: tuple[dict[str, object], ...] = tuple(
                {
                    "name": feature.text("name", required=True),
                    "description": feature.text("description") or None,
                }
                for feature in entry.listed("features")
            )
            plans.append(
                _Plan(
                    id=number,
                    duration=durations.get(days, Duration.MONTHLY),
                    price=entry.amount("price", required=True),
                    badge=entry.text("badge") or None,
                    features=features,
                )
            )
        return tuple(plans)

    def _objects(self) -> None:
        fields = self._fields
        if fields.has("fields"):
            entries = fields.listed("fields")
            self._values["fields"] = tuple(_select_field(entry) for entry in entries)
        if fields.has("license_config"):
            _check_license(fields.nested("license_config"))
            self._values["license_config"] = fields.mapping("license_config")
        if fields.has("metadata"):
            display = fields.nested("metadata").mapping("display")
            self._values["metadata"] = {"display": display, **display}
        for name in ("seo", "course"):
            if fields.has(name):
                self._values[name] = fields.mapping(name)

    def _find_uploads(self) -> None:
        values = self._values
        image = values["image_id"]
        for number in (*values["file_ids"], *values["extra_image_ids"], image or None):
            if number is not None and number not in self._store.uploads:
                raise RefusedError(404, "Media not found")
        found: Upload | None = self._store.uploads[image] if image else None
        values["image"] = None if found is None else found.file_name


def _upload_id(entry: Fields) -> int:
    return entry.nested("file").nested("response").integer("id", required=True, least=1)


def _check_license(terms: Fields) -> None:
    terms.choice("lock_type", ("none", "hwid", "ip"))
    terms.text("prefix")
    terms.choice("expiry_type", ("lifetime", "timed"))
    terms.integer("expiry_days", least=1)
    terms.integer("max_activations", least=1)
    terms.boolean("e2ee")


def _select_field(entry: Fields) -> dict[str, object]:
    return {
        "type": entry.choice("type", ("select",), required=True),
        "name": entry.text("name", required=True),
        "placeholder": entry.text("placeholder") or None,
        "required": entry.boolean("required"),
        "options": [
            {"name": option.text("name", required=True), "price": option.amount("price")}
            for option in entry.entries("options")
        ],
    }
