"""The sentences that cyclopts writes by itself, in the language in use."""

from __future__ import annotations

import re
from functools import cache

from rmz_async.cli._printing import printable
from rmz_async.cli._wording import language, text

# A longer sentence comes before a shorter one that would fit, too.
SENTENCES = (
    "Unknown option: %(option)s.",
    "%(option)s is not a recognized option.",
    "Unknown command %(command)s.",
    "Available commands: %(commands)s, ...",
    "Available commands: %(commands)s.",
    "Did you mean %(name)s instead of %(given)s?",
    "Did you mean to place it directly after %(name)s?",
    "Did you mean %(name)s?",
    "Command %(command)s parameter %(parameter)s requires an argument.",
    "Parameter %(parameter)s requires an argument.",
    "Parameter %(parameter)s specified multiple times.",
    "Invalid value for %(parameter)s: unable to convert %(value)s into int.",
    "Invalid value for %(parameter)s: unable to convert %(value)s into float.",
    "Invalid value for %(parameter)s: unable to convert %(value)s into bool.",
    "Invalid value for %(parameter)s: unable to convert %(value)s into one of {%(choices)s}.",
    "Invalid value %(value)s for %(parameter)s.",
    "Choose from: %(choices)s.",
    "Unused Tokens: %(words)s.",
    "Must be >= %(number)s.",
    "Must be <= %(number)s.",
    "[required]",
    "[default: %(value)s]",
    "[choices: %(choices)s]",
)


def in_language(message: str) -> str:
    """Return a message of cyclopts; in English if one of its sentences has no translation."""
    translated: list[str] = []
    rest = message.strip()
    while rest:
        for sentence in SENTENCES:
            if found := _pattern(sentence).match(rest):
                values = {name: _shown(value) for name, value in found.groupdict().items()}
                translated.append(text(sentence, **values))
                rest = rest[found.end() :].lstrip()
                break
        else:
            return printable(message)
    return " ".join(translated)


def _shown(value: str) -> str:
    # Most values have quotes around them, in place of which Arabic has marks.
    return printable(value.replace('"', "") if language() == "ar" else value)


@cache
def _pattern(sentence: str) -> re.Pattern[str]:
    """Return a pattern of a sentence that another one may follow."""
    written = re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.*?)", re.escape(sentence))
    return re.compile(rf"{written}(?=\s|$)", re.DOTALL)
