"""Sessions of the pages that RMZ hosts: the checkout and the billing portal."""

from datetime import datetime

import attrs

from rmz_async.models._model import Model, model

__all__ = ("CheckoutSession", "PortalSession")


@model(kw_only=True)
class CheckoutSession(Model):
    """A page on which one customer can pay for one variant.

    Source: https://docs.rmz.gg/merchant-api/subscriptions/create-checkout-session
    """

    checkout_url: str = attrs.field(repr=False)
    """The page to send the customer to; hidden in ``repr``. Anyone who has it can pay."""

    session_id: str | None = None
    """The session's name at RMZ."""

    expires_at: datetime | None = None
    """UTC; 7 minutes after the creation."""


@model(kw_only=True)
class PortalSession(Model):
    """A page on which one customer can manage their subscriptions.

    Source: https://docs.rmz.gg/merchant-api/portal-sessions/create-portal-session
    """

    url: str = attrs.field(repr=False)
    """The page to send the customer to; works once, and is hidden in ``repr``."""

    expires_at: datetime | None = None
    """UTC."""
