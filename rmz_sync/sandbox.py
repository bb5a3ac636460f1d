"""The sandbox for code that cannot await: in process, and without a port.

Install it with the extra ``sandbox``. In a test::

    with Sandbox() as sandbox, sandbox.client() as rmz:
        number = sandbox.subscribe()
        sandbox.advance(days=31)
        assert rmz.subscriptions.get(number).grants_access

All other names are those of ``rmz_async.sandbox``.
"""

from __future__ import annotations

from typing import Any

import rmz_async.sandbox
from rmz_async.sandbox.serving.in_process import connect
from rmz_async.sandbox.serving.in_thread import InThread
from rmz_async.sandbox.serving.server import Server
from rmz_sync.client import Client

__all__ = ("Sandbox",)


class Sandbox(InThread):
    """A stateful RMZ in a thread of its own, while a ``with`` block lasts.

    Any thread may use it. Its clients reach it without a socket.

    Args:
        options: The options of `rmz_async.sandbox.Sandbox`, such as ``seed`` and ``state``.

    Raises:
        RuntimeError: The block is entered while another block runs the sandbox.

    Attributes:
        sandbox: The sandbox itself, as async code uses it.
    """

    def __init__(self, **options: Any) -> None:
        server = Server()
        sandbox = rmz_async.sandbox.Sandbox(**options, _server=server)
        super().__init__(sandbox, server, clock_runs=False)

    def client(self, **options: Any) -> Client:
        """Return a client that calls the sandbox in process.

        The client paces its calls and retries them as in production, and waits on the sandbox's
        clock: a wait moves the time on and takes none.

        Args:
            options: The options of `rmz_sync.Client`; the token and base URL are set already.
        """
        sandbox = self.sandbox
        made = connect(sandbox.app, self._address, sandbox.clock)
        set_already: dict[str, Any] = {"token": sandbox.token, "base_url": sandbox.base_url}
        return Client(**{**set_already, **made, **options})
