"""A product that is to be made or replaced, by what kind of thing it is."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

import attrs

from rmz_async.models._model import Model, model
from rmz_async.models.products import CancelBehavior
from rmz_async.models.subscriptions import Duration

__all__ = (
    "CodeStock",
    "Course",
    "FieldOption",
    "LicenseTerms",
    "Media",
    "MediaKind",
    "NewVariant",
    "ProductKind",
    "SelectField",
    "SubscriptionPlans",
    "VariantFeature",
)


class MediaKind(StrEnum):
    """What an uploaded file is for."""

    IMAGE = "image"
    EXTRA_IMAGE = "extra_image"
    FILE = "file"


@model
class Media(Model):
    """A file that RMZ keeps, to be named when a product is made or replaced.

    Attributes:
        id: Positive integer. RMZ shows the ids of ``files`` and ``extra_images`` nowhere else.
        type: A known kind, or the string that RMZ sent if it has a new one.
        name: The name of the upload.
        file_name: The name under which RMZ keeps it.
        path: The folder in which RMZ keeps it.
        mime_type: For example ``image/png``.
        size: In bytes.
    """

    id: int
    type: MediaKind | str | None = None
    name: str | None = None
    file_name: str | None = None
    path: str | None = None
    mime_type: str | None = None
    size: int | None = None


@attrs.frozen(kw_only=True)
class CodeStock:
    """A product of type ``code``, with the codes that are for sale.

    On ``products.update`` these codes **replace** the whole unsold stock: send one code, and RMZ
    deletes the others.

    Attributes:
        codes: 1 or more; whoever knows one has the goods. Hidden in ``repr``.
    """

    codes: Sequence[str] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class VariantFeature:
    """A line that the checkout shows below a plan.

    Attributes:
        name: Not empty.
        description: What it means.
    """

    name: str
    description: str | None = None


@attrs.frozen(kw_only=True)
class NewVariant:
    """One plan of a product that is subscribed to.

    Attributes:
        duration: A known duration, or its days, 1 or more; RMZ counts 30 days a month and 365 a
            year.
        price: In the store's currency, 0 or more, with at most 2 decimals.
        id: The id of the plan that this one replaces; None makes a new plan.
        badge: A word beside the plan, for example ``popular``.
        features: What the plan brings.
    """

    duration: Duration | int
    price: Decimal | int
    id: int | None = None
    badge: str | None = None
    features: Sequence[VariantFeature] = ()


@attrs.frozen(kw_only=True)
class SubscriptionPlans:
    """A product of type ``subscription``, with its plans.

    On ``products.update`` a plan that is left out is **deleted**: send each one that is to stay,
    with its ``id``.

    Attributes:
        variants: 1 or more; RMZ refuses an empty list.
        trial_days: Days for which a new subscriber pays nothing; 0 to 90.
        grace_period_days: Days for which access goes on after a payment has failed; 0 to 30.
        cancel_behavior: When a cancellation takes effect.
        auto_renew_default: Whether a new subscription renews by itself.
    """

    variants: Sequence[NewVariant]
    trial_days: int | None = None
    grace_period_days: int | None = None
    cancel_behavior: CancelBehavior | str | None = None
    auto_renew_default: bool | None = None


@attrs.frozen(kw_only=True)
class LicenseTerms:
    """A product of type ``license``.

    Attributes:
        lock_type: What a license is bound to: ``none``, ``hwid`` or ``ip``.
        prefix: The beginning of each license key.
        expiry_type: ``lifetime`` or ``timed``.
        expiry_days: How long a ``timed`` license lasts; 1 or more.
        max_activations: On how many machines a license works; 1 or more.
        e2ee: Whether RMZ encrypts the answers to license checks end to end.
    """

    lock_type: str = "none"
    prefix: str | None = None
    expiry_type: str = "lifetime"
    expiry_days: int | None = None
    max_activations: int | None = None
    e2ee: bool | None = None


@attrs.frozen(kw_only=True)
class Course:
    """A product of type ``course``.

    Attributes:
        content: Sent as it is; RMZ does not document its fields.
    """

    # A dictionary cannot be hashed, and a course should be.
    content: Mapping[str, Any] = attrs.field(hash=False)


@attrs.frozen(kw_only=True)
class FieldOption:
    """One choice of a field.

    Attributes:
        name: Not empty.
        price: What the choice adds to the price, 0 or more, with at most 2 decimals.
    """

    name: str
    price: Decimal | int = 0


@attrs.frozen(kw_only=True)
class SelectField:
    """A field in which the customer chooses one of several options.

    Attributes:
        name: Not empty.
        options: 1 or more.
        placeholder: What the field shows before a choice.
        required: Whether the customer must choose.
    """

    name: str
    options: Sequence[FieldOption]
    placeholder: str | None = None
    required: bool = False


ProductKind: TypeAlias = CodeStock | SubscriptionPlans | LicenseTerms | Course
"""What is particular to a type of product; its class says which type that is."""
