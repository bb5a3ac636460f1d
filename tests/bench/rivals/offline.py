"""Refuses every connection that would leave this machine, and counts them."""

from __future__ import annotations

import ipaddress
import sys
from typing import Any

attempts: list[str] = []
"""Everything that somebody wanted to reach."""


def stay_here() -> None:
    """Refuse connections to other machines and look-ups of their names, in this whole process."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        # A Unix socket's address is a path.
        host = address[0] if isinstance(address, tuple) else "localhost"
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_here(str(host)):
        attempts.append(f"{event} {host}")
        raise ConnectionRefusedError(f"the measurement must not reach {host}")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "None")
