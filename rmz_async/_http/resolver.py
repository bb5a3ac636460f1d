"""Host names, resolved in a thread that does not keep Python from exiting.

asyncio resolves in threads that the interpreter waits for: a name server that does not answer would
keep a process from leaving for 15 seconds and more.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    import asyncio


async def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses of *host*, in the order in which they should be attempted.

    Args:
        host: A name or an address.
        port: From 1 to 65535.

    Returns:
        At least one; the first IPv6 address and the first IPv4 address come first.

    Raises:
        OSError: The name has no address, or no thread can be started as the interpreter is leaving.
    """
    with suppress(ValueError):
        return [str(ip_address(host))]
    # A program on asyncio has imported it already; the import of this client need not wait for it.
    import asyncio

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        # Python does not wait for the threads of trio.
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return _ordered([str(address[0]) for *_, address in found])
    return _ordered(await _found_in_thread(loop, host, port))


async def _found_in_thread(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[str]:
    found: asyncio.Future[list[str]] = loop.create_future()

    def settle(outcome: list[str] | Exception) -> None:
        if found.done():
            return  # The waiting call was cancelled.
        if isinstance(outcome, Exception):
            found.set_exception(outcome)
        else:
            found.set_result(outcome)

    def look_up() -> None:
        outcome: list[str] | Exception
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            outcome = [str(address[0]) for *_, address in infos]
        except Exception as error:  # noqa: BLE001 - the caller waits for whatever comes
            outcome = error
        # The event loop may have ended meanwhile.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, outcome)

    try:
        threading.Thread(target=look_up, name="rmz-resolver", daemon=True).start()
    except RuntimeError as error:
        raise OSError(f"the name cannot be resolved: {error}") from None
    return await found


def _ordered(addresses: list[str]) -> list[str]:
    """Put the first address of each family before the others, IPv6 first, as RFC 8305 says."""
    firsts = [
        next((each for each in addresses if (":" in each) is is_ipv6), None)
        for is_ipv6 in (True, False)
    ]
    return list(dict.fromkeys([each for each in firsts if each is not None] + addresses))
