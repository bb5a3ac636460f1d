"""The workers of "In your framework" and of "Flask": a process that runs the handlers alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from rmz_async.integrations.fastapi import webhook_router
from rmz_async.sandbox import Served
from tests.docs.pages import examples_of
from tests.docs.test_examples import names_of, path_with_examples
from tests.integrations.blocking import serving_wsgi
from tests.integrations.conftest import PATH, serving

LIMIT = 30


def worker_of(page: str) -> str:
    """Return the program that a page saves as ``worker.py``."""
    blocks = [str(example.parsed) for example in examples_of(page, None).examples()]
    (program,) = (block for block in blocks if block.startswith("import signal"))
    return program


def fastapi(names: dict[str, Any]) -> AbstractContextManager[str]:
    """Serve the route without the receiver in the lifespan, as the page says."""
    app = FastAPI()
    app.include_router(webhook_router(names["receiver"]))
    return serving(app)


def flask(names: dict[str, Any]) -> AbstractContextManager[str]:
    """Serve the application as a server that imports it."""
    return serving_wsgi(names["app"])


@contextmanager
def running(folder: Path) -> Generator[subprocess.Popen[str]]:
    """Run the worker, and end it for sure."""
    process = subprocess.Popen(
        [sys.executable, "worker.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path_with_examples()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize(
    ("page", "example", "served"),
    [
        ("docs/frameworks.md", "fastapi_app", fastapi),
        ("docs/frameworks/flask.md", "flask_app", flask),
    ],
    ids=["async", "sync"],
)
def test_a_worker_runs_the_handlers_of_a_service_that_runs_none(
    page: str,
    example: str,
    served: Any,
    sandbox: Served,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker ends by itself when the signal comes, without an error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worker.py").write_text(worker_of(page), "utf-8")
    names = names_of(example)
    inbox = names["receiver"].inbox
    with served(names) as url:
        sandbox.add_webhook(url + PATH, secret=os.environ["RMZ_WEBHOOK_SECRET"])
        subscription = sandbox.subscribe(external_customer_id="usr_new")
        sandbox.wait_delivered(LIMIT)
        assert inbox.stats().waiting > 0
        read = f"/subscriptions/{subscription}"
        assert not [each for each in sandbox.requests if each.path.endswith(read)]
        with running(tmp_path) as worker:
            pause = threading.Event()
            while inbox.stats().waiting + inbox.stats().running and worker.poll() is None:
                pause.wait(0.005)
            worker.terminate()
            assert worker.communicate(timeout=LIMIT)[0] == ""
        assert worker.returncode == 0
        assert [each for each in sandbox.requests if each.path.endswith(read)]
        assert inbox.stats().done + inbox.stats().merged > 0
    inbox.close()
    if example == "flask_app":
        names["rmz"].close()
