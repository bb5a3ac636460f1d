"""Functions that users pass in: are they async, and how can they be called?"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def is_async(function: Callable[..., object]) -> bool:
    """Return whether *function*, or the ``__call__`` of an object, is an async function."""
    inner = _innermost(function)
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(type(inner).__call__)


def is_generator(function: Callable[..., object]) -> bool:
    """Return whether *function*, or the ``__call__`` of an object, yields."""
    inner = _innermost(function)
    return any(
        inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each)
        for each in (inner, type(inner).__call__)
    )


def takes_one(function: Callable[..., object]) -> bool:
    """Return whether *function* can be called with one argument."""
    try:
        # A decorator may pass arguments of its own to the function that it wraps.
        signature = inspect.signature(function, follow_wrapped=False)
    except (TypeError, ValueError):
        # Some functions that are written in C have no signature.
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


def check_result(result: object) -> None:
    """Refuse a result whose code has not run: the work would silently be left undone.

    Raises:
        TypeError: *result* is a coroutine or a generator.
    """
    if inspect.iscoroutine(result):
        result.close()
        raise TypeError(
            "the function returned a coroutine, which did not run: make the function async, and "
            "await the coroutine there"
        )
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        raise TypeError("the function returned a generator, which did not run: it must not yield")


def _innermost(function: Any) -> Any:
    # inspect looks into a partial, but not for an object whose __call__ is async.
    while isinstance(function, (functools.partial, staticmethod)):
        function = function.__func__ if isinstance(function, staticmethod) else function.func
    return function
