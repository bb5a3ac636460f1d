"""Products, their codes and their categories as the API sends them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import attrs

from rmz_async.sandbox.rules.pricing import actual_price, has_expired_discount, is_discounted
from rmz_async.sandbox.rules.stock import current_stock, unsold_codes
from rmz_async.sandbox.store.catalog import Category, Code, Product, Upload, Variant
from rmz_async.sandbox.store.state import Store
from rmz_async.sandbox.wire.forms import assoc, instant, money_text, optional_instant

__all__ = (
    "PRODUCT_MODEL",
    "category_row",
    "code_row",
    "full",
    "list_row",
    "ordered",
    "upload_row",
    "written",
)

_NEW_FOR = timedelta(hours=12)
PRODUCT_MODEL = "App\\Models\\StoreProduct"


def full(product: Product, store: Store, now: datetime) -> dict[str, object]:
    """Return everything, as ``GET /products/{id}`` does; the codes are those that are unsold."""
    categories = (store.categories[category_id] for category_id in product.category_ids)
    return {
        **_columns(product, store),
        **_computed(product, store, now),
        **(_terms(product) if product.type == "subscription" else {}),
        "codes": [code_row(code, store) for code in unsold_codes(product, store)],
        "image": product.image and _image(product, product.image),
        "subscription_variants": [
            _variant(variant, product)
            for variant in store.variants.values()
            if variant.product_id == product.id and not variant.is_deleted
        ],
        "categories": [
            {
                **category_row(category, store),
                "pivot": {"product_id": product.id, "category_id": category.id},
            }
            for category in categories
        ],
    }


def written(product: Product, store: Store, now: datetime) -> dict[str, object]:
    """Return what making and replacing a product answer: the plans have another name and form."""
    whole = full(product, store, now)
    del whole["subscription_variants"]
    return {
        **whole,
        "activation_info": product.activation_info,
        "marketing_title": product.marketing_title,
        "show_reviews": product.show_reviews,
        "subscriptionVariants": [
            {
                "id": variant.id,
                "duration": variant.duration.length.days,
                "price": variant.price,
                "badge": variant.badge,
                "features": variant.features,
            }
            for variant in store.variants.values()
            if variant.product_id == product.id and not variant.is_deleted
        ],
    }


def upload_row(upload: Upload) -> dict[str, object]:
    """Return what an upload answers."""
    return attrs.asdict(upload)


def list_row(product: Product, store: Store, now: datetime) -> dict[str, object]:
    """Return what a list sends of a product."""
    return {
        "id": product.id,
        "name": product.name,
        "slug": product.slug,
        "type": product.type,
        "price": product.price,
        **_computed(product, store, now),
    }


def ordered(product: Product, store: Store, now: datetime) -> dict[str, object]:
    """Return the product of an order's line as webhooks send it, its money as strings."""
    whole = {**_columns(product, store), **_computed(product, store, now)}
    return {
        key: money_text(value) if isinstance(value, Decimal) else value
        for key, value in whole.items()
    }


def code_row(code: Code, store: Store) -> dict[str, object]:
    """Return one code."""
    return {
        "id": code.id,
        "code": code.code,
        "order_product_id": code.order_item_id,
        "product_id": code.product_id,
        "store_id": store.profile.id,
        "deleted_at": None,
        "created_at": instant(code.created_at),
        "updated_at": instant(code.updated_at),
    }


def category_row(category: Category, store: Store) -> dict[str, object]:
    """Return one category."""
    return {
        "id": category.id,
        "slug": category.slug,
        "title": category.title,
        "description": category.description,
        "metadata": category.metadata,
        "is_active": category.is_active,
        "parent_id": category.parent_id,
        "store_id": store.profile.id,
        "deleted_at": None,
        "created_at": instant(category.created_at),
        "updated_at": instant(category.updated_at),
        "sort_index": category.sort_index,
    }


def _columns(product: Product, store: Store) -> dict[str, object]:
    return {
        "id": product.id,
        "store_id": store.profile.id,
        "name": product.name,
        "slug": product.slug,
        "type": product.type,
        "price": product.price,
        "discount_price": product.discount_price,
        "discount_expiry": optional_instant(product.discount_expiry),
        "description": product.description,
        "status": product.status,
        "min_qty": product.min_qty,
        "max_purchase_count": product.max_purchase_count,
        "purchase_count": product.purchase_count,
        "fields": product.fields,
        "is_noticeable": product.is_noticeable,
        "license_config": assoc(product.license_config),
        "metadata": assoc(product.metadata),
        "deleted_at": None,
        "created_at": instant(product.created_at),
        "updated_at": instant(product.updated_at),
    }


def _computed(product: Product, store: Store, now: datetime) -> dict[str, object]:
    """Return what RMZ works out for every answer, also for the short ones."""
    price = actual_price(product, now)
    discounted = is_discounted(product, now)
    settings = product.metadata or {}
    return {
        "actual_price": price,
        "current_stock": current_stock(product, store),
        "is_new": now - product.created_at < _NEW_FOR,
        "is_discounted": discounted,
        "is_discount_expired": has_expired_discount(product, now),
        "show_discount_countdown": discounted and bool(settings.get("show_discount_countdown")),
        "show_discount_savings": discounted and bool(settings.get("show_discount_savings")),
        "discount_savings_amount": product.price - price if discounted else 0,
    }


def _terms(product: Product) -> dict[str, object]:
    return {
        "trial_days": product.trial_days,
        "grace_period_days": product.grace_period_days,
        "cancel_behavior": product.cancel_behavior,
        "auto_renew_default": product.auto_renew_default,
    }


def _image(product: Product, file_name: str) -> dict[str, object]:
    folder = "products/images"
    return {
        # Each product has one image, and RMZ numbers images apart from products.
        "id": product.image_id or product.id + 100,
        "model_type": PRODUCT_MODEL,
        "model_id": product.id,
        "type": "main_product_image",
        "file_name": file_name,
        "path": folder,
        "metadata": None,
        "deleted_at": None,
        "created_at": instant(product.created_at),
        "updated_at": instant(product.updated_at),
        "full_link": f"https://cdn.rmz.gg/{folder}/{file_name}",
    }


def _variant(variant: Variant, product: Product) -> dict[str, object]:
    return {
        "id": variant.id,
        "product_id": variant.product_id,
        "duration": variant.duration,
        "price": variant.price,
        "created_at": instant(product.created_at),
        "updated_at": instant(product.updated_at),
        "durationText": variant.duration.label,
    }
