"""Sessions of the hosted checkout."""

from __future__ import annotations

from collections.abc import Mapping

from rmz_async import operations
from rmz_async._calls.call import Call
from rmz_async._http.base_url import URLObject
from rmz_async._transport import Transport
from rmz_async.models import CheckoutSession, NewCustomer
from rmz_async.resources._validation import Validation

__all__ = ("CheckoutSessions",)


class CheckoutSessions:
    """Send customers to a page on which they pay for a subscription."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(
        self,
        *,
        product_id: int,
        variant_id: int,
        customer: NewCustomer | int,
        success_url: str | URLObject,
        cancel_url: str | URLObject,
        metadata: Mapping[str, str] | None = None,
        external_customer_id: str | None = None,
    ) -> CheckoutSession:
        """Create a session, which lives 7 minutes.

        After the payment RMZ sends the customer to *success_url* with ``rmz-subscription-id`` added
        to its query. That is no proof of payment, as anyone can type another id: read the
        subscription and compare its ``external_customer_id`` with the customer who came back.

        The call is retried once if no answer came back: a session without a payment costs nothing.

        Args:
            product_id: Positive integer; a product that is subscribed to.
            variant_id: Positive integer; one of the product's variants.
            customer: A customer's id, or who they are.
            success_url: Absolute http or https URL.
            cancel_url: Absolute http or https URL; a customer who does not pay goes there.
            metadata: At most 20 keys, with strings of at most 500 characters as values; comes back
                with the subscription and in its webhooks.
            external_customer_id: At most 191 characters; your own id of the customer, by which
                ``subscriptions.lookup`` finds them.

        Returns:
            The address to send the customer to, and its end (UTC).

        Raises:
            InvalidRequestError: A field breaks a rule, found here or by RMZ; nothing was created.
            NotFoundError: There is no such product or variant, or no such customer.
            OutcomeUnknownError: No trustworthy answer came back; creating another session is
                harmless.

        Source: https://docs.rmz.gg/merchant-api/subscriptions/create-checkout-session
        """
        check = Validation(operations.CHECKOUT_SESSIONS_CREATE)
        product_id = check.identifier("product_id", product_id)
        variant_id = check.identifier("variant_id", variant_id)
        who = check.customer("customer", customer, NewCustomer)
        success_address = check.url("success_url", success_url)
        cancel_address = check.url("cancel_url", cancel_url)
        if metadata is not None:
            check.metadata("metadata", metadata)
        if external_customer_id is not None:
            check.text("external_customer_id", external_customer_id)
        check.finish()
        return await self._transport.call(
            Call(
                operation=operations.CHECKOUT_SESSIONS_CREATE,
                returns=CheckoutSession,
                body={
                    "product_id": product_id,
                    "variant_id": variant_id,
                    "customer": who,
                    "success_url": success_address,
                    "cancel_url": cancel_address,
                    "metadata": None if metadata is None else dict(metadata),
                    "external_customer_id": external_customer_id,
                },
            )
        )
