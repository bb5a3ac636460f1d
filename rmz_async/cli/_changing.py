"""A change of a subscription: shown, confirmed, and only then sent."""

from __future__ import annotations

import signal
import sys
from asyncio import CancelledError
from collections.abc import Mapping
from threading import current_thread, main_thread

import attrs

from rmz_async._extras import extra
from rmz_async.cli._options import open_client
from rmz_async.cli._printing import print_document, shown
from rmz_async.cli._reading_back import read_back, say_interrupted
from rmz_async.cli._wording import text
from rmz_async.errors import OutcomeUnknownError
from rmz_async.models import Subscription

with extra("cli", needed_by="The command rmz"):
    from cyclopts import Parameter

# The answers of both languages, because a keyboard may have the letters of only one of them.
_YES = ("y", "yes", "ن", "نعم")


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Consent:
    """The options of each change.

    Attributes:
        dry_run: Say what would be sent, and change nothing.
        yes: Do not ask first.
    """

    dry_run: bool = False
    yes: bool = False


async def change(
    subscription_id: int, call: str, fields: Mapping[str, object], consent: Consent
) -> Subscription | int:
    """Send a change, and return the subscription, or the exit code if nothing was sent.

    The subscription is read first, so that an extension whose answer is lost can be settled.

    Args:
        subscription_id: Positive integer.
        call: The method of ``rmz.subscriptions``.
        fields: The arguments of the method.
        consent: Whether to ask, and whether to send.
    """
    async with open_client() as rmz:
        before = await rmz.subscriptions.get(subscription_id)
        if consent.dry_run:
            print_document(
                {
                    "would_send": f"subscriptions.{call}",
                    "subscription": before.id,
                    "fields": fields,
                    "status": before.status,
                }
            )
            return 0
        if not consent.yes and not _confirmed(call, fields, before):
            print(text("rmz: nothing was sent"), file=sys.stderr)
            return 1
        target = before if call == "extend" else before.id
        try:
            changed: Subscription = await getattr(rmz.subscriptions, call)(target, **fields)
        except OutcomeUnknownError as error:
            found = await read_back(rmz, error, before.id)
            return 1 if found is None else found
        except CancelledError:
            say_interrupted(before.id)
            raise
        return changed


def _confirmed(call: str, fields: Mapping[str, object], before: Subscription) -> bool:
    words = [call, *(f"{name}={value}" for name, value in fields.items())]
    question = text(
        "subscription %(number)s (%(status)s, %(user)s): %(change)s? [y/N]",
        number=before.id,
        status=shown(before.status),
        user=shown(before.external_customer_id) or "-",
        change=" ".join(words),
    )
    print(question, end=" ", file=sys.stderr, flush=True)
    return _line().strip().lower() in _YES


def _line() -> str:
    """Return what somebody types; Ctrl-C ends the command immediately."""
    if sys.stdin is None:
        return ""
    if current_thread() is not main_thread():
        return sys.stdin.readline()
    # The event loop has a handler of its own, which would wait for the end of the line.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, handler)
