"""The goods of the seeded store."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from rmz_async.sandbox.store.catalog import (
    Category,
    Code,
    Coupon,
    Product,
    ProductStatus,
    Upload,
    UploadType,
    Variant,
)
from rmz_async.sandbox.store.durations import Duration
from rmz_async.sandbox.store.state import Store

__all__ = ("add_catalog",)

# Enough for a second page of 15.
_CATEGORIES = (
    ("software", "Software"),
    ("game-keys", "Game Keys"),
    ("subscriptions", "اشتراكات"),
    ("gift-cards", "بطاقات الهدايا"),
    ("courses", "دورات"),
    ("services", "خدمات"),
    ("ebooks", "كتب"),
    ("templates", "قوالب"),
    ("fonts", "خطوط"),
    ("music", "Music"),
    ("photos", "Photos"),
    ("plugins", "Plugins"),
    ("accounts", "حسابات"),
    ("design", "تصميم"),
    ("business", "أعمال"),
    ("archive", "Archive"),
)


def add_catalog(store: Store, now: datetime) -> None:
    """Put products, their codes and variants, categories and coupons into *store*."""
    store.categories.update(
        (number, Category(id=number, slug=slug, title=title, sort_index=number))
        for number, (slug, title) in enumerate(_CATEGORIES, 1)
    )
    store.categories[1].description = "Digital software products"
    store.categories[2].parent_id = 1
    store.categories[16].is_active = False
    store.products.update((product.id, product) for product in _products(now))
    store.variants.update((variant.id, variant) for variant in _variants())
    store.coupons.update((coupon.id, coupon) for coupon in _coupons(now))
    store.codes.update(
        (number, Code(id=number, product_id=101, code=f"GAME-{number:04}-KEY"))
        for number in range(301, 327)
    )
    store.uploads[201] = Upload(
        id=201,
        type=UploadType.IMAGE,
        name="game-key.png",
        file_name="game-key.png",
        path="products/images",
        mime_type="image/png",
        size=48_213,
    )
    store.codes[327] = Code(id=327, product_id=110, code="LAST-0327-KEY")


def _products(now: datetime) -> tuple[Product, ...]:
    return (
        Product(
            id=101,
            name="Game Key",
            slug="game-key",
            type="code",
            price=Decimal("49.99"),
            description="A key that is yours immediately.",
            purchase_count=15,
            category_ids=(1, 2),
            image="game-key.png",
            image_id=201,
        ),
        Product(
            id=102, name="Pro Plan", slug="pro-plan", price=Decimal("19.99"), category_ids=(3,)
        ),
        Product(
            id=103, name="باقة الأعمال", slug="business", price=Decimal(49), category_ids=(3, 15)
        ),
        Product(
            id=104,
            name="Starter Plan",
            slug="starter-plan",
            price=Decimal("99.00"),
            category_ids=(3,),
        ),
        Product(id=105, name="Free E-Book", slug="free-ebook", type="product", category_ids=(7,)),
        Product(
            id=106,
            name="تصميم شعار",
            slug="logo-design",
            type="service",
            price=Decimal(350),
            is_noticeable=True,
            fields=(
                {"name": "color", "label": "اللون", "type": "text", "required": True},
                {"name": "size", "label": "المقاس", "type": "select", "options": ["S", "L"]},
            ),
            category_ids=(6, 14),
        ),
        Product(
            id=107,
            name="Python Course",
            slug="python-course",
            type="course",
            price=Decimal("299.5"),
            category_ids=(5,),
        ),
        Product(
            id=108,
            name="Editor License",
            slug="editor-license",
            type="license",
            price=Decimal(120),
            license_config={"lock_type": "hwid", "max_activations": 2},
            category_ids=(1,),
        ),
        Product(
            id=109,
            name="Old Template",
            slug="old-template",
            type="product",
            price=Decimal(15),
            status=ProductStatus.DISABLED,
        ),
        Product(
            id=110,
            name="Last Key",
            slug="last-key",
            type="code",
            price=Decimal("79.95"),
            category_ids=(2,),
        ),
        Product(
            id=111,
            name="Sticker",
            slug="sticker",
            type="product",
            price=Decimal("2.25"),
            min_qty=5,
            stock=100,
        ),
        Product(
            id=112,
            name="Font Family",
            slug="font-family",
            type="product",
            price=Decimal(80),
            discount_price=Decimal("59.99"),
            discount_expiry=now + timedelta(days=7),
            metadata={"show_discount_countdown": True, "show_discount_savings": True},
            category_ids=(9,),
        ),
        Product(
            id=113,
            name="Photo Pack",
            slug="photo-pack",
            type="product",
            price=Decimal(60),
            discount_price=Decimal(30),
            discount_expiry=now - timedelta(days=1),
            metadata={},
            category_ids=(11,),
        ),
        Product(
            id=114,
            name="Signed Print",
            slug="signed-print",
            type="product",
            price=Decimal(500),
            max_purchase_count=10,
            purchase_count=9,
        ),
        Product(
            id=115,
            name="Sold Out Mug",
            slug="sold-out-mug",
            type="product",
            price=Decimal(35),
            stock=0,
        ),
        Product(
            id=116,
            name="جديدنا",
            slug="brand-new",
            type="product",
            price=Decimal("10.10"),
            created_at=now - timedelta(hours=1),
            updated_at=now - timedelta(hours=1),
        ),
    )


def _variants() -> tuple[Variant, ...]:
    return (
        Variant(id=14, product_id=102, duration=Duration.MONTHLY, price=Decimal("19.99")),
        Variant(id=15, product_id=102, duration=Duration.ANNUALLY, price=Decimal("199.99")),
        Variant(id=16, product_id=102, duration=Duration.BIENNIAL, price=Decimal("349.5")),
        Variant(id=20, product_id=103, duration=Duration.MONTHLY, price=Decimal(49)),
        Variant(id=21, product_id=103, duration=Duration.QUARTERLY, price=Decimal("129.00")),
        Variant(id=22, product_id=103, duration=Duration.SEMI_ANNUAL, price=Decimal(249)),
        Variant(id=30, product_id=104, duration=Duration.MONTHLY, price=Decimal("99.00")),
        Variant(id=31, product_id=104, duration=Duration.QUINQUENNIAL, price=Decimal(2499)),
        Variant(id=32, product_id=104, duration=Duration.DECENNIAL, price=Decimal(4999)),
    )


def _coupons(now: datetime) -> tuple[Coupon, ...]:
    return (
        Coupon(id=1, code="SAVE10", percent=Decimal(10)),
        Coupon(id=2, code="MINUS20", amount=Decimal(20)),
        Coupon(id=3, code="FREE100", percent=Decimal(100)),
        Coupon(id=4, code="ONCE", percent=Decimal(50), usage_limit=1),
        Coupon(id=5, code="USEDUP", percent=Decimal(10), usage_limit=3, usage_count=3),
        Coupon(id=6, code="DISABLED", percent=Decimal(10), is_enabled=False),
        Coupon(id=7, code="EXPIRED", percent=Decimal(10), expires_at=now - timedelta(days=1)),
    )
