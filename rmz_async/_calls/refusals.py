"""Pure: which fields an answer refuses, and RMZ's own words in a message of this library."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rmz_async.models._json_object import JSON

# Characters of RMZ's own words in one message: more would fill a log line, not explain a refusal.
MAX_QUOTED = 500

# Characters that join letters in Persian and Arabic words, and cannot reorder a line.
_JOINERS = "\u200c\u200d"


def quoted(text: str) -> str:
    """Return *text* as one printable line of at most 500 characters and an ellipsis.

    A line break or a terminal's control character in an answer could forge a line of a log.
    """
    # Most texts are, and a test of each character takes longer than all of the rest.
    if len(text) <= MAX_QUOTED and text.isprintable():
        return text
    line = "".join(
        character if character.isprintable() or character in _JOINERS else _escaped(character)
        for character in text[:MAX_QUOTED]
    )
    return f"{line}…" if len(text) > MAX_QUOTED else line


def field_errors(status: int, body: JSON) -> dict[str, tuple[str, ...]]:
    """Return RMZ's reasons by field path; empty if the answer names no field.

    Most pages of RMZ document them under ``errors``, and those about products under ``data``.
    """
    fields = body if isinstance(body, dict) else {}
    found, data = fields.get("errors"), fields.get("data")
    # PHP writes "no errors" as a list.
    if isinstance(found, dict) and found:
        return _flattened(found)
    # ``data`` may be an object of the shop instead, whose values are no lists of reasons.
    if status in (400, 422) and isinstance(data, dict) and all(map(_are_reasons, data.values())):
        return _flattened(data)
    return {}


def summary(errors: Mapping[str, tuple[str, ...]]) -> str:
    """Return field errors as the words of a message."""
    return "; ".join(f"{field}: {', '.join(reasons)}" for field, reasons in errors.items())


def _flattened(found: dict[str, JSON]) -> dict[str, tuple[str, ...]]:
    """Return all strings below each field, under the path that leads to them."""
    reasons: dict[str, list[str]] = {}
    # A loop and not a recursion, because an answer may be nested as deep as the parser allows.
    pending: list[tuple[str, JSON]] = list(reversed(found.items()))
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            pending += [(f"{path}.{key}", inner) for key, inner in reversed(value.items())]
            continue
        if isinstance(value, list):
            if not any(isinstance(inner, (dict, list)) for inner in value):
                reasons.setdefault(path, [])
            pending += [(path, inner) for inner in reversed(value)]
            continue
        reasons.setdefault(path, []).extend([] if value is None else [_as_text(value)])
    return {path: tuple(texts) for path, texts in reasons.items()}


def _are_reasons(value: JSON) -> bool:
    return isinstance(value, list) and all(isinstance(reason, str) for reason in value)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
