"""Sessions of the pages that RMZ hosts: the checkout and the billing portal."""

from datetime import datetime

import attrs

from rmz_async.models._model import Model, model

__all__ = ("CheckoutSession", "PortalSession")


@model
class CheckoutSession(Model):
    """A page on which one customer can pay for one variant.

    Attributes:
        session_id: RMZ's name for the session.
        checkout_url: Where to send the customer. Whoever has it can pay, and nothing more.
        expires_at: UTC; 7 minutes after the creation.

    Source: https://docs.rmz.gg/merchant-api/subscriptions/create-checkout-session
    """

    checkout_url: str = attrs.field(repr=False)
    session_id: str | None = None
    expires_at: datetime | None = None


@model
class PortalSession(Model):
    """A page on which one customer can manage their subscriptions.

    Attributes:
        url: Where to send the customer; works once, and is not shown in the repr.
        expires_at: UTC.

    Source: https://docs.rmz.gg/merchant-api/portal-sessions/create-portal-session
    """

    url: str = attrs.field(repr=False)
    expires_at: datetime | None = None
