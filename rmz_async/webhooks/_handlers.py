"""The functions that are registered for events, and which of them an event is for."""

from __future__ import annotations

import fnmatch
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import anyio
import attrs

from rmz_async._callables import check_result, is_async, is_generator, takes_one
from rmz_async._calls.refusals import quoted
from rmz_async._frozen import frozen
from rmz_async.errors import ConfigurationError
from rmz_async.webhooks._backoff import Backoff, default_backoff
from rmz_async.webhooks._keys import LONGEST, storable
from rmz_async.webhooks.events import Event, EventType, UnknownEvent
from rmz_async.webhooks.inbox.interface import Grouping

logger: logging.Logger = logging.getLogger("rmz_async")

Handler: TypeAlias = Callable[[Any], Awaitable[object] | object]
"""A function of one event: async, or plain, which runs in a worker thread."""

Wanted: TypeAlias = EventType | type[Event] | str

# Seconds of a wait of the user's own: no process waits for an event of last year.
LONGEST_OWN_WAIT = 366 * 86_400.0


def _at_least_one(_: object, attribute: attrs.Attribute[int], value: object) -> None:
    if type(value) is not int or value < 1:
        raise ConfigurationError(f"{attribute.name}: must be an integer of 1 or more")


def _is_callable(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    if not callable(value):
        raise ConfigurationError(f"{attribute.name}: must be a function of the attempt's number")


@frozen(kw_only=True)
class Rules:
    """The rules by which a handler runs.

    Attributes:
        grouping: How its tasks for one subscription or order relate.
        max_attempts: How many attempts each event gets.
        backoff: How long to wait between two of them.
    """

    grouping: Grouping = Grouping.EACH
    max_attempts: int = attrs.field(validator=_at_least_one)
    backoff: Backoff = attrs.field(validator=_is_callable)

    def wait_after(self, attempt: int) -> float:
        """Return the seconds after an attempt that failed; the usual ones if `backoff` is broken.

        An exception here would end the worker, which has other events.
        """
        usual = default_backoff(attempt)
        try:
            seconds = float(self.backoff(attempt))
        except Exception as error:  # noqa: BLE001 - a function of the user
            logger.error("backoff: waiting %g s, because it raised %s", usual, type(error).__name__)  # noqa: TRY400 - one line
            return usual
        if not 0 <= seconds <= LONGEST_OWN_WAIT:
            logger.error(
                "backoff: waiting %g s, and not %g s: a wait has 0 s to 366 days", usual, seconds
            )
            return usual
        return seconds


@frozen
class Registered:
    """A handler.

    Attributes:
        function: The function.
        wanted: Event types, event classes and patterns of names; empty for what no other wants.
        rules: How it runs.
    """

    function: Handler
    wanted: Sequence[Wanted]
    rules: Rules

    def wants(self, event: Event) -> bool:
        """Return whether the handler is for *event*."""
        return any(_is_wanted(each, event) for each in self.wanted)

    async def call(self, event: Event, limiter: anyio.CapacityLimiter) -> None:
        """Run the function; a plain one in a thread of *limiter*."""
        if is_async(self.function):
            check_result(await cast("Callable[[Event], Awaitable[object]]", self.function)(event))
        else:
            await anyio.to_thread.run_sync(_call_plain, self.function, event, limiter=limiter)


class Handlers:
    """The handlers of a receiver, by name."""

    def __init__(self) -> None:
        self._registered: dict[str, Registered] = {}
        self._is_in_use = False

    @property
    def names(self) -> Sequence[str]:
        """The names of all handlers."""
        return tuple(self._registered)

    def add(self, name: str, function: Handler, wanted: Sequence[Wanted], rules: Rules) -> None:
        """Add a handler.

        Raises:
            ConfigurationError: Another one has its name, a database would refuse the name, or
                nothing would run.
        """
        if not callable(cast("object", function)) or is_generator(function):
            raise ConfigurationError(
                f"on: {name} must be a function, plain or async, that does not yield"
            )
        if not takes_one(function):
            raise ConfigurationError(
                f"on: {name} must take the event, and nothing else that has no default; register "
                "a method of an object, and not of its class"
            )
        if not name or storable(name) != name:
            raise ConfigurationError(
                f"on: name must have 1 to {LONGEST} characters, no zero bytes and no halves of "
                "characters"
            )
        if name in self._registered:
            raise ConfigurationError(
                f"on: there are two handlers called {name}; give one of them another name="
            )
        if self._is_in_use:
            logger.warning(
                "on: %s is registered after the first delivery, and gets none of the events that "
                "came before",
                name,
            )
        self._registered[name] = Registered(function, wanted, rules)

    def named(self, name: str) -> Registered:
        """Return the handler with a name that is among `names`."""
        return self._registered[name]

    def wanting(self, event: Event) -> Mapping[str, Grouping]:
        """Return the handlers that *event* is for; the fallbacks if it is for no other."""
        everyone = self._registered.items()
        if not self._is_in_use:
            self._is_in_use = True
            if not everyone:
                logger.warning(
                    "no handler is registered, so that events are stored and nothing runs for "
                    "them: import the module of your handlers before the first delivery"
                )
        found = {name: handler.rules.grouping for name, handler in everyone if handler.wants(event)}
        if found or _fault(event) is not None:
            return found
        return {name: handler.rules.grouping for name, handler in everyone if not handler.wanted}


def checked(wanted: Sequence[Wanted]) -> Sequence[Wanted]:
    """Return what a handler is registered for; a pattern that matches nothing today is logged.

    Raises:
        ConfigurationError: Nothing was named, or something that is no event.
    """
    if not wanted:
        raise ConfigurationError(
            'on: name an event, such as @receiver.on("order.*"); '
            "@receiver.fallback is for those that no other handler wants"
        )
    for each in cast("Sequence[object]", wanted):
        if isinstance(each, str):
            if not fnmatch.filter(EventType, each):
                logger.warning(
                    "on: this version knows no event of the name %s; EventType has all",
                    quoted(each),
                )
        elif not (isinstance(each, type) and issubclass(each, Event)):
            raise ConfigurationError(
                'on: name event classes, event types or patterns, such as @receiver.on("order.*")'
            )
    return wanted


def grouping_of(*, ordered: bool, coalesce: bool) -> Grouping:
    """Return the grouping that two options ask for.

    Raises:
        ConfigurationError: They exclude each other.
    """
    if ordered and coalesce:
        raise ConfigurationError("on: a handler is ordered or coalesced, not both")
    if coalesce:
        return Grouping.COALESCED
    return Grouping.ORDERED if ordered else Grouping.EACH


def name_of(handler: Handler) -> str:
    """Return the name under which a restarted program finds the handler's tasks again."""
    named = handler if hasattr(handler, "__qualname__") else type(handler)
    return f"{_module_of(named)}.{named.__qualname__}"


def _module_of(named: Any) -> str:
    """Return the name by which other processes, a queue's worker for instance, import a module."""
    name = str(named.__module__)
    # The second one is the program in a child of multiprocessing.
    if name not in ("__main__", "__mp_main__"):
        return name
    program = sys.modules[name]
    if program.__spec__ is not None:
        return program.__spec__.name
    file: str | None = getattr(program, "__file__", None)
    return name if file is None else Path(file).stem


def subject_of(event: Event) -> str | None:
    """Return the subscription or the order that *event* is about, such as ``subscription:501``."""
    if event.subscription is not None:
        return storable(f"subscription:{event.subscription.id}")
    return None if event.order is None else storable(f"order:{event.order.id}")


def _is_wanted(wanted: Wanted, event: Event) -> bool:
    if isinstance(wanted, type):
        return isinstance(event, wanted)
    if wanted == "*":
        return True
    # A handler of "subscription.*" counts on a subscription: an event that lacks it waits in the
    # inbox, or is for those who ask for UnknownEvent or for everything.
    readable = _fault(event) is None and (
        event.subscription is not None or not event.event.startswith("subscription.")
    )
    return readable and fnmatch.fnmatchcase(event.event, wanted)


def _fault(event: Event) -> str | None:
    return event.fault if isinstance(event, UnknownEvent) else None


def _call_plain(handler: Handler, event: Event) -> None:
    try:
        result = handler(event)
    except (SystemExit, KeyboardInterrupt, GeneratorExit, BaseExceptionGroup) as error:
        # Raised in a thread, such an error would end the thread and not the program, so the handler
        # counts as failed.
        raise RuntimeError(f"the handler raised {type(error).__name__}: {error}") from error
    check_result(result)
