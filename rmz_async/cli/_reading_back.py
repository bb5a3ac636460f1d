"""A change whose outcome is unknown: read back, now and once more when RMZ must have finished."""

from __future__ import annotations

import sys

from anyio import sleep

from rmz_async import Client
from rmz_async._resolving import certain_after
from rmz_async.cli._printing import printable
from rmz_async.cli._wording import text
from rmz_async.errors import (
    ConfigurationError,
    ConnectionFailedError,
    OutcomeUnknownError,
    RMZError,
)
from rmz_async.models import Subscription
from rmz_async.options import RetryPolicy

WAIT: float = certain_after(RetryPolicy())
"""Seconds after which a change that does not show was not applied."""


async def read_back(rmz: Client, error: OutcomeUnknownError, number: int) -> Subscription | None:
    """Return the changed subscription, or None if the change was not applied; say what was found.

    Raises:
        OutcomeUnknownError: The outcome is still unknown.
    """
    _say(text("the outcome is unknown (%(error)s)", error=printable(str(error))))
    for wait in (0.0, WAIT):
        if wait:
            _say(text("reads the subscription again in %(seconds)s s", seconds=round(wait)))
            # A change that RMZ is still working on shows only later.
            await sleep(wait)
        try:
            found: Subscription = await rmz.resolve(error)
        except ConnectionFailedError:
            _say(text("read back: the change was not applied, and may be sent again"))
            return None
        except ConfigurationError:
            # The error does not know its call, so that a wait would be of no use.
            break
        except RMZError:
            continue
        _say(text("read back: the change was applied"))
        return found
    _say_how_to_compare(number)
    raise error


def say_interrupted(number: int) -> None:
    """Say that Ctrl-C has ended a change, which RMZ may still carry out.

    Args:
        number: The number of the subscription.
    """
    _say(text("the outcome is unknown (%(error)s)", error="Ctrl-C"))
    _say_how_to_compare(number)


def _say_how_to_compare(number: int) -> None:
    command = f"rmz subscriptions get {number} --json"
    _say(text("before you send it again, compare the subscription: %(command)s", command=command))


def _say(sentence: str) -> None:
    print(f"rmz: {sentence}", file=sys.stderr, flush=True)
