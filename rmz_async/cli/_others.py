"""The command of the sandbox, which reads its own words."""

from __future__ import annotations

from typing import Annotated

from rmz_async._extras import extra

with extra("cli", needed_by="The command rmz"):
    from cyclopts import Parameter

__all__ = ("sandbox",)

Words = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]


def sandbox(*words: Words) -> int:
    """Serve a local RMZ, or ask one that runs."""
    from rmz_async.sandbox.__main__ import main

    return main(words, program="rmz sandbox")
