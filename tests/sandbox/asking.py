"""Commands that fail, and the servers that they or a sandbox's webhooks meet."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

import pytest

from rmz_async.sandbox.__main__ import main

# Port 1 is privileged and unused, so that no other test can take it.
NOBODY = "http://127.0.0.1:1/"


def failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[object, str]:
    """Return the exit code and the message of a command that fails."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    message = capsys.readouterr().err
    assert message.count("\n") == 1, "one line"
    return ended.value.code, message.partition("error: ")[2].rstrip("\n")


class Accepting(BaseHTTPRequestHandler):
    """A receiver that accepts."""

    def do_POST(self) -> None:
        """Accept."""
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        """Answer as another kind of server does."""
        self.send_response(404 if self.path.startswith("/json") else 200)
        self.end_headers()
        self.wfile.write(b"[]" if self.path.startswith("/json") else b"<html>")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in BaseHTTPRequestHandler
        """Print nothing."""
