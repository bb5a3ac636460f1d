"""The words of the command in English and Arabic."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path

from rmz_async.paywall.wording import catalogue

CATALOGUES = Path(__file__).parent / "locale"
_OPTION = "--language"
# In the order in which POSIX asks for them.
_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
# First strong isolate, and its end: a value keeps its own direction within the sentence.
ISOLATE, END = "\u2068", "\u2069"
RIGHT_TO_LEFT = "\u200f"

# The catalogue itself has the marks of one direction, too.
MARKS = f"{ISOLATE}{END}{RIGHT_TO_LEFT}\u200e"
_WITHOUT_MARKS = str.maketrans("", "", MARKS)

_chosen = ContextVar("_chosen", default="en")


def language_of(words: Sequence[str], environment: Mapping[str, str] = os.environ) -> str:
    """Return ``ar`` or ``en``: what the command line asks for, or else the environment."""
    named = ""
    for index, word in enumerate(words):
        if word == _OPTION:
            named = "".join(words[index + 1 : index + 2])
        elif word.startswith(f"{_OPTION}="):
            named = word.partition("=")[2]
    named = named or next(filter(None, map(environment.get, _VARIABLES)), "")
    return "ar" if re.match(r"ar(?![a-z])", named, re.IGNORECASE) else "en"


def without_language(words: Sequence[str]) -> list[str]:
    """Return *words* without the option that names the language, for a parser that has none."""
    return [
        word
        for before, word in zip(("", *words), words, strict=False)
        if _OPTION not in (before, word) and not word.startswith(f"{_OPTION}=")
    ]


def use_language(tag: str) -> None:
    """Write all that follows in a language, ``ar`` or ``en``."""
    _chosen.set(tag)


def language() -> str:
    """Return the language in use."""
    return _chosen.get()


def text(message: str, /, **values: object) -> str:
    """Return *message* in the language in use, with its placeholders filled in."""
    tag = _chosen.get()
    translated = catalogue(CATALOGUES / tag / "LC_MESSAGES" / "cli.po").ugettext(message)
    if tag == "ar":
        values = {name: f"{ISOLATE}{value}{END}" for name, value in values.items()}
    # Without values a percent sign is only a percent sign.
    return translated % values if values else translated


def without_marks(sentence: str) -> str:
    """Return *sentence* for a program, which would stumble over the marks of direction."""
    return sentence.translate(_WITHOUT_MARKS)
