from __future__ import annotations

import httpx
import pytest
from playwright.sync_api import Page, expect

from rmz_async.sandbox import Served
from tests.browser.conftest import Camera


@pytest.fixture
def home(shop: Served) -> str:
    """The address of the dashboard."""
    return str(httpx.URL(shop.base_url).join("/"))


def ask(shop: Served) -> int:
    """Read a subscription as a program does; return the status."""
    answer = httpx.get(
        f"{shop.base_url}/subscriptions/501",
        headers={"Authorization": f"Bearer {shop.token}"},
        trust_env=False,
    )
    return answer.status_code


@pytest.mark.parametrize(
    "path",
    [
        "",
        "subscriptions",
        "customers",
        "orders",
        "webhooks",
        "requests",
        "deliveries",
        "faults",
        "calls",
        "snapshots",
        "worlds",
    ],
)
def test_each_section_can_be_read(page: Page, home: str, camera: Camera, path: str) -> None:
    """Nothing is cut off on a phone, and no reader is kept out."""
    page.goto(home + path)
    camera.look(page, f"dashboard-{path or 'overview'}")


def test_a_subscriptions_life_is_drawn(page: Page, home: str, shop: Served, camera: Camera) -> None:
    """A pause, failures and an end are on one axis."""
    page.goto(f"{home}subscriptions/501")
    page.locator("form[action$=pause] button").click()
    page.locator("form[action$=unpause] button").click()
    page.locator("[name=behaviour]").select_option("fails_at_renewal")
    page.locator("form[action$=card] button").click()
    shop.advance(days=800)
    page.goto(f"{home}subscriptions/501")
    expect(page.locator(".event.renewal_failed")).to_have_count(3)
    camera.look(page, "dashboard-subscription")


def test_the_clock_moves_by_a_click(page: Page, home: str, shop: Served) -> None:
    """The page stays in its place."""
    before = shop.sandbox.clock.now()
    page.goto(f"{home}orders")
    page.locator("form.clock button[name=days][value='31']").click()
    page.wait_for_url("**/orders")
    assert (shop.sandbox.clock.now() - before).days == 31


def test_an_open_page_follows_without_a_reload(page: Page, home: str, shop: Served) -> None:
    """A request of a program appears by itself."""
    page.goto(f"{home}requests")
    ask(shop)
    expect(page.get_by_text("GET /subscriptions/501")).to_be_visible()


def test_a_fault_is_made_and_removed_by_clicks(
    page: Page, home: str, shop: Served, camera: Camera
) -> None:
    """The open page shows each request that was spoiled."""
    page.goto(f"{home}faults")
    page.locator("[name=fault]").select_option("bad_gateway")
    page.locator("[name=on]").fill("GET /subscriptions/*")
    page.locator("form[action='/faults'] button").click()
    expect(page.locator("form[action$=remove]")).to_have_count(1)
    ask(shop)
    expect(page.get_by_text("GET /subscriptions/501")).to_be_visible()
    camera.look(page, "dashboard-fault")
    page.locator("form[action$=remove] button").click()
    expect(page.locator("form[action$=remove]")).to_have_count(0)
    assert ask(shop) == 200


def test_a_call_is_made_by_a_click(page: Page, home: str, camera: Camera) -> None:
    """The answer is open on the page that follows."""
    page.goto(f"{home}calls")
    page.locator("summary", has_text="/subscriptions/{id}/extend").click()
    camera.look(page, "dashboard-call")
    page.locator("details[open] button").click()
    expect(page.get_by_text("Subscription extended successfully")).to_be_visible()
    camera.look(page, "dashboard-answer")


def test_snapshots_are_saved_compared_and_restored_by_clicks(
    page: Page, home: str, shop: Served, camera: Camera
) -> None:
    """The differences are a table, also on a phone."""
    page.goto(f"{home}snapshots")
    page.locator("form.row input[name=name]").first.fill("after-trial")
    page.locator("button[value=save]").click()
    ask(shop)
    shop.advance(days=31)
    page.goto(f"{home}snapshots?first=after-trial")
    expect(page.get_by_role("cell", name="clock")).to_be_visible()
    camera.look(page, "dashboard-snapshots-compared")
    page.locator("button[value=restore]").click()
    page.wait_for_url("**/snapshots")
    assert not shop.ledger.renewals(503)


def test_a_colleagues_file_is_opened_by_a_click(page: Page, home: str, shop: Served) -> None:
    """The snapshot has the name in the file."""
    shop.snapshots.save("after-trial")
    content = shop.snapshots.content("after-trial")
    shop.snapshots.delete("after-trial")
    page.goto(f"{home}snapshots")
    file = {"name": "mine.json", "mimeType": "application/json", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type] # as its docs say
    page.locator("form[action$=file] button").click()
    expect(page.locator("button[value=restore]")).to_have_count(1)
    assert [one.name for one in shop.snapshots.list()] == ["after-trial"]


def test_a_delivery_is_opened_and_sent_again_by_clicks(
    page: Page, home: str, shop: Served, camera: Camera
) -> None:
    """The bodies of both directions fit on a phone."""
    shop.add_webhook(f"{home}nobody-takes-this")
    shop.emit("subscription.renewed", 501)
    shop.wait_delivered()
    page.goto(f"{home}deliveries")
    page.locator("summary").click()
    camera.look(page, "dashboard-delivery")
    page.locator("details[open] button").click()
    expect(page.locator("details")).to_have_count(2)


def test_messages_of_the_portal_can_be_read(
    page: Page, home: str, shop: Served, camera: Camera
) -> None:
    """Messages in two languages, beside a phone number."""
    for customer in (4501, 4502):
        answer = httpx.post(
            f"{shop.base_url}/portal-sessions",
            headers={"Authorization": f"Bearer {shop.token}"},
            json={"customer": {"id": customer}, "return_url": "https://app.example/account"},
            trust_env=False,
        )
        page.goto(answer.json()["data"]["url"])
        page.locator("form button").click()
        page.locator("[name=code]").wait_for()
    page.goto(f"{home}messages")
    expect(page.locator(".lines li")).to_have_count(2)
    camera.look(page, "messages")


def test_a_world_is_opened_and_left_by_clicks(page: Page, home: str, camera: Camera) -> None:
    """The world's pages say which one it is, and lead back."""
    page.goto(f"{home}worlds")
    page.locator("form.row input[name=name]").fill("gw0")
    page.locator("form.row button").click()
    page.wait_for_url("**/worlds/gw0/")
    camera.look(page, "dashboard-world")
    page.locator("header a[href$='/worlds']").click()
    expect(page.locator(".lines code")).to_have_count(1)
    camera.look(page, "dashboard-worlds-used")
