"""The answers to RMZ."""

from __future__ import annotations

import logging

from rmz_async._calls.refusals import quoted
from rmz_async._frozen import frozen

logger: logging.Logger = logging.getLogger("rmz_async")


@frozen
class Ack:
    """The answer to RMZ."""

    status: int
    """The HTTP status."""

    body: str = ""
    """A short string, which RMZ ignores."""


STORED = Ack(200, "stored")
NOT_CONFIGURED = Ack(500, "not configured")


def not_stored(error: Exception) -> Ack:
    """Return the answer that makes RMZ deliver again."""
    logger.error("a delivery was not stored: %s", quoted(str(error)))
    return Ack(503, "not stored")
