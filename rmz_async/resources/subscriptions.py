"""Subscriptions: read them, and change their course."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Literal, cast, overload

from rmz_async import operations
from rmz_async._calls.call import Call, Settlement
from rmz_async._transport import Transport
from rmz_async.models import PhoneNumber, Subscription, SubscriptionLookup
from rmz_async.operations import Operation
from rmz_async.pagination import Page, Pager
from rmz_async.resources import _settling
from rmz_async.resources._settling import Compare
from rmz_async.resources._validation import Validation, checked_id

__all__ = ("Subscriptions",)


class Subscriptions:
    """Read a store's subscriptions, and cancel, pause, unpause or extend them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, subscription_id: int) -> Subscription:
        """Read one subscription.

        Args:
            subscription_id: Positive integer.

        Returns:
            The subscription as it is now; all times in UTC.

        Raises:
            NotFoundError: There is no such subscription in this store.

        Source: https://docs.rmz.gg/merchant-api/subscriptions/get-subscription
        """
        subscription_id = checked_id(operations.SUBSCRIPTIONS_GET, subscription_id)
        return await self._transport.call(_read(subscription_id))

    def list(
        self,
        *,
        customer_email: str | None = None,
        customer_phone: str | None = None,
        customer_country_code: str | int | None = None,
        page: int = 1,
    ) -> Pager[Subscription]:
        """List the store's subscriptions, 15 a page.

        Nothing is sent before the first item or page is asked for. RMZ documents no order for this
        list. No subscription comes twice in one walk, and one that moves to an earlier page
        meanwhile is missed.

        Args:
            customer_email: Only this customer's; at most 191 characters.
            customer_phone: Only this customer's; 5 to 15 digits, written as in
                :class:`~rmz_async.PhoneNumber`.
            customer_country_code: Dial code of that phone number, 1 to 5 digits.
            page: The page to begin with, 1 or more.

        Returns:
            A list; walk it, walk its ``pages()``, or take its ``first()`` page.

        Raises:
            InvalidRequestError: A field breaks a rule; nothing was sent.

        Source: https://docs.rmz.gg/merchant-api/subscriptions/list-subscriptions
        """
        check = Validation(operations.SUBSCRIPTIONS_LIST)
        page = check.identifier("page", page)
        if customer_email is not None:
            check.email("customerEmail", customer_email)
        code = phone = None
        if customer_country_code is not None:
            code = check.dial_code("customerCountryCode", customer_country_code)
        if customer_phone is not None:
            phone = check.phone("customerPhone", customer_phone, code)
        check.finish()
        query = {
            "customerEmail": customer_email,
            "customerPhone": phone,
            "customerCountryCode": code,
        }

        async def fetch(number: int) -> Page[Subscription]:
            return await self._transport.call(
                Call(
                    operation=operations.SUBSCRIPTIONS_LIST,
                    returns=Page[Subscription],
                    query={"page": number, **query},
                )
            )

        return Pager(fetch, page=page)

    async def lookup(
        self,
        *,
        external_customer_id: str | None = None,
        email: str | None = None,
        phone: PhoneNumber | None = None,
        product_id: int | None = None,
        include_inactive: bool = False,
    ) -> SubscriptionLookup:
        """Find the subscriptions of one customer.

        To decide on access, pass ``include_inactive=True`` and ask each subscription's
        ``grants_access``: without it RMZ leaves out customers whose payment is being retried
        (``past_due``), who still have access.

        Args:
            external_customer_id: Your own id of the customer, given at the checkout; at most 191
                characters. This, *email* or *phone* is needed.
            email: At most 191 characters.
            phone: The customer's number.
            product_id: Only subscriptions to this product.
            include_inactive: Also those that RMZ does not count as active.

        Returns:
            At most 50 subscriptions; none is no error.

        Raises:
            InvalidRequestError: No customer is named, or a field breaks a rule.
            PermissionDeniedError: The store's plan does not include the API.

        Source: https://docs.rmz.gg/merchant-api/subscriptions/lookup-subscriptions
        """
        check = Validation(operations.SUBSCRIPTIONS_LOOKUP)
        number: dict[str, object] = {}
        if external_customer_id is not None:
            check.text("external_customer_id", external_customer_id)
        if email is not None:
            check.email("email", email)
        if phone is not None and check.require(
            "phone", isinstance(cast("object", phone), PhoneNumber), "must be a PhoneNumber"
        ):
            number = check.phone_number("", phone.country_code, phone.phone)
        check.require(
            "external_customer_id",
            not (external_customer_id is None and email is None and phone is None),
            "or email or phone must be given",
        )
        if product_id is not None:
            product_id = check.identifier("product_id", product_id)
        # The string "false" would be true.
        is_flag = isinstance(cast("object", include_inactive), bool)
        check.require("include_inactive", is_flag, "must be True or False")
        check.finish()
        return await self._transport.call(
            Call(
                operation=operations.SUBSCRIPTIONS_LOOKUP,
                returns=SubscriptionLookup,
                query={
                    "external_customer_id": external_customer_id,
                    "email": email,
                    **number,
                    "product_id": product_id,
                    "include_inactive": True if include_inactive else None,
                },
            )
        )

    async def cancel(
        self,
        subscription_id: int,
        *,
        effective: Literal["end_of_period", "immediate"] = "end_of_period",
    ) -> Subscription:
        """Cancel a subscription, with its period or immediately.

        If no trustworthy answer comes back, the subscription is read back: if it is canceled, it is
        returned, and if not, the call is retried once.

        Args:
            subscription_id: Positive integer.
            effective: ``end_of_period`` keeps it ``active``, with ``cancel_at_period_end``, until
                the paid period ends; ``immediate`` ends access now.

        Returns:
            The subscription, perhaps with part of its keys only.

        Raises:
            NotFoundError: There is no such subscription in this store.
            ConflictError: The subscription is canceled or expired already.
            OutcomeUnknownError: The cancellation may have been applied, or not.

        Source: https://docs.rmz.gg/merchant-api/subscriptions/cancel-subscription
        """
        check = Validation(operations.SUBSCRIPTIONS_CANCEL)
        subscription_id = check.identifier("id", subscription_id)
        check.require(
            "effective",
            effective in ("end_of_period", "immediate"),
            "must be end_of_period or immediate",
        )
        check.finish()
        return await self._change(
            operations.SUBSCRIPTIONS_CANCEL,
            subscription_id,
            {"effective": effective},
            _settling.canceled(effective),
            _settling.refuses_cancel(effective),
        )

    async def pause(self, subscription_id: int) -> Subscription:
        """Pause a subscription: access ends now, and the days that are paid for are kept.

        If no trustworthy answer comes back, the subscription is read back: if it is paused, it is
        returned, and if not, the call is retried once.

        Args:
            subscription_id: Positive integer.

        Returns:
            The subscription, perhaps with part of its keys only.

        Raises:
            NotFoundError: There is no such subscription in this store.
            ConflictError: The subscription is not ``active``.
            OutcomeUnknownError: The pause may have been applied, or not.

        Source: https://docs.rmz.gg/merchant-api/subscriptions/pause-subscription
        """
        subscription_id = checked_id(operations.SUBSCRIPTIONS_PAUSE, subscription_id)
        return await self._change(
            operations.SUBSCRIPTIONS_PAUSE,
            subscription_id,
            None,
            _settling.paused,
            _settling.refuses_pause,
        )

    async def unpause(self, subscription_id: int) -> Subscription:
        """End the pause of a subscription: a period of the days that were kept begins now.

        If no trustworthy answer comes back, the subscription is read back: if it is active, it is
        returned, and if it is still paused, the call is retried once.

        Args:
            subscription_id: Positive integer.

        Returns:
            The subscription, perhaps with part of its keys only.

        Raises:
            NotFoundError: There is no such subscription in this store.
            ConflictError: The subscription is not ``paused``.
            OutcomeUnknownError: The pause may have been ended, or not.

        Source: https://docs.rmz.gg/merchant-api/subscriptions/unpause-subscription
        """
        subscription_id = checked_id(operations.SUBSCRIPTIONS_UNPAUSE, subscription_id)
        return await self._change(
            operations.SUBSCRIPTIONS_UNPAUSE,
            subscription_id,
            None,
            _settling.unpaused,
            _settling.refuses_unpause,
        )

    @overload
    async def extend(self, subscription: int | Subscription, *, days: int) -> Subscription: ...

    @overload
    async def extend(self, subscription: int | Subscription, *, months: int) -> Subscription: ...

    async def extend(
        self,
        subscription: int | Subscription,
        *,
        days: int | None = None,
        months: int | None = None,
    ) -> Subscription:
        """Add days to the paid period.

        Extensions add up, and RMZ refuses an equal one for 10 seconds only: so this call is never
        sent twice. If no trustworthy answer comes back, the client can only compare the period's
        end before and after. For this it needs the subscription that you have read, instead of its
        id.

        Args:
            subscription: The subscription as you have just read it, or its id.
            days: 1 to 365. Pass either *days* or *months*.
            months: 1 to 24; a month is 30 days.

        Returns:
            The subscription with its new ``current_period_end`` (UTC), perhaps with part of its
            keys only.

        Raises:
            NotFoundError: There is no such subscription in this store.
            ConflictError: The subscription is canceled or expired.
            RateLimitError: An equal extension was made less than 10 seconds ago.
            OutcomeUnknownError: The extension may have been applied, or not: read the subscription
                before you extend it again.

        Source: https://docs.rmz.gg/merchant-api/subscriptions/extend-subscription
        """
        baseline = subscription if isinstance(subscription, Subscription) else None
        subscription_id = (
            subscription.id if isinstance(subscription, Subscription) else subscription
        )
        check = Validation(operations.SUBSCRIPTIONS_EXTEND)
        subscription_id = check.identifier("id", subscription_id)
        if (days is None) == (months is None):
            check.require("days", False, "or months must be given, and not both")
        elif days is not None:
            days = check.integer("days", days, 1, 365)
        else:
            months = check.integer("months", months, 1, 24)
        check.finish()
        compare = None
        if baseline is not None:
            added = timedelta(days=days if days is not None else 30 * (months or 0))
            compare = _settling.extended(baseline, added)
        return await self._change(
            operations.SUBSCRIPTIONS_EXTEND,
            subscription_id,
            {"days": days, "months": months},
            compare,
        )

    async def _change(
        self,
        operation: Operation,
        subscription_id: int,
        body: dict[str, object] | None,
        compare: Compare | None,
        explains: Callable[[Subscription], bool] = _settling.never,
    ) -> Subscription:
        settlement = None
        if compare is not None:
            settlement = Settlement(
                read=_read(subscription_id), compare=compare, result=_as_it_is, explains=explains
            )
        return await self._transport.call(
            Call(
                operation=operation,
                returns=Subscription,
                object_id=subscription_id,
                body=body,
                settlement=settlement,
            )
        )


def _read(subscription_id: int) -> Call[Subscription]:
    return Call(
        operation=operations.SUBSCRIPTIONS_GET, returns=Subscription, object_id=subscription_id
    )


def _as_it_is(found: Subscription) -> Subscription:
    return found
