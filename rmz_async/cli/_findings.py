"""The outcome of one check of ``rmz doctor``."""

from __future__ import annotations

from enum import StrEnum

import attrs


class State(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@attrs.frozen
class Finding:
    """The outcome of one check; neither string has a secret in it.

    Attributes:
        check: The part that was looked at, such as ``token``.
        state: How the check ended.
        text: The result of the check.
        advice: The next step; empty if nothing is to be done.
    """

    check: str
    state: State
    text: str
    advice: str = ""
