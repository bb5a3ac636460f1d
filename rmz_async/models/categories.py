"""Categories: the shelves of a shop."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rmz_async.models._model import Model, model

__all__ = ("Category",)


@model(kw_only=True)
class Category(Model):
    """A shelf of the shop.

    Source: https://docs.rmz.gg/merchant-api/categories
    """

    id: int
    """Positive integer, unique in the store."""

    slug: str | None = None
    """The name of the category in addresses."""

    title: str | None = None
    """As the shop wrote it."""

    description: str | None = None
    """As the shop wrote it."""

    metadata: Mapping[str, Any] | None = None
    """As RMZ sent it."""

    is_active: bool | None = None
    """Whether the shop shows it."""

    parent_id: int | None = None
    """The category that it is in, or None."""

    store_id: int | None = None
    """Positive integer."""

    sort_index: int | None = None
    """The place of the category among the others."""

    pivot: Mapping[str, Any] | None = None
    """The product that the category was read with; within a product only."""

    deleted_at: datetime | None = None
    """When it was deleted; UTC."""

    created_at: datetime | None = None
    """UTC."""

    updated_at: datetime | None = None
    """UTC."""
