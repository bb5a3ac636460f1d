"""The page of the inbox, which a shop mounts behind the login of its staff."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Page, Route, expect

from rmz_async.integrations.inbox_page import inbox_page
from rmz_async.webhooks import Event, EventType, sample, sign
from rmz_sync.webhooks import Receiver
from tests.browser.conftest import Camera, Screen

SECRET = "S3CRETcanary-of-28-letters.."
HOME = "http://inbox.example/"


@pytest.fixture
def inbox(page: Page, screen: Screen, tmp_path: Path) -> Iterator[str]:
    """The address of the page; its deliveries are done, failed and unreadable."""
    receiver = Receiver(secrets=[SECRET], inbox=f"sqlite:///{tmp_path}/inbox.db")
    with closing(receiver):

        @receiver.on("*", name="renew_access_of_the_customer", max_attempts=1)
        def renew(event: Event) -> None:
            if event.dedupe_key == "bad":
                raise LookupError("there is no user usr_abc123")

        bodies = [sample(EventType.SUBSCRIPTION_RENEWED, event_id=key) for key in ("good", "bad")]
        for body in (*bodies, b"[]"):
            receiver.receive(body, {"Signature": sign(body, SECRET)})
        receiver.drain()
        app = inbox_page(receiver, allow_changes=True, show_content=True)
        # The browser asks its network, and not this test, for the target of a redirect.
        shop = httpx.AsyncClient(transport=httpx.ASGITransport(app), follow_redirects=True)
        with start_blocking_portal() as portal:

            def answer(route: Route) -> None:
                asked = route.request
                ask = partial(shop.request, asked.method, asked.url, headers=asked.headers)
                answered = portal.call(partial(ask, content=asked.post_data_buffer))
                route.fulfill(
                    status=answered.status_code,
                    headers=dict(answered.headers),
                    body=answered.content,
                )

            page.context.route(f"{HOME}**", answer)
            yield f"{HOME}?lang={screen.language}"


def test_the_inbox_is_read_and_a_delivery_run_again(page: Page, inbox: str, camera: Camera) -> None:
    """The list and each delivery fit on a phone, and nobody is kept out."""
    page.goto(inbox)
    expect(page.locator("tbody tr")).to_have_count(3)
    camera.look(page, "inbox")
    page.locator("tbody a").nth(1).click()
    expect(page.locator("dl")).to_be_visible()
    camera.look(page, "inbox-delivery")
    with page.expect_navigation():
        page.locator("form button").click()
    expect(page.locator("dl")).to_be_visible()
    camera.look(page, "inbox-replayed")
