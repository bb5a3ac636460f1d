"""A plugin of pytest: looks for every secret that the library is given, in all that it shows.

That is: each record of any logger; the message of each error that leaves it, the variables of the
frames that the error passed, its attributes and its pickle; and the repr and the pickle of what it
returns. Loaded with ``-p``, before any test imports anything.
"""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import os
import pickle
import pkgutil
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import pytest

import rmz_async.resources
import rmz_async.webhooks
import rmz_sync.resources
from rmz_async._calls.token import Secret
from rmz_async._transport import Transport
from rmz_async.webhooks import signature
from rmz_async.webhooks._secrets import CurrentKeys, Keys

DIRECTORY = "RMZ_CANARY"
"""The environment variable that names the directory for the result."""

RESULT = "canary.json"


class Notes(logging.Handler):
    """The secrets that were given, and the places at which they were seen."""

    def __init__(self, directory: Path) -> None:
        super().__init__(logging.DEBUG)
        self._result = directory / RESULT
        self._secrets: set[str] = set()
        self._shown: Counter[str] = Counter()
        self._sightings: list[tuple[str, str]] = []

    def give(self, secret: object) -> None:
        """Note a secret, unless its like may stand anywhere by chance."""
        # The part of a token after the bar is the secret.
        part = secret.rpartition("|")[2] if isinstance(secret, str) else ""
        if part.isascii() and len(part) >= 12 and len(set(part)) >= 8:
            self._secrets.add(part)

    def show(self, kind: str, text: str) -> None:
        """Look for the secrets in what was shown."""
        self._shown[kind] += 1
        for secret in tuple(self._secrets):
            before, found, after = text.partition(secret)
            if found:
                self._sightings.append((kind, f"{before[-200:]}<<secret>>{after[:80]}"))

    def emit(self, record: logging.LogRecord) -> None:
        """Note a record of a logger."""
        self.show("log", f"{record.getMessage()} {vars(record)!r}")

    def show_error(self, error: BaseException, passed: TracebackType | None) -> None:
        """Note all that anyone can see of an error.

        Args:
            error: The error.
            passed: Its traceback, from the first frame that is not this plugin's.
        """
        for one in chain(error):
            frames = passed if one is error else one.__traceback__
            summary = traceback.TracebackException(type(one), one, frames, capture_locals=True)
            self.show("variables", "".join(summary.format()))
            self.show("error", f"{one} {one!r} {one.args!r} {vars(one)!r}")
            self.show("pickle", pickled(one))

    def show_result(self, result: object) -> None:
        """Note what a call returned."""
        self.show("result", repr(result))
        self.show("pickle", pickled(result))

    def close(self) -> None:
        """Write what was found."""
        found = {
            "secrets": sorted(self._secrets),
            "shown": self._shown,
            "sightings": self._sightings,
        }
        self._result.write_text(json.dumps(found), encoding="utf-8")
        super().close()


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from or during, suppressed or not."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
            yield one


def pickled(value: object) -> str:
    """Return the pickle as a string, or why there is none."""
    try:
        return repr(pickle.dumps(value))
    except Exception as error:  # noqa: BLE001 - what cannot be pickled may say anything
        return repr(error)


def watched(work: Callable[..., Any], notes: Notes) -> Callable[..., Any]:
    """Return *work*, with what it raises and returns noted."""
    if inspect.iscoroutinefunction(work):

        @wraps(work)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            try:
                result = await work(*args, **kwargs)
            except BaseException as error:
                notes.show_error(error, error.__traceback__ and error.__traceback__.tb_next)
                raise
            notes.show_result(result)
            return result

        return run_async

    @wraps(work)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            result = work(*args, **kwargs)
        except BaseException as error:
            notes.show_error(error, error.__traceback__ and error.__traceback__.tb_next)
            raise
        notes.show_result(result)
        return result

    return run


def resources(package: ModuleType) -> Iterator[type]:
    """All classes through which calls are made."""
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if inspect.isclass(value) and value.__module__ == module.__name__:
                yield value


def watch(notes: Notes) -> None:
    """Put the plugin between the library and its users."""
    for package in (rmz_async, rmz_sync):
        replace(package.Client, "__init__", partial(watched, notes=notes))
    for kind in [*resources(rmz_async.resources), *resources(rmz_sync.resources), Transport]:
        for name, value in list(vars(kind).items()):
            if not name.startswith("_") and inspect.isfunction(value):
                replace(kind, name, partial(watched, notes=notes))
    verify = watched(signature.verify, notes)
    for module in (signature, rmz_async.webhooks):
        replace(module, "verify", lambda _: verify)
    for kind in (Secret, Keys, CurrentKeys):
        replace(kind, "__init__", partial(noting, notes=notes))


def replace(
    owner: object, name: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    """Put what *make* makes of a function in its place, for as long as the process runs."""
    setattr(owner, name, make(getattr(owner, name)))


def noting(init: Callable[..., None], notes: Notes) -> Callable[..., None]:
    """Return *init*, which is given one secret or several, with those noted."""

    def run(self: object, given: object) -> None:
        for secret in given if isinstance(given, list | tuple) else [given]:
            notes.give(secret)
        init(self, given)

    return run


def pytest_configure(config: pytest.Config) -> None:
    """Begin, before the tests are imported."""
    notes = Notes(Path(os.environ[DIRECTORY]))
    config.add_cleanup(notes.close)
    logging.getLogger().addHandler(notes)
    for name in (None, "rmz_async", "httpx", "httpcore", "asyncio", "anyio", "aiohttp"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    # Each new event loop says so, and tests that count the lines of the log would fail.
    logging.getLogger("asyncio").addFilter(
        lambda record: not record.getMessage().startswith("Using selector")
    )
    watch(notes)
