"""Pay on a hosted checkout page in a customer's place."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import httpx

__all__ = ("NotPaidError", "card_form", "pay_on_page")


class NotPaidError(Exception):
    """A checkout page did not take the payment; no subscription was made."""


async def pay_on_page(
    checkout_url: str, card_number: str, now: datetime, transport: httpx.AsyncBaseTransport
) -> int:
    """Send the card form of a checkout page, and the bank's form if there is one.

    Returns:
        The id of the subscription.

    Raises:
        NotPaidError: The page did not send the customer back to the shop.
    """
    async with httpx.AsyncClient(transport=transport) as browser:
        answer = await browser.post(f"{checkout_url}/pay", data=card_form(card_number, now))
        if _location(answer).endswith("/confirm"):
            answer = await browser.post(f"{checkout_url}/confirm", data={"answer": "approve"})
        query = parse_qs(urlsplit(_location(answer)).query)
    if "rmz-subscription-id" not in query:
        raise NotPaidError(
            f"the card that ends in {card_number[-4:]} did not pay: the checkout page answered "
            f"{answer.status_code}; no subscription was made, and another card may pay on the page"
        )
    return int(query["rmz-subscription-id"][-1])


def card_form(number: str, now: datetime) -> dict[str, str]:
    """Return the form of a test card, which is valid until the month of *now* ends."""
    return {"card_number": number, "card_expiry": f"{now:%m/%y}", "card_code": "123"}


def _location(answer: httpx.Response) -> str:
    location: str = answer.headers.get("location", "")
    return location
