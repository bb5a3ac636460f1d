"""A library that answers whether a user may in, and two users to ask it about."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

PAYER = "usr_1"
STRANGER = "usr_2"
FLAG = "pro"
PLANS = {PAYER: "pro-plan", STRANGER: "free"}


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A library, ready to answer from memory.

    Attributes:
        name: The library and its version.
        call: The call that is measured.
        payer: Asks about a user who may in; takes nothing, so that all cost the same around it.
        stranger: Asks about a user who may not.
        granted: Reads an answer.
        is_async: Whether answers are awaited.
        close: Ends the library's threads and connections.
    """

    name: str
    call: str
    payer: partial[Any]
    stranger: partial[Any]
    granted: Callable[[Any], bool] = bool
    is_async: bool = False
    close: Callable[[], object] = bool


def library(name: str) -> Any:
    """Import a rival's module; a type checker need not have it installed."""
    return importlib.import_module(name)
