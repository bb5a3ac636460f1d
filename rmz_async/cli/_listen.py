"""``rmz listen``: print the webhooks that arrive at this machine."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Any

from rmz_async.cli._deliveries import MOST_BYTES, Deliveries, ShownDelivery
from rmz_async.cli._options import INTEGER, Limit, Options, webhook_secrets
from rmz_async.cli._printing import print_document, print_line, printable
from rmz_async.cli._wording import text
from rmz_async.errors import ConfigurationError

# A client that stops in the middle of a request would keep all others waiting.
_TIMEOUT = 5.0


def listen(
    *,
    port: Annotated[int, INTEGER] = 8788,
    limit: Limit = None,
    body: bool = False,
    options: Options = Options(),  # noqa: B008 - frozen
) -> int:
    """Print each delivery that arrives at this machine, until Ctrl-C.

    Let a sandbox deliver here, or a tunnel of yours.

    Args:
        port: The port on 127.0.0.1; 0 for any that is free.
        limit: End after so many deliveries.
        body: Print the content too, which is personal data.
        options: How to print.
    """
    deliveries = Deliveries(webhook_secrets())
    try:
        server = _Server(("127.0.0.1", port), _Handler)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"--port: {port} cannot be opened: {error}") from None
    with server:
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        print(text("Listening at %(address)s until Ctrl-C", address=address), file=sys.stderr)
        _Handler.deliveries = deliveries
        try:
            while limit is None or deliveries.count < limit:
                server.handle_request()
                for seen in deliveries.new():
                    _print(seen, options, body=body)
        except KeyboardInterrupt:
            return 0
    return 0


class _Server(HTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing if the sender has cut the connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    timeout = _TIMEOUT
    deliveries: Deliveries

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        # The digits are counted first, because `int` refuses a number of thousands of digits.
        is_number = length.isdecimal() and len(length) <= len(str(MOST_BYTES))
        if not is_number or int(length) > MOST_BYTES:
            self.close_connection = True
            self._answer(413)
            return
        body = self.rfile.read(int(length))
        self._answer(self.deliveries.take(body, self.headers.items(), datetime.now(UTC)))

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name
        """Print nothing: each delivery has a line of its own."""


def _print(seen: ShownDelivery, options: Options, *, body: bool) -> None:
    if options.json:
        print_document({**seen.document, "body": seen.body} if body else seen.document)
    else:
        style = "bold red" if seen.refused else "green"
        print_line(f"{seen.at:%H:%M:%S}Z", (seen.title, style), *seen.parts, options=options)
        for advice in seen.advice:
            print_line(f"          → {advice}", options=options)
        if body:
            print_line(printable(seen.body), options=options)
    sys.stdout.flush()
