"""``rmz webhooks``: look into an inbox, and run events again."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Literal

from rmz_async._extras import extra
from rmz_async.cli._listing import print_records
from rmz_async.cli._options import INTEGER, Options, Place, between, open_client
from rmz_async.cli._printing import print_document, printable
from rmz_async.cli._wording import text
from rmz_async.errors import ConfigurationError, RMZError
from rmz_async.webhooks._administration import Administration, Record
from rmz_async.webhooks.inbox.interface import TaskState
from rmz_async.webhooks.reconciliation import PAGES

with extra("cli", needed_by="The command rmz"):
    from cyclopts import App, Parameter

application = App(name="webhooks", help="Look into an inbox, and run events again.")

_DELIVERY = ("number", "received_at", "event", "about", "state")
_TASK = ("handler", "state", "attempts", "running", "due_in", "error")
_COUNTED = ("subscriptions", "events", "complete")
_REPLAY = ("number", "handler", "event", "status", "was_applied")


_PLACE, _DEFAULT = Place(), Options()


@application.command
def stats(*, place: Place = _PLACE, options: Options = _DEFAULT) -> None:
    """Count deliveries and tasks.

    Args:
        place: The inbox.
        options: How to print.
    """
    with _opened(place) as work:
        counted = work.stats()
    if options.json:
        print_records([counted], (), options)
    else:
        named = [
            {"name": _named(name, options), "count": f"{value:.0f}"}
            for name, value in counted.items()
        ]
        print_records(named, ("name", "count"), options)


@application.command(name="list")
def list_(
    *,
    state: Literal["waiting", "done", "merged", "dead"] | None = None,
    before: Annotated[int | None, INTEGER] = None,
    limit: Annotated[int, between(1)] = 50,
    place: Place = _PLACE,
    options: Options = _DEFAULT,
) -> None:
    """List deliveries, the newest first, without their content.

    Args:
        state: Only deliveries with a task of this state.
        before: Only deliveries with smaller numbers.
        limit: The most to read.
        place: The inbox.
        options: How to print.
    """
    with _opened(place) as work:
        found = work.listed(
            state=None if state is None else TaskState(state), before=before, limit=limit
        )
    print_records(_for(found, options), _DELIVERY, options)


@application.command
def show(
    number: Annotated[int, INTEGER],
    /,
    *,
    body: bool = False,
    place: Place = _PLACE,
    options: Options = _DEFAULT,
) -> None:
    """Show one delivery and its tasks.

    Args:
        number: The number of the delivery.
        body: Print the content too, which is personal data.
        place: The inbox.
        options: How to print.
    """
    with _opened(place) as work:
        found: dict[str, Any] = work.shown(number, body=body)
    if options.json:
        print_records(_for([found], options), (), options)
        return
    if options.csv:
        print_records(found["tasks"], _TASK, options)
        return
    print_records([found], (*_DELIVERY, "origin"), options)
    if found["unreadable"]:
        print(printable(found["unreadable"]))
    if found["tasks"]:
        print()
        print_records(found["tasks"], _TASK, options)
    if body:
        print(f"\n{printable(found['body'])}")


@application.command
def replay(
    *numbers: Annotated[int, INTEGER, Parameter(required=True)],
    dry_run: bool = False,
    place: Place = _PLACE,
    options: Options = _DEFAULT,
) -> None:
    """Run the handlers of deliveries again.

    Args:
        numbers: The numbers of the deliveries.
        dry_run: Say what would run, and change nothing.
        place: The inbox.
        options: How to print.
    """
    with _opened(place) as work:
        found = list(work.replayed(numbers, dry_run=dry_run))
    for each in found:
        if each["handler"] is None:
            sentence = text(
                "rmz: %(number)s: nothing to run: no such delivery, or no handler wants it",
                number=each["number"],
            )
            print(sentence, file=sys.stderr)
    print_records([each for each in found if each["handler"]], _REPLAY, options)


@application.command
def reconcile(
    *,
    per_minute: Annotated[int, between(1)] = PAGES,
    feed_first: bool = False,
    place: Place = _PLACE,
    options: Options = _DEFAULT,
) -> None:
    """Compare with RMZ, and make up for missed events.

    Args:
        per_minute: The most pages to read in a minute.
        feed_first: Make an event of each unknown subscription in the first comparison, too.
        place: The inbox.
        options: How to print.
    """
    with _opened(place) as work:
        counted = partial(work.reconciled, per_minute=per_minute, feed_first=feed_first)
        print_records([counted(client=open_client)], _COUNTED, options)


@application.command
def purge(
    *,
    older_than: float = 7.0,
    dead: bool = False,
    place: Place = _PLACE,
    options: Options = _DEFAULT,
) -> None:
    """Forget old deliveries.

    Args:
        older_than: Days.
        dead: Also the dead and the unreadable.
        place: The inbox.
        options: How to print.
    """
    with _opened(place) as work:
        count = work.purged(older_than=older_than, dead=dead)
    print_records([{"forgotten": count}], ("forgotten",), options)


@application.command
def create(*, place: Place = _PLACE, options: Options = _DEFAULT) -> None:
    """Make the tables, unless they are there.

    Args:
        place: The inbox.
        options: How to print.
    """
    with _opened(place) as work:
        work.create()
    if not options.json and not options.csv:
        print(text("the tables are there"))


@application.command
def schema(*, place: Place = _PLACE, options: Options = _DEFAULT) -> None:
    """Print the tables as SQL.

    Args:
        place: The inbox.
        options: How to print.
    """
    with _opened(place) as work:
        tables = work.schema()
    if options.json:
        print_document({"schema": tables})
    else:
        print(tables)


def _named(count: str, options: Options) -> str:
    """Return the name of a count: for a program always the same one, and else in words."""
    if options.csv:
        return count.replace("_", " ")
    return text("oldest waiting (seconds)") if count == "oldest_waiting" else text(count)


@contextmanager
def _opened(place: Place) -> Generator[Administration]:
    try:
        with Administration(place.inbox, place.receiver) as work:
            yield work
    except RMZError:
        raise
    except LookupError as error:
        raise ConfigurationError(str(error)) from None
    except Exception as error:  # noqa: BLE001 - each database has errors of its own
        # A database's error may show the address with its password.
        raise ConfigurationError(f"the inbox cannot be used ({type(error).__name__})") from None


def _for(found: Iterable[Record], options: Options) -> list[Record]:
    """Return records whose times are as RMZ writes them, if a program reads them."""
    if not options.json:
        return list(found)
    return [{**each, "received_at": f"{each['received_at']:%Y-%m-%dT%H:%M:%SZ}"} for each in found]
