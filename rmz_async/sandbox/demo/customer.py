"""The customer: someone with a browser and a phone."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import httpx

from rmz_async.sandbox.demo.telling import check
from rmz_async.sandbox.serving.paying import card_form
from rmz_async.sandbox.store.cards import TestCard

__all__ = ("Customer", "subscription_of")


class Customer:
    """Fills in the forms of the sandbox's pages, as a browser does."""

    def __init__(self, origin: str, phone: str) -> None:
        self._phone = phone
        self._browser = httpx.AsyncClient(
            base_url=origin, cookies={"rmz-language": "en"}, trust_env=False
        )

    async def pay(self, checkout_url: str, card: TestCard, now: datetime) -> str:
        """Pay on a checkout page; return the address that the page leads to."""
        page = await self._browser.get(checkout_url)
        check(page.status_code == 200, "the checkout page opens")
        answer = await self._browser.post(f"{checkout_url}/pay", data=card_form(card.number, now))
        check(answer.is_redirect, "the payment leads back to the shop")
        location: str = answer.headers["location"]
        return location

    async def enter_portal(self, url: str) -> None:
        """Use a portal's link, and type the code that came to the phone."""
        await self._post(url)
        messages = await self._browser.get("/messages.json", params={"to": self._phone})
        code = re.findall(r"\d{6}", messages.json()[0]["text"])[0]
        await self._post("/portal/code", {"code": code})

    async def change_card(self, subscription_id: int, card: TestCard, now: datetime) -> None:
        """Give the subscription another card."""
        await self._post(
            f"/portal/subscriptions/{subscription_id}/card", card_form(card.number, now)
        )

    async def cost_of_plan(self, subscription_id: int, variant_id: int) -> str:
        """Return what the portal shows as due today for another plan."""
        page = await self._browser.get(f"/portal/subscriptions/{subscription_id}/plan/{variant_id}")
        shown = re.findall(r'class="total"><dt>.*?</dt><dd><bdi>(.*?)</bdi>', page.text)
        check(len(shown) == 1, "the portal shows what the plan costs today")
        cost: str = shown[0]
        return cost.replace("\xa0", " ")

    async def change_plan(self, subscription_id: int, variant_id: int) -> None:
        """Confirm another plan."""
        await self._post(f"/portal/subscriptions/{subscription_id}/plan/{variant_id}")

    async def close(self) -> None:
        """Close the browser."""
        await self._browser.aclose()

    async def _post(self, address: str, form: dict[str, str] | None = None) -> None:
        answer = await self._browser.post(address, data=form)
        check(answer.is_redirect, f"the form at {urlsplit(address).path} is accepted")


def subscription_of(address: str) -> int:
    """Return the subscription that a success address names."""
    named = parse_qs(urlsplit(address).query).get("rmz-subscription-id", [])
    check(len(named) == 1, "the address names one subscription")
    return int(named[0])
