"""Pure: the body of a product that is made or replaced, checked and as RMZ wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from typing import cast

from rmz_async.models import (
    CodeStock,
    Course,
    Duration,
    FieldOption,
    LicenseTerms,
    Media,
    NewVariant,
    ProductStatus,
    ProductType,
    SelectField,
    SubscriptionPlans,
    VariantFeature,
)
from rmz_async.resources._validation import MAX_ID, MAX_TEXT, Validation, plain_integer

MAX_HTML = 65_535
"""RMZ documents no limit: that of the MySQL column that such a string fits into."""

MAX_PRICE = 10**10
"""RMZ documents no limit: up to here a float keeps each cent."""

_DAYS = dict(zip(Duration, (30, 90, 180, 365, 730, 1825, 3650), strict=True))
_PLAIN = tuple(
    kind.value
    for kind in (ProductType.PRODUCT, ProductType.SERVICE, ProductType.CODE, ProductType.LICENSE)
)


class Fields:
    """Checks the fields of an object one by one, and keeps them as RMZ wants them.

    A field whose value is None is left out, unless it is required.

    Args:
        check: Collects what is wrong.
        prefix: The object's path in the body.

    Attributes:
        sent: The fields so far.
    """

    def __init__(self, check: Validation, prefix: str = "") -> None:
        self.sent: dict[str, object] = {}
        self._check = check
        self._prefix = prefix

    def text(
        self, name: str, value: object, most: int = MAX_TEXT, *, required: bool = False
    ) -> None:
        """Add a string that must not be empty."""
        if required or value is not None:
            self._check.text(self._prefix + name, value, most)
            self.sent[name] = value

    def html(self, name: str, value: object) -> None:
        """Add a long string, which may be HTML, and which may be empty."""
        if value == "":
            self.sent[name] = value
        else:
            self.text(name, value, MAX_HTML)

    def price(self, name: str, value: object, *, required: bool = False) -> None:
        """Add an amount of money as a JSON number of exactly its digits."""
        if value is None and not required:
            return
        number = value if isinstance(value, Decimal) else plain_integer(value)
        amount = Decimal(-1) if number is None else Decimal(number)
        # The size is checked first: `round` of Decimal("1E+1000000") would take minutes.
        holds = amount.is_finite() and 0 <= amount < MAX_PRICE and amount == round(amount, 2)
        rule = (
            f"must be a Decimal or an integer from 0 to below {MAX_PRICE}, with at most 2 decimals"
        )
        if self._check.require(self._prefix + name, holds, rule):
            self.sent[name] = int(amount) if amount == int(amount) else float(amount)

    def integer(
        self,
        name: str,
        value: object,
        least: int,
        most: int = MAX_ID,
        *,
        required: bool = False,
    ) -> None:
        """Add an integer."""
        if required or value is not None:
            self.sent[name] = self._check.integer(self._prefix + name, value, least, most)

    def flag(self, name: str, value: object) -> None:
        """Add True or False."""
        if value is not None:
            holds = isinstance(value, bool)
            self._check.require(self._prefix + name, holds, "must be True or False")
            self.sent[name] = value

    def choice(self, name: str, value: object, choices: Sequence[str]) -> None:
        """Add one of a few words."""
        if value is not None:
            self.sent[name] = self._check.choice(self._prefix + name, value, choices)

    def day(self, name: str, value: object) -> None:
        """Add a day."""
        day = self._check.day(self._prefix + name, value)
        if day is not None:
            self.sent[name] = day.isoformat()

    def ids(self, name: str, values: object) -> None:
        """Add a list of ids, which may be empty."""
        if values is not None:
            self.sent[name] = [
                self._check.identifier(f"{self._prefix}{name}.{index}", value)
                for index, value in enumerate(self._listed(name, values))
            ]

    def media(self, name: str, value: object) -> None:
        """Add a file that was uploaded: a `Media`, or its id."""
        if value is not None:
            found = value.id if isinstance(value, Media) else value
            number = self._check.identifier(f"{self._prefix}{name}.file.response.id", found)
            # RMZ's dashboard nests the id like this, and so does its API.
            self.sent[name] = {"file": {"response": {"id": number}}}

    def media_list(self, name: str, values: object) -> None:
        """Add files that were uploaded; an empty list removes those that there are."""
        if values is not None:
            inner = self.inner(f"{name}.")
            for index, value in enumerate(self._listed(name, values)):
                # Left out, it would remove a file that was meant to stay.
                self._check.require(
                    f"{self._prefix}{name}.{index}", value is not None, "must be a Media or its id"
                )
                inner.media(str(index), value)
            self.sent[name] = list(inner.sent.values())

    def mapping(self, name: str, value: object) -> None:
        """Add an object whose fields RMZ does not document."""
        if value is not None:
            self.sent[name] = self._check.options(self._prefix + name, value)

    def objects(
        self,
        name: str,
        values: object,
        kind: type[object],
        write: Callable[[Fields, object], None],
        *,
        least: int = 0,
    ) -> None:
        """Add a list of objects of the class *kind*, each of which *write* writes."""
        found = self._listed(name, values)
        rule = f"must be a list of {least} {kind.__name__} or more"
        self._check.require(self._prefix + name, len(found) >= least, rule)
        written: list[object] = []
        for index, value in enumerate(found):
            place = f"{self._prefix}{name}.{index}"
            if self._check.require(place, isinstance(value, kind), f"must be a {kind.__name__}"):
                inner = self.inner(f"{name}.{index}.")
                write(inner, value)
                written.append(inner.sent)
        self.sent[name] = written

    def inner(self, prefix: str) -> Fields:
        """Return what checks the fields of an object inside this one."""
        return Fields(self._check, self._prefix + prefix)

    def _listed(self, name: str, values: object) -> Sequence[object]:
        is_list = isinstance(values, Sequence) and not isinstance(values, (str, bytes))
        self._check.require(self._prefix + name, is_list, "must be a list")
        return cast("Sequence[object]", values) if is_list else ()


def product_body(
    check: Validation, *, required: Sequence[str], given: Mapping[str, object]
) -> dict[str, object]:
    """Return the body of a product.

    Args:
        check: Collects what is wrong.
        required: The names of the arguments that must not be None.
        given: The arguments of the call, under their names in Python; None for those left out.
    """
    for name in required:
        field = "type" if name == "kind" else name
        check.require(field, given[name] is not None, "must be given")
    fields = Fields(check)
    for name in ("name", "slug", "marketing_title", "image_ulid"):
        fields.text(name, given[name])
    _add_kind(fields, given["kind"])
    for name in ("price", "cost_price", "discount_price"):
        fields.price(name, given[name])
    fields.day("discount_expiry", given["discount_expiry"])
    for name in ("description", "activation_info"):
        fields.html(name, given[name])
    _add_status(fields, given["status"])
    for name in ("show_reviews", "is_noticeable"):
        fields.flag(name, given[name])
    fields.integer("stock", given["stock"], 0)
    counted = fields.sent.get("type") == "code" and given["stock"] is not None
    check.require("stock", not counted, "must be left out for codes, which RMZ counts")
    fields.integer("min_qty", given["min_qty"], 1)
    fields.integer("max_purchase_count", given["max_purchase_count"], 1)
    fields.media("image", given["image"])
    fields.media_list("product_files", given["files"])
    fields.media_list("extra_images", given["extra_images"])
    fields.ids("categories", given["categories"])
    fields.ids("benefits", given["benefits"])
    _add_select_fields(fields, given["fields"])
    if given["display"] is not None:
        shown = fields.inner("metadata.")
        shown.mapping("display", given["display"])
        fields.sent["metadata"] = shown.sent
    fields.mapping("seo", given["seo"])
    return fields.sent


def _add_kind(fields: Fields, kind: object) -> None:
    """Add the type of a product, and what is particular to that type; None adds nothing."""
    match kind:
        case None:
            return
        case CodeStock():
            fields.sent["type"] = "code"
            # On an update an empty list would delete the whole unsold stock.
            fields.objects("codes", kind.codes, str, _code, least=1)
        case SubscriptionPlans():
            fields.sent["type"] = "subscription"
            fields.objects("subscriptionVariants", kind.variants, NewVariant, _variant, least=1)
            fields.integer("trial_days", kind.trial_days, 0, 90)
            fields.integer("grace_period_days", kind.grace_period_days, 0, 30)
            fields.choice("cancel_behavior", kind.cancel_behavior, ("end_of_period", "immediate"))
            fields.flag("auto_renew_default", kind.auto_renew_default)
        case LicenseTerms():
            fields.sent["type"] = "license"
            fields.sent["license_config"] = _license(fields.inner("license_config."), kind)
        case Course():
            fields.sent["type"] = "course"
            fields.mapping("course", kind.content)
        case _:
            fields.choice("type", kind, _PLAIN)


def _add_status(fields: Fields, status: object) -> None:
    """Add whether a product can be bought; None adds nothing."""
    # A member of another enum is a status of something else.
    number = 0 if isinstance(status, Enum) and type(status) is not ProductStatus else status
    fields.integer("status", number, min(ProductStatus), max(ProductStatus))


def _add_select_fields(fields: Fields, values: object) -> None:
    """Add the fields in which a customer chooses; None adds nothing."""
    if values is not None:
        fields.objects("fields", values, SelectField, _select_field)


def _code(fields: Fields, code: object) -> None:
    fields.text("code", code, MAX_HTML)


def _variant(fields: Fields, value: object) -> None:
    variant = cast("NewVariant", value)
    duration: object = variant.duration
    fields.integer("id", variant.id, 1)
    days = _DAYS[duration] if isinstance(duration, Duration) else duration
    fields.integer("duration", days, 1, required=True)
    fields.price("price", variant.price, required=True)
    fields.text("badge", variant.badge)
    fields.objects("features", variant.features, VariantFeature, _feature)


def _feature(fields: Fields, value: object) -> None:
    feature = cast("VariantFeature", value)
    fields.text("name", feature.name, required=True)
    fields.text("description", feature.description)


def _select_field(fields: Fields, value: object) -> None:
    field = cast("SelectField", value)
    fields.sent["type"] = "select"
    fields.text("name", field.name, required=True)
    fields.text("placeholder", field.placeholder)
    fields.flag("required", field.required)
    fields.objects("options", field.options, FieldOption, _option, least=1)


def _option(fields: Fields, value: object) -> None:
    option = cast("FieldOption", value)
    fields.text("name", option.name, required=True)
    fields.price("price", option.price)


def _license(fields: Fields, terms: LicenseTerms) -> dict[str, object]:
    fields.choice("lock_type", terms.lock_type, ("none", "hwid", "ip"))
    fields.text("prefix", terms.prefix)
    fields.choice("expiry_type", terms.expiry_type, ("lifetime", "timed"))
    fields.integer("expiry_days", terms.expiry_days, 1)
    fields.integer("max_activations", terms.max_activations, 1)
    fields.flag("e2ee", terms.e2ee)
    return fields.sent
