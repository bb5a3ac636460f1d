"""The addresses to which a token may be sent."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from rmz_async.errors import ConfigurationError
from rmz_async.options import PRODUCTION_URL

# Letters, digits and inner hyphens, and the underscore that names inside a network have.
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
# The address is ASCII by then, and with the flag the pattern is compiled in a fifth of the time.
_HOST_AND_PORT = re.compile(
    rf"(\[[0-9a-f:.]+\]|{_LABEL}(\.{_LABEL})*)(:[0-9]+)?", re.IGNORECASE | re.ASCII
)
_FOUR_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){3}")


@runtime_checkable
class URLObject(Protocol):
    """A URL of httpx, pydantic or yarl."""

    @property
    def scheme(self) -> str:
        """The part before the colon."""
        ...

    @property
    def host(self) -> str | None:
        """The part that names the machine."""
        ...


class Address:
    """A base URL out of sight, as it may hold a password by mistake.

    A traceback may show the variables of its frames: make one, and delete the variable, before
    anything that can raise.

    Args:
        value: As the caller passed it; None for ``RMZ_BASE_URL``, or production's.
        unencrypted: Whether plain http may go to another machine.
    """

    __slots__ = ("_unencrypted", "_value")

    def __init__(
        self, value: str | URLObject | Address | None, *, unencrypted: bool = False
    ) -> None:
        self._value: object = value._value if isinstance(value, Address) else value
        self._unencrypted = unencrypted

    def checked(self) -> str:
        """Return the base URL without its trailing slash, if a token may be sent there.

        Raises:
            ConfigurationError: The address is not https (or http to this machine), or has parts it
                must not have.
        """
        found = _checked(self._value, unencrypted=self._unencrypted)
        if isinstance(found, ConfigurationError):
            raise found
        return found


def _checked(value: object, *, unencrypted: object) -> str | ConfigurationError:
    if not isinstance(unencrypted, bool):
        # The "false" of an environment variable is a string, and true.
        return ConfigurationError("send_token_unencrypted: must be True or False")
    if value is None:
        value = os.environ.get("RMZ_BASE_URL") or PRODUCTION_URL
    if not isinstance(value, str | URLObject):
        return ConfigurationError("base_url: must be a string or a URL of httpx, pydantic or yarl")
    text = str(value) if isinstance(value, URLObject) else value
    rule = _base_url_fault(text, unencrypted=unencrypted)
    return ConfigurationError(f"base_url: {rule}") if rule else text.rstrip("/")


def _base_url_fault(value: str, *, unencrypted: bool) -> str | None:
    # The browsers' and the HTTP library's ideas of an address differ on these.
    if not value.isascii() or not value.isprintable() or " " in value or "\\" in value:
        return "must be visible ASCII without spaces and backslashes"
    try:
        parts = urlsplit(value)
        port, host = parts.port, parts.hostname
    except ValueError:
        return "must have a valid host and a port from 1 to 65535"
    if parts.scheme not in ("https", "http"):
        return "must begin with https://"
    if "@" in parts.netloc:
        return "must not hold a user name or password"
    if not host or port == 0 or not _is_host(host, parts.netloc):
        return "must have a valid host and a port from 1 to 65535"
    if "?" in value or "#" in value:
        return "must not have a query or a fragment"
    if parts.scheme == "http" and not unencrypted and not is_loopback(host):
        return (
            "must be https: plain http would show the token to the network, which "
            "send_token_unencrypted=True allows"
        )
    return None


def _is_host(host: str, netloc: str) -> bool:
    # urlsplit overlooks what follows a bracket, and returns a host that the address does not have.
    if not _HOST_AND_PORT.fullmatch(netloc):
        return False
    return not (":" in host or _FOUR_NUMBERS.fullmatch(host)) or _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Say whether *host* is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
