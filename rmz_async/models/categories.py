"""Categories: the shelves of a shop."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rmz_async.models._model import Model, model

__all__ = ("Category",)


@model
class Category(Model):
    """One shelf of the shop.

    Attributes:
        id: Positive integer, unique in the store.
        slug: Its name in addresses.
        title: As the shop wrote it.
        description: As the shop wrote it.
        metadata: As RMZ sent it.
        is_active: Whether the shop shows it.
        parent_id: The category that it is in, or None.
        store_id: Positive integer.
        sort_index: Its place among the others.
        pivot: Which product it was read with; within a product only.
        deleted_at: When it was deleted; UTC.
        created_at: UTC.
        updated_at: UTC.

    Source: https://docs.rmz.gg/merchant-api/categories
    """

    id: int
    slug: str | None = None
    title: str | None = None
    description: str | None = None
    metadata: Mapping[str, Any] | None = None
    is_active: bool | None = None
    parent_id: int | None = None
    store_id: int | None = None
    sort_index: int | None = None
    pivot: Mapping[str, Any] | None = None
    deleted_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
