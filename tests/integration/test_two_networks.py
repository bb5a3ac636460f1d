"""A sandbox and its caller in network namespaces of their own, as two containers have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[2]
# Inside the namespaces only: no other network has, or hears of, these addresses.
SANDBOX, CALLER = "10.79.87.1", "10.79.87.2"
WORDS = "--i-know-that-this-is-not-rmz"
SECRET = "a-secret-of-28-characters-at"
IP = shutil.which("ip")

CALLING = f"""
    import queue
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    import rmz_async
    import rmz_sync
    from rmz_async.sandbox.__main__ import main

    address = "http://{SANDBOX}:8787"
    received = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put(rmz_async.webhooks.verify(body, dict(self.headers), secrets=["{SECRET}"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("{CALLER}", 8000), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        rmz_sync.Client("1|local", base_url=address + "/shawarma")
    except rmz_async.ConfigurationError as error:
        print("refused:", "send_token_unencrypted=True" in str(error))
    with rmz_sync.Client(
        "1|local", base_url=address + "/shawarma", send_token_unencrypted=True
    ) as rmz:
        print("status:", rmz.subscriptions.pause(501).status)
        portal = rmz.portal_sessions.create(customer=4501)
        print("link:", portal.url.startswith("http://localhost:8787/s/"))
    print("event:", received.get(timeout=90).event, flush=True)
    command = ["--url", address, "--token", "1|local"]
    try:
        main(["list", "webhooks", *command])
    except SystemExit as ended:
        print("exit code:", ended.code, flush=True)
    main(["list", "webhooks", *command, "{WORDS}"])
"""


@attrs.frozen
class Namespace:
    """A network namespace of this test."""

    name: str

    def run(self, *command: str) -> list[str]:
        """Return the command that runs *command* in it."""
        return [IP or "ip", "netns", "exec", self.name, *command]


def ip(*arguments: str) -> None:
    subprocess.run([IP or "ip", *arguments], check=True, capture_output=True, text=True)


@pytest.fixture
def networks() -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a cable between them, and nothing else."""
    if IP is None or os.name != "posix" or os.geteuid() != 0:
        pytest.skip("two networks were not tested: only root can make them, with iproute2")
    one, other = (Namespace(f"rmz-{os.getpid()}-{side}") for side in ("one", "other"))
    made: list[Namespace] = []
    try:
        try:
            for namespace in (one, other):
                ip("netns", "add", namespace.name)
                made.append(namespace)
            peer = ("type", "veth", "peer", "name", "cable", "netns", other.name)
            ip("-n", one.name, "link", "add", "cable", *peer)
            for namespace, address in ((one, SANDBOX), (other, CALLER)):
                ip("-n", namespace.name, "address", "add", f"{address}/30", "dev", "cable")
                for link in ("lo", "cable"):
                    ip("-n", namespace.name, "link", "set", link, "up")
        except subprocess.CalledProcessError as problem:
            pytest.skip(f"two networks were not tested: {problem.stderr.strip()}")
        yield one, other
    finally:
        for namespace in made:
            ip("netns", "delete", namespace.name)


def test_a_service_in_another_network_uses_the_sandbox(
    networks: tuple[Namespace, Namespace],
) -> None:
    """The service calls, gets the webhook and controls the sandbox, each time with the option."""
    there, here = networks
    serving = there.run(
        *(sys.executable, "-W", "error", "-m", "rmz_async.sandbox", "--token=1|local"),
        *(f"--host={SANDBOX}", WORDS, "--public-url=http://localhost:8787"),
        *(f"--webhook=http://{CALLER}:8000/hooks", f"--secret={SECRET}"),
    )
    with subprocess.Popen(serving, cwd=ROOT, stdout=subprocess.PIPE, text=True) as sandbox:
        # Reading a line has no time limit of its own.
        watchdog = threading.Timer(120, sandbox.kill)
        watchdog.start()
        try:
            assert sandbox.stdout is not None
            assert any("Ctrl-C" in line for line in iter(sandbox.stdout.readline, ""))
            called = subprocess.run(
                here.run(sys.executable, "-W", "error", "-c", textwrap.dedent(CALLING)),
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=100,
                check=False,
            )
            sandbox.terminate()
            lines = sandbox.stdout.read()
        finally:
            watchdog.cancel()
            sandbox.kill()
    assert called.returncode == 0, called.stderr
    assert called.stdout.splitlines()[:5] == [
        "refused: True",
        "status: paused",
        "link: True",
        "event: subscription.paused",
        "exit code: 2",
    ]
    assert called.stdout.splitlines()[-1].startswith(f"1   http://{CALLER}:8000/hooks")
    assert "204  webhook 1 ← subscription.paused of 501" in lines
