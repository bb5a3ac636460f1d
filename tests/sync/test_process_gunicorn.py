"""gunicorn that loads the program first, forks, and lets gevent replace threads in its workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.sync.conftest import Shop

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or find_spec("gevent") is None or find_spec("gunicorn") is None,
    reason="gunicorn runs on Unix, and gevent has no wheel for this Python",
)

APPLICATION = """
import rmz_sync

client = rmz_sync.Client()

def application(environ, start_response):
    found = client.subscriptions.get(7)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(found.id).encode()]
"""


@pytest.mark.parametrize("start", range(3))
def test_a_preloaded_client_answers_in_gevent_workers(
    shop: Shop, tmp_path: Path, start: int
) -> None:
    """The client that was made before gevent patched anything makes its first call in a worker."""
    (tmp_path / "shop_app.py").write_text(textwrap.dedent(APPLICATION), "utf-8")
    command = [sys.executable, "-m", "gunicorn", "--preload", "-k", "gevent", "-w", "2"]
    process = subprocess.Popen(
        [*command, "--bind", "127.0.0.1:0", "--chdir", str(tmp_path), "shop_app"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "RMZ_API_TOKEN": "1|token", "RMZ_BASE_URL": shop.url, "PYTHONPATH": "."},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        address = None
        while address is None:
            line = process.stderr.readline()
            assert line, "gunicorn has ended"
            address = re.search(r"Listening at: (http://\S+)", line)
        for _ in range(8):
            with urllib.request.urlopen(address[1], timeout=20) as answer:  # noqa: S310 - loopback
                assert answer.read() == b"7"
    finally:
        process.terminate()
        process.communicate(timeout=60)
