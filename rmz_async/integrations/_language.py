"""The language of an answer, by the preference that a browser sends."""

from __future__ import annotations

SPOKEN = ("ar", "en")
DEFAULT = "en"


def preferred(accept_language: str) -> str:
    """Return ``ar`` or ``en``: the one that an ``Accept-Language`` header prefers.

    Args:
        accept_language: The header; English is the answer to an empty or unreadable one.
    """
    best, chosen = 0.0, DEFAULT
    for item in accept_language.split(","):
        tag, _, parameters = item.partition(";")
        language = tag.strip().lower().partition("-")[0]
        quality = _quality(parameters)
        # The first of two with the same quality is preferred.
        if language in SPOKEN and quality > best:
            best, chosen = quality, language
    return chosen


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().lower().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 1.0
