"""The commands of the inbox and of the sandbox, which read their own words."""

from __future__ import annotations

from typing import Annotated

from rmz_async._extras import extra

with extra("cli", needed_by="The command rmz"):
    from cyclopts import Parameter

__all__ = ("sandbox", "webhooks")

Words = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]


def webhooks(*words: Words) -> int:
    """Look into an inbox, and run events again: stats, list, show, replay, purge."""
    from rmz_async.webhooks.__main__ import main

    return main(words, program="rmz webhooks")


def sandbox(*words: Words) -> int:
    """Serve a local RMZ, or ask one that runs."""
    from rmz_async.sandbox.__main__ import main

    return main(words, program="rmz sandbox")
