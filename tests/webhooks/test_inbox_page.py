"""The page for people: what it shows, in two languages, and what it never shows."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import attrs
import httpx
import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from starlette.applications import Starlette
from starlette.routing import Mount

from rmz_async.integrations import inbox_page as package
from rmz_async.integrations.inbox_page import inbox_page
from rmz_async.webhooks import Event, Receiver
from tests.seams import RECONCILED
from tests.webhooks.receiving import SECRET, deliver, deliver_events
from tests.webhooks.storages import delivery

pytestmark = pytest.mark.anyio

HERE = Path(str(package.__file__)).parent
Browser = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def filled(receiver: Receiver) -> Receiver:
    """A receiver with an event that failed, one that is done, and one that cannot be read."""

    @receiver.on("*", name="renew", max_attempts=1)
    def renew(event: Event) -> None:
        if event.dedupe_key == "bad":
            raise LookupError("<b>sara@example.com</b>")

    await deliver_events(receiver, "good", "bad")
    await receiver.drain()
    await deliver(receiver, b"[]")
    return receiver


@pytest.fixture
async def browse(filled: Receiver) -> AsyncIterator[Browser]:
    """Opens a browser on the page, mounted in an application."""
    open_browsers: list[httpx.AsyncClient] = []

    def open_browser(**options: bool) -> httpx.AsyncClient:
        app = Starlette(routes=[Mount("/inbox", inbox_page(filled, **options))])
        browser = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="https://shop.example/inbox/"
        )
        open_browsers.append(browser)
        return browser

    yield open_browser
    for browser in open_browsers:
        await browser.aclose()


async def test_the_list_shows_states_and_no_personal_data(browse: Browser) -> None:
    answer = await browse().get("")

    assert answer.status_code == 200
    assert 'lang="en" dir="ltr"' in answer.text
    for word in ("subscription.renewed", "subscription:501", "failed", "unreadable", "done"):
        assert word in answer.text
    assert "sara" not in answer.text
    assert SECRET not in answer.text


async def test_the_list_can_be_narrowed_and_read_on(
    browse: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state or a number that makes no sense is left aside."""
    monkeypatch.setattr("rmz_async.integrations.inbox_page.application.ROWS", 2)
    browser = browse()
    first = (await browser.get("")).text
    assert "before=2" in first
    assert ">Older<" in first
    older = (await browser.get("", params={"before": "2"})).text
    assert ">Older<" not in older
    dead = (await browser.get("", params={"state": "dead"})).text
    assert (dead.count("<tr>"), older.count("<tr>")) == (2, 2)
    assert (await browser.get("", params={"state": "x", "before": "²"})).text.count("<tr>") == 3


async def test_an_empty_inbox_says_so(address: str) -> None:
    receiver = Receiver(secrets=[SECRET], inbox=address)
    transport = httpx.ASGITransport(app=inbox_page(receiver))
    async with httpx.AsyncClient(transport=transport, base_url="https://shop.example") as browser:
        assert "There are no deliveries." in (await browser.get("/")).text
    await receiver.aclose()


@pytest.mark.parametrize(
    ("query", "accept", "direction"),
    [
        ("", "ar-SA,ar;q=0.9,en;q=0.8", "rtl"),
        ("ar", "en", "rtl"),
        ("en", "ar", "ltr"),
        ("", "fr", "ltr"),
    ],
)
async def test_a_page_speaks_the_language_of_its_reader(
    browse: Browser, query: str, accept: str, direction: str
) -> None:
    answer = await browse().get("", params={"lang": query}, headers={"Accept-Language": accept})

    assert f'dir="{direction}"' in answer.text
    assert ("صندوق الوارد" in answer.text) == (direction == "rtl")


async def test_a_delivery_shows_its_content_only_if_that_is_allowed(browse: Browser) -> None:
    """An error's message may name a person; nothing of it becomes HTML."""
    plain = (await browse().get("2")).text
    full = (await browse(show_content=True).get("2")).text

    assert "LookupError" in plain
    assert "sara" not in plain
    assert "LookupError: &lt;b&gt;sara@example.com" in full
    assert "usr_abc123" in full


async def test_a_body_has_a_line_for_each_field(browse: Browser, filled: Receiver) -> None:
    """A body that is no JSON is shown as it came."""
    await deliver(filled, b"\xe9 <b>")
    lines = [line.strip() for line in (await browse(show_content=True).get("2")).text.split("\n")]

    assert "&#34;event_id&#34;: &#34;bad&#34;," in lines
    assert "\\xe9 &lt;b&gt;" in (await browse(show_content=True).get("4")).text


