"""Products: what the store sells."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from os import PathLike
from typing import Any, BinaryIO, Literal, TypeAlias

from rmz_async import operations
from rmz_async._calls.call import Call
from rmz_async._transport import Transport
from rmz_async.models import (
    Media,
    MediaKind,
    Product,
    ProductKind,
    ProductStatus,
    ProductType,
    SelectField,
)
from rmz_async.pagination import Page, Pager
from rmz_async.resources import _uploading
from rmz_async.resources._product_body import product_body
from rmz_async.resources._validation import Validation, checked_id

__all__ = ("Products",)


UploadFile: TypeAlias = str | PathLike[str] | bytes | BinaryIO | AsyncIterable[bytes]
"""A file to upload: a path, bytes, a binary file object or an async stream of bytes."""


class Products:
    """Read what the store sells, and put it on sale."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, product_id: int) -> Product:
        """Read one product, with its plans, categories and unsold codes.

        A person who sees a code has the goods: never hand the answer on to a browser.

        Args:
            product_id: Positive integer.

        Returns:
            The product as it is now; all times in UTC.

        Raises:
            NotFoundError: There is no such product in this store.

        Source: https://docs.rmz.gg/merchant-api/products/get-product
        """
        product_id = checked_id(operations.PRODUCTS_GET, product_id)
        return await self._transport.call(
            Call(operation=operations.PRODUCTS_GET, returns=Product, object_id=product_id)
        )

    def list(self, *, page: int = 1) -> Pager[Product]:
        """List the store's products, 15 a page.

        Nothing is sent before the first item or page is asked for. RMZ documents no order for this
        list. No product comes twice in one walk. A product that moves to an earlier
        page meanwhile is missed.

        Args:
            page: The page to begin with, 1 or more.

        Returns:
            A list; walk it, walk its ``pages()``, or take its ``first()`` page. Its products have
            their names, types, prices and stock only.

        Raises:
            InvalidRequestError: A field breaks a rule; nothing was sent.

        Source: https://docs.rmz.gg/merchant-api/products/list-products
        """
        check = Validation(operations.PRODUCTS_LIST)
        page = check.identifier("page", page)
        check.finish()

        async def fetch(number: int) -> Page[Product]:
            return await self._transport.call(
                Call(
                    operation=operations.PRODUCTS_LIST,
                    returns=Page[Product],
                    query={"page": number},
                )
            )

        return Pager(fetch, page=page)

    async def upload(
        self,
        file: UploadFile,
        *,
        kind: MediaKind | Literal["image", "extra_image", "file"],
        name: str | None = None,
        mime_type: str | None = None,
    ) -> Media:
        """Upload a picture or a file, to be named when a product is made or replaced.

        The file is read piece by piece while it is sent, so memory never holds the whole of it. If
        no trustworthy answer came back, the file is sent again once, unless it is a stream that
        cannot be read again. The call may take the client's ``timeout``, and a second more for each
        128 KiB. A connection that stands still is given up earlier, after the ``attempt_timeout``
        of the client's ``RetryPolicy``.

        Args:
            file: A path, bytes, a binary file object, or an async stream of bytes. A file object is
                read from its current position, and stays open.
            kind: The file's purpose. A picture is a jpg, jpeg, png or gif of at most 10 MiB. A
                ``file`` may also be an mp4, pdf, zip, docx or txt, of at most 117 MiB.
            name: Its name, with its ending. Needed for bytes, and for streams without a name.
            mime_type: For example ``image/png``; by the name if left out.

        Returns:
            The upload as RMZ keeps it. Keep its id: RMZ shows the id of a file nowhere else.

        Raises:
            InvalidRequestError: The file is too large, or not of an allowed type, found here or by
                RMZ.
            OSError: The file cannot be read.
            OutcomeUnknownError: No trustworthy answer came back; uploading it again is safe.

        Source: https://docs.rmz.gg/merchant-api/products/upload-media
        """
        upload = await _uploading.prepared(
            Validation(operations.PRODUCTS_UPLOAD),
            file,
            kind=kind,
            name=name,
            mime_type=mime_type,
            timeout_without=self._transport.options.timeout,
        )
        return await self._transport.call(
            Call(
                operation=operations.PRODUCTS_UPLOAD,
                returns=Media,
                query={"type": MediaKind(kind).value},
                upload=upload,
            )
        )

    async def create(
        self,
        *,
        name: str,
        kind: ProductType | ProductKind,
        price: Decimal | int,
        cost_price: Decimal | int,
        image: Media | int,
        slug: str | None = None,
        description: str | None = None,
        activation_info: str | None = None,
        marketing_title: str | None = None,
        status: ProductStatus | int | None = None,
        show_reviews: bool | None = None,
        is_noticeable: bool | None = None,
        discount_price: Decimal | int | None = None,
        discount_expiry: date | None = None,
        stock: int | None = None,
        min_qty: int | None = None,
        max_purchase_count: int | None = None,
        image_ulid: str | None = None,
        files: Sequence[Media | int] | None = None,
        extra_images: Sequence[Media | int] | None = None,
        categories: Sequence[int] | None = None,
        benefits: Sequence[int] | None = None,
        fields: Sequence[SelectField] | None = None,
        display: Mapping[str, Any] | None = None,
        seo: Mapping[str, Any] | None = None,
    ) -> Product:
        """Put a new product on sale.

        This call is never sent again once it may have arrived, because a second one makes a second
        product. Pass a ``slug`` of your own: RMZ refuses a second product of the same slug.

        Args:
            name: Not empty.
            kind: The goods: ``CodeStock``, ``SubscriptionPlans``, ``LicenseTerms`` or ``Course``
                with what is particular to it, or a ``ProductType`` that needs no more.
            price: In the store's currency, 0 or more, with at most 2 decimals. A subscription costs
                what its plan says.
            cost_price: The cost to the shop, in the same form.
            image: The result of ``upload`` for ``kind="image"``, or its id.
            slug: Its name in addresses, unique in the store; RMZ makes one if left out.
            description: May be HTML.
            activation_info: Shown to the buyer after the purchase; may be HTML.
            marketing_title: A line beside the name.
            status: Whether it can be bought.
            show_reviews: Whether the shop shows its reviews.
            is_noticeable: Whether an order may have a note.
            discount_price: In the store's currency, with at most 2 decimals.
            discount_expiry: The day on which the discount ends.
            stock: How many there are, 0 or more; RMZ counts codes by itself.
            min_qty: The smallest quantity that can be ordered, 1 or more.
            max_purchase_count: How many can be sold in all, 1 or more.
            image_ulid: The id of an image in RMZ's own library.
            files: The buyer's downloads: results of ``upload`` for ``kind="file"``.
            extra_images: More pictures: results of ``upload`` for ``kind="extra_image"``.
            categories: The ids of its categories.
            benefits: The ids of its benefits.
            fields: The choices of a customer.
            display: Settings of how the shop shows it, as RMZ's dashboard keeps them.
            seo: Texts for search engines, as RMZ's dashboard keeps them.

        Returns:
            The product as RMZ made it; all times in UTC.

        Raises:
            InvalidRequestError: A field breaks a rule, found here or by RMZ; nothing was made.
            NotFoundError: An uploaded file is not there, or is another store's; nothing was made.
            PermissionDeniedError: The store's plan does not include it; nothing was made.
            OutcomeUnknownError: No trustworthy answer came back; the product may be there.

        Source: https://docs.rmz.gg/merchant-api/products/create-product
        """
        check = Validation(operations.PRODUCTS_CREATE)
        body = product_body(
            check,
            required=("name", "kind", "price", "cost_price", "image"),
            given={
                "name": name,
                "kind": kind,
                "price": price,
                "cost_price": cost_price,
                "image": image,
                "slug": slug,
                "description": description,
                "activation_info": activation_info,
                "marketing_title": marketing_title,
                "status": status,
                "show_reviews": show_reviews,
                "is_noticeable": is_noticeable,
                "discount_price": discount_price,
                "discount_expiry": discount_expiry,
                "stock": stock,
                "min_qty": min_qty,
                "max_purchase_count": max_purchase_count,
                "image_ulid": image_ulid,
                "files": files,
                "extra_images": extra_images,
                "categories": categories,
                "benefits": benefits,
                "fields": fields,
                "display": display,
                "seo": seo,
            },
        )
        check.finish()
        return await self._transport.call(
            Call(operation=operations.PRODUCTS_CREATE, returns=Product, body=body)
        )

    async def update(
        self,
        product_id: int,
        *,
        slug: str,
        image: Media | int | None,
        files: Sequence[Media | int] | None,
        extra_images: Sequence[Media | int] | None,
        name: str | None = None,
        kind: ProductType | ProductKind | None = None,
        price: Decimal | int | None = None,
        cost_price: Decimal | int | None = None,
        description: str | None = None,
        activation_info: str | None = None,
        marketing_title: str | None = None,
        status: ProductStatus | int | None = None,
        show_reviews: bool | None = None,
        is_noticeable: bool | None = None,
        discount_price: Decimal | int | None = None,
        discount_expiry: date | None = None,
        stock: int | None = None,
        min_qty: int | None = None,
        max_purchase_count: int | None = None,
        image_ulid: str | None = None,
        categories: Sequence[int] | None = None,
        benefits: Sequence[int] | None = None,
        fields: Sequence[SelectField] | None = None,
        display: Mapping[str, Any] | None = None,
        seo: Mapping[str, Any] | None = None,
    ) -> Product:
        """Replace a product.

        RMZ **replaces** and does not merge, which loses what you leave out: ``CodeStock`` replaces
        the whole unsold stock, a plan that is missing in ``SubscriptionPlans`` is deleted, and
        images and files that are not named are removed. So ``image``, ``files`` and
        ``extra_images`` must always be passed: name those that are to stay.

        This call is never sent again once it may have arrived: codes that were sold meanwhile would
        be put on sale again.

        Args:
            product_id: Positive integer.
            slug: Its name in addresses; RMZ needs it also if it stays as it is.
            image: The picture that it has afterwards, for example the ``image.id`` that you read;
                None removes it.
            files: All files that it has afterwards; None or an empty list removes them.
            extra_images: All other pictures that it has afterwards; None or an empty list removes
                them.
            name: Not empty.
            kind: Everything particular to its type; None leaves codes and plans as they are.
            price: In the store's currency, 0 or more, with at most 2 decimals.
            cost_price: The cost to the shop, in the same form.
            description: May be HTML.
            activation_info: Shown to the buyer after the purchase; may be HTML.
            marketing_title: A line beside the name.
            status: Whether it can be bought.
            show_reviews: Whether the shop shows its reviews.
            is_noticeable: Whether an order may have a note.
            discount_price: In the store's currency, with at most 2 decimals.
            discount_expiry: The day on which the discount ends.
            stock: How many there are, 0 or more; RMZ counts codes by itself.
            min_qty: The smallest quantity that can be ordered, 1 or more.
            max_purchase_count: How many can be sold in all, 1 or more.
            image_ulid: The id of an image in RMZ's own library.
            categories: The ids of all its categories, which replace those that it has.
            benefits: The ids of all its benefits, which replace those that it has.
            fields: The choices of a customer.
            display: Settings of how the shop shows it, as RMZ's dashboard keeps them.
            seo: Texts for search engines, as RMZ's dashboard keeps them.

        Returns:
            The product as it is now; all times in UTC.

        Raises:
            InvalidRequestError: A field breaks a rule, found here or by RMZ; nothing was changed.
            NotFoundError: There is no such product in this store, or an uploaded file is not there.
            PermissionDeniedError: The store's plan does not include it; nothing was changed.
            OutcomeUnknownError: No trustworthy answer came back; it may have been replaced.

        Source: https://docs.rmz.gg/merchant-api/products/update-product
        """
        check = Validation(operations.PRODUCTS_UPDATE)
        product_id = check.identifier("id", product_id)
        body = product_body(
            check,
            required=("slug",),
            given={
                "name": name,
                "kind": kind,
                "price": price,
                "cost_price": cost_price,
                "image": image,
                "slug": slug,
                "description": description,
                "activation_info": activation_info,
                "marketing_title": marketing_title,
                "status": status,
                "show_reviews": show_reviews,
                "is_noticeable": is_noticeable,
                "discount_price": discount_price,
                "discount_expiry": discount_expiry,
                "stock": stock,
                "min_qty": min_qty,
                "max_purchase_count": max_purchase_count,
                "image_ulid": image_ulid,
                "files": files,
                "extra_images": extra_images,
                "categories": categories,
                "benefits": benefits,
                "fields": fields,
                "display": display,
                "seo": seo,
            },
        )
        check.finish()
        return await self._transport.call(
            Call(
                operation=operations.PRODUCTS_UPDATE,
                returns=Product,
                object_id=product_id,
                body=body,
            )
        )
