"""A small HTTP server of a test, on loopback."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

__all__ = ("Answer", "local_server")

Answer = Callable[[bytes, dict[str, str]], tuple[int, bytes]]


@contextmanager
def local_server(answer: Answer, tls: ssl.SSLContext | None = None) -> Generator[str]:
    """Serve what *answer* makes of the body and the headers of each request; the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, content = answer(body, dict(self.headers.items()))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the server's name for it

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http{'s' * (tls is not None)}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