@pytest.mark.parametrize(
    "content",
    [
        '{"total": 1.10}',
        '{"total": 1e400}',
        '{"id": 1, "id": 2}',
        '{"total": 0.1234567890123456789}',
    ],
)
async def test_a_body_that_lines_would_change_is_shown_as_it_came(
    browse: Browser, filled: Receiver, content: str
) -> None:
    """A person who compares it with RMZ's dashboard must not see another number."""
    body = f'{{"event":"odd","data":{content}}}'
    await deliver(filled, body.encode())

    shown = html.unescape((await browse(show_content=True).get("4")).text)
    assert body in shown


async def test_a_body_with_half_a_character_is_shown(browse: Browser, filled: Receiver) -> None:
    """JSON can name it, and no page can hold it."""
    await deliver(filled, b'{"event":"odd","data":{"name":"Sa\\ud800ra","price":9.5}}')

    shown = html.unescape((await browse(show_content=True).get("4")).text)
    assert '"name": "Sa\\ud800ra",\n    "price": 9.5' in shown


@pytest.mark.parametrize(
    "number", ["9" * 19, "9" * 5000, "-1", "٣", "1.0"], ids=lambda text: text[:9]
)
async def test_a_number_that_no_delivery_has_is_not_found(
    browse: Browser, filled: Receiver, number: str
) -> None:
    """Python refuses to read a number of some thousands of digits."""
    browser = browse(allow_changes=True)

    assert (await browser.get(number)).status_code == 404
    assert (await browser.get("", params={"before": number})).status_code == 200
    answer = await browser.post(f"{number}/replay", follow_redirects=True)
    assert answer.status_code == 404
    assert (await filled.stats()).waiting == 0


async def test_a_time_says_that_it_is_utc(browse: Browser) -> None:
    for path in ("", "2"):
        assert " UTC</" in (await browse().get(path)).text


async def test_what_cannot_be_read_says_why(browse: Browser) -> None:
    page = (await browse().get("3")).text

    assert "the delivery is not an event" in page
    assert "no handler" in page
    assert (await browse().get("9")).status_code == 404


async def test_the_page_is_read_only_unless_changes_are_allowed(
    browse: Browser, filled: Receiver
) -> None:
    assert "<button>" not in (await browse().get("2")).text
    assert (await browse().post("2/replay")).status_code == 404
    browser = browse(allow_changes=True)
    assert "<button>" in (await browser.get("2")).text
    answer = await browser.post("2/replay", headers={"Origin": "https://shop.example"})

    assert (answer.status_code, answer.headers["location"]) == (303, "https://shop.example/inbox/2")
    assert (await filled.stats()).waiting == 1


async def test_a_form_leads_back_in_the_language_of_the_page(browse: Browser) -> None:
    browser = browse(allow_changes=True)
    action = (await browser.get("2?lang=ar")).text.partition('action="')[2].partition('"')[0]
    answer = await browser.post(f"https://shop.example{action}")

    assert answer.headers["location"] == "https://shop.example/inbox/2?lang=ar"


@pytest.mark.parametrize(
    ("language", "origin"),
    [("en", "Found by comparing with RMZ"), ("ar", "اكتُشف بالمقارنة مع RMZ")],
)
async def test_an_event_that_no_delivery_brought_says_so(
    browse: Browser, filled: Receiver, language: str, origin: str
) -> None:
    """The others say which secret fitted."""
    brought = attrs.evolve(delivery("found"), secret_index=RECONCILED)
    (number,) = filled.inbox.add([brought])
    browser = browse()
    found = (await browser.get(f"{number}", params={"lang": language})).text
    signed = (await browser.get("1", params={"lang": language})).text

    assert origin in found
    assert "<dd>-1</dd>" not in found
    assert origin not in signed
    assert "<dd>0</dd>" in signed


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://[shop.example"},
    ],
)
async def test_a_form_of_another_origin_is_refused(
    browse: Browser, filled: Receiver, headers: dict[str, str]
) -> None:
    answer = await browse(allow_changes=True).post("2/replay", headers=headers)

    assert answer.status_code == 403
    assert (await filled.stats()).waiting == 0


async def test_pages_run_only_their_own_scripts_and_stay_in_no_cache(browse: Browser) -> None:
    browser = browse()
    answer = await browser.get("")

    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "/inbox/htmx.js" in answer.text
    assert "htmx" in (await browser.get("htmx.js")).text
    assert (await browser.get("inbox.css")).headers["content-type"].startswith("text/css")


def test_every_word_of_the_templates_has_an_arabic_one() -> None:
    with (HERE / "locale/ar/LC_MESSAGES/inbox_page.po").open("rb") as file:
        catalogue = {str(row.id): row.string for row in read_po(file) if row.id}
    words = {
        str(message)
        for template in (HERE / "templates").glob("*.html")
        for _, message, *_ in extract_from_file("jinja2.ext:babel_extract", template)
    }

    assert catalogue.keys() == words
    assert all(catalogue.values())
