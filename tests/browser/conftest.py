"""A real browser before a served sandbox; ``nox -s browser`` runs these tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from rmz_async.sandbox import Sandbox, Served

WIDTHS = (390, 1280)
# The package carries axe-core itself, as a script for the page.
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# A loaded machine is slow, and no test waits so long for what does not come.
expect.set_options(timeout=30_000)
# Rules of axe-core whose breach keeps somebody from using the page.
SEVERE = ("serious", "critical")


@attrs.frozen
class Screen:
    """How a page is looked at."""

    language: str
    width: int

    @property
    def name(self) -> str:
        """For ids and file names."""
        return f"{self.language}-{self.width}"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, driven by Playwright."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert found, "install Chromium, or name it in CHROMIUM"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=found,
            # Chromium's own sandbox does not start as root, as in most containers.
            args=["--no-sandbox"],
        )
        yield launched
        launched.close()


@pytest.fixture
def shop() -> Iterator[Served]:
    """A served sandbox."""
    with Sandbox().serve() as served:
        yield served


@pytest.fixture(
    params=[Screen(language, width) for language in ("ar", "en") for width in WIDTHS],
    ids=lambda screen: screen.name,
)
def screen(request: pytest.FixtureRequest) -> Screen:
    """Both languages, on a phone and on a desk."""
    found = request.param
    assert isinstance(found, Screen)
    return found


@pytest.fixture
def page(browser: Browser, screen: Screen, shop: Served) -> Iterator[Page]:
    """A page whose errors fail the test."""
    context = browser.new_context(viewport={"width": screen.width, "height": 900})
    host = httpx.URL(shop.base_url)
    context.add_cookies(
        [
            {
                "name": "rmz-language",
                "value": screen.language,
                "url": f"{host.scheme}://{host.netloc.decode()}",
            }
        ]
    )
    # The shop's own pages are elsewhere; the sandbox only leads there.
    context.route("https://app.example/**", lambda route: route.fulfill(body="the shop"))
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


@attrs.frozen
class Camera:
    """Takes a picture of each page, and checks that everybody can use it."""

    folder: Path
    screen: Screen

    def look(self, page: Page, name: str) -> None:
        """Save a picture, and fail on what a customer should not meet."""
        page.screenshot(path=self.folder / f"{name}-{self.screen.name}.png", full_page=True)
        width: int = page.evaluate("document.documentElement.scrollWidth")
        assert width <= self.screen.width, "the page is wider than the screen"
        page.evaluate(AXE)
        found: dict[str, Any] = page.evaluate("axe.run()")
        assert found["passes"], "axe-core has checked nothing"
        severe = [
            f"{rule['id']}: {node['html']}"
            for rule in found["violations"]
            if rule["impact"] in SEVERE
            for node in rule["nodes"]
        ]
        assert severe == []


@pytest.fixture
def camera(screen: Screen, tmp_path: Path) -> Camera:
    """Keeps the pictures in RMZ_PICTURES, if it is set."""
    folder = Path(os.environ.get("RMZ_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return Camera(folder, screen)


@pytest.fixture
def checkout(shop: Served) -> str:
    """The address of a checkout page that waits for its customer."""
    answer = httpx.post(
        f"{shop.base_url}/subscriptions/checkout-sessions",
        headers={"Authorization": f"Bearer {shop.token}"},
        json={
            "product_id": 102,
            "variant_id": 15,
            "customer": {"id": 4501},
            "success_url": "https://app.example/ok",
            "cancel_url": "https://app.example/no",
        },
        trust_env=False,
    )
    return str(answer.json()["data"]["checkout_url"])
