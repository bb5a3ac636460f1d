"""The resources of a sync client, over those of the async client that it wraps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import rmz_async
from rmz_async.resources._attribute import ResourceAttribute
from rmz_sync._portal import Portal

R = TypeVar("R")


class Wrapping:
    """A client over an async client, whose calls run on a portal."""

    _wrapped: rmz_async.Client
    _portal: Portal


def resource(name: str, made: Callable[[Any, Portal], R]) -> ResourceAttribute[Wrapping, R]:
    """Declare the resource that the async client has under *name*.

    Args:
        name: The attribute of both clients.
        made: The sync resource's class.
    """
    return ResourceAttribute(
        made,
        lambda client: made(getattr(client._wrapped, name), client._portal),  # pyright: ignore[reportPrivateUsage] # of the class above
    )
