"""The services of "In your framework", and of the page of each framework."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp.test_utils import TestClient, TestServer

import rmz_async
import rmz_sync.sandbox
from rmz_async.sandbox import Sandbox, Status
from rmz_async.webhooks import EventType, sample, sign
from tests.docs.pages import ROOT, Page
from tests.integrations.blocking import serving_wsgi
from tests.integrations.conftest import serving

FRAMEWORKS = sorted(path.stem for path in (ROOT / "docs" / "frameworks").glob("*.md"))
SECRET = "a-secret-of-28-characters-at"
EARLIER = sample(EventType.SUBSCRIPTION_CREATED)


def of(*frameworks: str) -> pytest.MarkDecorator:
    """Open the pages of frameworks."""
    pages = [f"docs/frameworks/{name}.md" for name in frameworks]
    return pytest.mark.parametrize("page", pages, indirect=True, ids=frameworks)


def browser(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type] # an application of the page
    return httpx.AsyncClient(transport=transport, base_url="http://app.example")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_page_shows_its_example(framework: str) -> None:
    """A reader who copies the page has the file that is tested."""
    shown = re.findall(
        r"(?ms)^```py(?:thon)?\n(.*?)^```$",
        (ROOT / "docs" / "frameworks" / f"{framework}.md").read_text("utf-8"),
    )

    assert shown[0] == (ROOT / "docs" / "examples" / f"{framework}_app.py").read_text("utf-8")


def test_each_example_has_a_page() -> None:
    examples = (ROOT / "docs" / "examples").glob("*_app.py")

    assert sorted(path.stem.removesuffix("_app") for path in examples) == FRAMEWORKS


@of("fastapi", "starlette", "litestar")
def test_a_subscriber_reads_the_lesson(page: Page) -> None:
    page.run("Subscribers only")

    with serving(page["shop"]) as url:
        assert "active" in httpx.get(f"{url}/lesson", trust_env=False).text


@of("aiohttp")
def test_a_subscriber_reads_the_lesson_in_aiohttp(page: Page) -> None:
    page.run("Subscribers only")

    async def visit() -> None:
        async with TestClient(TestServer(page["shop"])) as visitor:
            assert await (await visitor.get("/lesson")).text() == "active"

    page.wait(visit())


@of("flask")
def test_a_subscriber_reads_the_lesson_in_flask(page: Page) -> None:
    page.run("Subscribers only")

    with serving_wsgi(page["app"]) as url:
        assert httpx.get(f"{url}/lesson", trust_env=False).text == "active"
    page["rmz"].close()
    page["receiver"].close()


@of("fastapi", "starlette", "litestar", "aiohttp")
def test_the_test_of_a_page_passes(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's first test of a webhook."""
    monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)
    page.run("Tests")

    async def run_it() -> None:
        (service,) = {f"{name}_app" for name in FRAMEWORKS} & page.names.keys()
        # As if the test had run before: the inbox is a file, which stays.
        await page[service].receiver.receive(EARLIER, {"Signature": sign(EARLIER, SECRET)})
        async with Sandbox() as sandbox, sandbox.client() as rmz:
            await page["test_a_purchase_opens_the_premium_page"](sandbox, rmz, monkeypatch)

    page.wait(run_it())


@of("flask")
def test_the_test_of_the_page_of_flask_passes(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)
    page.run("Tests")

    receiver = sys.modules["flask_app"].__dict__["receiver"]
    receiver.receive(EARLIER, {"Signature": sign(EARLIER, SECRET)})
    with rmz_sync.sandbox.Sandbox() as sandbox, sandbox.client(pacing=None) as rmz:
        page["test_a_purchase_opens_the_premium_page"](sandbox, rmz, monkeypatch)
    receiver.close()


def test_the_test_of_the_page_of_django_passes(tmp_path: Path) -> None:
    """In a process of its own, as the settings of Django are those of the process."""
    text = (ROOT / "docs" / "frameworks" / "django.md").read_text("utf-8")
    example, test = re.findall(r"(?ms)^```py\n(.*?)^```$", text)
    (tmp_path / "django_app.py").write_text(example, "utf-8")
    (tmp_path / "test_it.py").write_text(test, "utf-8")
    (tmp_path / "conftest.py").write_text(
        "import pytest\n\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'\n", "utf-8"
    )
    plugins = ["-p", "anyio", "-p", "pytest_rmz", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins],
        cwd=tmp_path,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "django_app",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]),
            "RMZ_WEBHOOK_SECRET": SECRET,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr


@of("fastapi")
def test_fastapi_shows_the_report_to_those_who_paid(page: Page) -> None:
    page.run("Call RMZ in a path operation")
    app = page["app"]

    async def visit() -> None:
        async with app.router.lifespan_context(app), browser(app) as visitor:
            assert (await visitor.get("/report")).json() == {"text": "…"}
            page.sandbox.state.subscriptions[501].status = Status.EXPIRED
            assert (await visitor.get("/report")).status_code == 402

    page.wait(visit())


@of("fastapi")
def test_fastapi_shows_a_model_as_a_dictionary(page: Page) -> None:
    page.run("Call RMZ in a path operation")
    app = page["app"]

    async def visit() -> None:
        async with app.router.lifespan_context(app), browser(app) as visitor:
            shown = (await visitor.get("/admin/subscriptions/501")).json()
            assert (shown["id"], shown["status"]) == (501, "active")

    page.wait(visit())


@of("fastapi")
def test_fastapi_answers_503_if_a_call_fails(page: Page) -> None:
    page.run("Call RMZ in a path operation")
    app = page["app"]

    async def visit() -> None:
        async with rmz_async.Client("1|wrong") as refused, browser(app) as visitor:
            app.state.rmz = refused
            assert (await visitor.get("/report")).status_code == 503

    page.wait(visit())


@of("fastapi", "starlette")
def test_a_lifespan_of_one_s_own_enters_that_of_the_adapter(page: Page) -> None:
    """The client is in the state of each request."""
    page.run("The client's lifetime")
    app: Any = page["app"]

    async def enter() -> object:
        async with app.router.lifespan_context(app) as state:
            return state["rmz"]

    assert page.wait(enter()) is page["rmz"]


@of("starlette")
def test_starlette_has_the_client_in_its_state(page: Page) -> None:
    page.run("The client's lifetime")
    app = page["own_app"]

    async def visit() -> None:
        async with app.router.lifespan_context(app), browser(app) as visitor:
            assert (await visitor.get("/access")).json() == {"access": True}

    page.wait(visit())


@of("aiohttp")
def test_aiohttp_shows_the_report_to_those_who_paid(page: Page) -> None:
    page.run("The client's lifetime")

    async def visit() -> None:
        async with TestClient(TestServer(page["app"])) as visitor:
            assert await (await visitor.get("/report")).json() == {"report": "…"}
            page.sandbox.state.subscriptions[501].status = Status.EXPIRED
            assert (await visitor.get("/report")).status == 402

    page.wait(visit())


@pytest.mark.parametrize("page", ["docs/frameworks.md"], indirect=True)
def test_trio_and_jupyter_print_the_subscription(page: Page) -> None:
    page.run()

    assert page.printed == ["active", "True"]
