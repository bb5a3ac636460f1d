"""Bind a port that answers without delay."""

from __future__ import annotations

import socket

__all__ = ("listen",)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *host*.

    Args:
        host: An IPv4 or IPv6 address.
        port: 0 for any that is free.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small pieces at once on sockets that say TCP. socket.create_server makes one
    # that does not say so: each answer would wait 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except BaseException:
        listener.close()
        raise
    return listener
