"""The service of "Your paywall in an afternoon, offline"."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import httpx
import pytest
import uvicorn
from anyio.from_thread import start_blocking_portal

from rmz_async.sandbox import Sandbox, Served
from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.commands.asking import add_asking
from rmz_async.sandbox.commands.parsing import PROGRAM, Commands
from rmz_async.sandbox.commands.serving import add_serving
from rmz_async.sandbox.scenarios.command import add_scenarios
from rmz_async.sandbox.serving.served import listen
from tests.docs.pages import PAGES, ROOT, examples_of

EXAMPLES = ROOT / "docs" / "examples"
SECRET = "a-secret-of-28-characters-at"
STATE_SECRET = "a-secret-of-the-service"
FAILS_LATER = {"card_number": "4000000000000341", "card_expiry": "12/99", "card_code": "123"}
TUTORIALS = ["docs/tutorial.md", "docs/ar/tutorial.md"]


def commands_of(path: str) -> list[str]:
    """Return what a reader of the page types."""
    return re.findall(r"(?m)^\$ (.+)$", (ROOT / path).read_text(encoding="utf-8"))


SANDBOX_COMMANDS = [
    pytest.param(command.partition(PROGRAM)[2], id=f"{path}: {command}")
    for path in PAGES
    for command in commands_of(path)
    if PROGRAM in command and f"{PROGRAM}." not in command
]


@pytest.mark.parametrize("path", TUTORIALS)
def test_the_page_shows_the_files(path: str) -> None:
    """A reader who copies the page has the files that are tested here."""
    shown = [str(example.parsed) for example in examples_of(path, None).examples()]

    files = [EXAMPLES / name for name in ("service.py", "test_service.py")]
    assert shown == [file.read_text(encoding="utf-8") for file in files]


def test_the_service_has_at_most_sixty_lines() -> None:
    assert len((EXAMPLES / "service.py").read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("words", SANDBOX_COMMANDS)
def test_a_command_of_a_page_is_one_that_the_sandbox_takes(words: str) -> None:
    """Neither an option nor a command that a page shows is unknown."""
    commands = Commands()
    add_serving(commands, lambda: None)
    add_asking(commands)
    add_scenarios(commands)
    given = re.sub(r"[&;].*", "", words).replace("...", "x").replace("'", "").split()

    commands.parser.parse_args(given if given[:1] and given[0][0] != "-" else ["serve", *given])


@contextmanager
def running(service: ModuleType, listener: socket.socket) -> Generator[None]:
    """Serve the tutorial's service with uvicorn, from a thread."""
    server = uvicorn.Server(uvicorn.Config(service.create_app(), log_config=None))
    with start_blocking_portal() as portal:
        served = portal.start_task_soon(server.serve, [listener])
        try:
            yield
        finally:
            server.should_exit = True
            served.result()


@pytest.fixture
def site(
    sandbox: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[httpx.Client]:
    """A browser at the service, which runs as on the page; only its port is any free one."""
    monkeypatch.chdir(tmp_path)
    with listen("127.0.0.1", 0) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("SITE", address)
        monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)
        monkeypatch.setenv("STATE_SECRET", STATE_SECRET)
        sandbox.add_webhook(f"{address}/webhooks/rmz", secret=SECRET)
        service = service_of_the_page()
        with (
            running(service, listener),
            httpx.Client(
                base_url=address, headers={"Accept": "text/html"}, follow_redirects=True
            ) as browser,
        ):
            yield browser


def service_of_the_page() -> ModuleType:
    """Import the service as a process of its own would, whatever was imported before."""
    spec = importlib.util.spec_from_file_location("tutorial", EXAMPLES / "service.py")
    assert spec is not None
    assert spec.loader is not None
    service = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(service)
    return service


def test_the_reader_buys_reads_and_is_locked_out_as_the_page_says(
    sandbox: Served, site: httpx.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """The months pass by the page's own commands."""
    moves = [
        command.removeprefix(f"{PROGRAM} ").removesuffix(" --credentials rmz.env").split()
        for command in commands_of("docs/tutorial.md")
        if " advance " in command
    ]
    assert "You have no subscription yet. " in site.get("/premium").text
    checkout = str(site.post("/subscribe").url)
    back = httpx.post(f"{checkout}/pay", data=FAILS_LATER).headers["location"]
    assert back.startswith(f"{site.base_url}/welcome?")
    assert "coffee" in site.get(back).text

    assert main(moves[0]) == 0
    assert main(["list", "subscriptions", "--limit", "1"]) == 0
    assert "past_due" in capsys.readouterr().out
    assert "coffee" in site.get("/premium").text
    assert "/s/" in str(site.get("/account").url), "the portal"

    assert main(moves[1]) == 0
    until = time.monotonic() + 60
    while "has ended" not in site.get("/premium").text:
        assert time.monotonic() < until, "the inbox was not worked off"
    assert {one.status for one in sandbox.deliveries} == {200}


@pytest.mark.anyio
async def test_pages_are_503_while_rmz_is_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMZ_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("STATE_SECRET", STATE_SECRET)
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        app = service_of_the_page().create_app(rmz)
        sandbox.faults.add("reset", on="* *")
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://app.example") as reader:
            pages = [await reader.get("/premium"), await reader.get("/account")]
            pages.append(await reader.post("/subscribe"))
        await app.state.receiver.aclose()

    for page in pages:
        assert page.status_code == 503
        assert int(page.headers["Retry-After"]) > 0


def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    """In a folder of their own, as a reader runs them."""
    for name in ("service.py", "test_service.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "pytest_rmz", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "test_service.py"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]),
            "RMZ_WEBHOOK_SECRET": SECRET,
            "STATE_SECRET": STATE_SECRET,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert " 2 passed" in done.stdout, done.stdout
