"""A product that is to be made or replaced, by what kind of thing it is."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

import attrs

from rmz_async._frozen import frozen
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
    """The purposes of an uploaded file."""

    IMAGE = "image"
    EXTRA_IMAGE = "extra_image"
    FILE = "file"


@model(kw_only=True)
class Media(Model):
    """A file that RMZ keeps, to be named when a product is made or replaced."""

    id: int
    """Positive integer. RMZ shows the ids of ``files`` and ``extra_images`` nowhere else."""

    type: MediaKind | str | None = None
    """A known kind, or the string that RMZ sent if it has a new one."""

    name: str | None = None
    """The name of the upload."""

    file_name: str | None = None
    """The name under which RMZ keeps it."""

    path: str | None = None
    """The folder in which RMZ keeps it."""

    mime_type: str | None = None
    """For example ``image/png``."""

    size: int | None = None
    """In bytes."""


@frozen(kw_only=True)
class CodeStock:
    """A product of type ``code``, with the codes that are for sale.

    On ``products.update`` these codes **replace** the whole unsold stock: send one code, and RMZ
    deletes the others.
    """

    codes: Sequence[str] = attrs.field(repr=False)
    """1 or more; a person who knows one has the goods. Hidden in ``repr``."""


@frozen(kw_only=True)
class VariantFeature:
    """A line that the checkout shows below a plan."""

    name: str
    """Not empty."""

    description: str | None = None
    """The meaning of the feature."""


@frozen(kw_only=True)
class NewVariant:
    """A plan of a product that is subscribed to."""

    duration: Duration | int
    """A known duration, or its days, 1 or more; RMZ counts 30 days a month and 365 a year."""

    price: Decimal | int
    """In the store's currency, 0 or more, with at most 2 decimals."""

    id: int | None = None
    """The id of the plan that this one replaces; None makes a new plan."""

    badge: str | None = None
    """A word beside the plan, for example ``popular``."""

    features: Sequence[VariantFeature] = ()
    """The features of the plan."""


@frozen(kw_only=True)
class SubscriptionPlans:
    """A product of type ``subscription``, with its plans.

    On ``products.update`` a plan that is left out is **deleted**: send each one that is to stay,
    with its ``id``.
    """

    variants: Sequence[NewVariant]
    """1 or more; RMZ refuses an empty list."""

    trial_days: int | None = None
    """Days for which a new subscriber pays nothing; 0 to 90."""

    grace_period_days: int | None = None
    """Days for which access goes on after a payment has failed; 0 to 30."""

    cancel_behavior: CancelBehavior | str | None = None
    """When a cancellation takes effect."""

    auto_renew_default: bool | None = None
    """Whether a new subscription renews by itself."""


@frozen(kw_only=True)
class LicenseTerms:
    """A product of type ``license``."""

    lock_type: str = "none"
    """The thing that a license is bound to: ``none``, ``hwid`` or ``ip``."""

    prefix: str | None = None
    """The beginning of each license key."""

    expiry_type: str = "lifetime"
    """``lifetime`` or ``timed``."""

    expiry_days: int | None = None
    """How long a ``timed`` license lasts; 1 or more."""

    max_activations: int | None = None
    """On how many machines a license works; 1 or more."""

    e2ee: bool | None = None
    """Whether RMZ encrypts the answers to license checks end to end."""


@frozen(kw_only=True)
class Course:
    """A product of type ``course``."""

    # A dictionary cannot be hashed, and a course should be.
    content: Mapping[str, Any] = attrs.field(hash=False)
    """Sent as it is; RMZ does not document its fields."""


@frozen(kw_only=True)
class FieldOption:
    """A choice of a field."""

    name: str
    """Not empty."""

    price: Decimal | int = 0
    """The amount that the choice adds to the price, 0 or more, with at most 2 decimals."""


@frozen(kw_only=True)
class SelectField:
    """A field in which the customer chooses one of several options."""

    name: str
    """Not empty."""

    options: Sequence[FieldOption]
    """1 or more."""

    placeholder: str | None = None
    """The words that the field shows before a choice."""

    required: bool = False
    """Whether the customer must choose."""


ProductKind: TypeAlias = CodeStock | SubscriptionPlans | LicenseTerms | Course
"""The settings of one type of product; their class says which type that is."""
