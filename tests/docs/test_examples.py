"""The example of each framework, under a real server, with the deliveries of a served sandbox."""

from __future__ import annotations

import asyncio
import os
import re
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from aiohttp import web

import rmz_sync
from rmz_async.sandbox import Served
from tests.docs.networks import pay
from tests.docs.pages import ROOT
from tests.integrations.blocking import serving_wsgi
from tests.integrations.conftest import PATH, serving

EXAMPLES = ROOT / "docs" / "examples"
LINES = 40
USER = "usr_new"


def names_of(example: str) -> dict[str, Any]:
    """Run an example's file as its server would import it."""
    return runpy.run_path(str(EXAMPLES / f"{example}.py"), run_name=example)


@contextmanager
def asgi(example: str) -> Generator[str]:
    """Serve an ASGI application."""
    with serving(names_of(example)["app"]) as url:
        yield url


@contextmanager
def aiohttp(example: str) -> Generator[str]:
    """Serve an aiohttp application."""
    app, ready, stop = names_of(example)["app"], threading.Event(), threading.Event()
    addresses: list[str] = []

    async def serve() -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        addresses.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        ready.set()
        await asyncio.to_thread(stop.wait)
        await runner.cleanup()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield addresses[0]
    stop.set()
    thread.join(30)


@contextmanager
def flask(example: str) -> Generator[str]:
    """Serve a Flask application, and run its handlers."""
    names = names_of(example)
    with names["receiver"].working(), serving_wsgi(names["app"]) as url:
        yield url
    names["rmz"].close()


@contextmanager
def django(example: str) -> Generator[str]:
    """Serve a Django project, and run its worker; each in a process."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": example,
        "PYTHONPATH": path_with_examples(),
    }
    server = [sys.executable, "-m", "uvicorn", "--port", "0", "--factory"]
    server.append("django.core.asgi:get_asgi_application")
    with (
        process([*server], environment, r"running on (http://127.0.0.1:\d+)") as url,
        process([sys.executable, "-m", "django", "rmz_worker"], environment, "(working)"),
    ):
        yield url


def path_with_examples() -> str:
    """The folders in which Python finds the examples, and this project."""
    return os.pathsep.join([str(EXAMPLES), str(ROOT), os.environ.get("PYTHONPATH", "")])


@contextmanager
def process(command: list[str], environment: dict[str, str], ready: str) -> Generator[str]:
    """Run a command until it says that it is ready; end it after the block."""
    environment = {**environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if found := re.search(ready, line):
                break
        else:
            pytest.fail("the command ended by itself")
        yield found[1]
        running.terminate()
        running.communicate(timeout=30)


Serve = Callable[[str], AbstractContextManager[str]]
SERVERS: dict[str, Serve] = {
    "fastapi_app": asgi,
    "starlette_app": asgi,
    "litestar_app": asgi,
    "aiohttp_app": aiohttp,
    "flask_app": flask,
    "django_app": django,
}


def test_each_example_is_served_here_and_is_short() -> None:
    """A new example is added here, too."""
    files = {path.stem: path for path in EXAMPLES.glob("*_app.py")}

    assert files.keys() == SERVERS.keys()
    for path in files.values():
        assert len(path.read_text("utf-8").splitlines()) <= LINES, path.name


@pytest.mark.parametrize("example", SERVERS)
def test_a_purchase_opens_the_premium_page(
    example: str, sandbox: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancellation closes it; the deliveries are the sandbox's, signed and over the network."""
    monkeypatch.chdir(tmp_path)
    with SERVERS[example](example) as url, rmz_sync.Client() as rmz:
        sandbox.add_webhook(url + PATH, secret=os.environ["RMZ_WEBHOOK_SECRET"])
        assert status(url) == 402

        session = rmz.checkout_sessions.create(
            product_id=102,
            variant_id=15,
            customer=4501,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
            external_customer_id=USER,
        )
        pay(session.checkout_url)
        wait_for(url, 200)
        if example != "django_app":
            assert httpx.get(f"{url}/shop", trust_env=False).status_code == 200

        (bought,) = rmz.subscriptions.lookup(external_customer_id=USER).subscriptions
        rmz.subscriptions.cancel(bought.id, effective="immediate")
        wait_for(url, 402)


def status(url: str) -> int:
    """Ask for the premium page."""
    return httpx.get(f"{url}/premium/{USER}", trust_env=False).status_code


def wait_for(url: str, wanted: int) -> None:
    """Ask for the premium page until the handler has run."""

    async def ask() -> None:
        with anyio.fail_after(30):
            async with httpx.AsyncClient(trust_env=False) as browser:
                while (await browser.get(f"{url}/premium/{USER}")).status_code != wanted:
                    await anyio.lowlevel.checkpoint()

    anyio.run(ask)
