"""Forms as browsers send them, and digits as people type them."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from starlette.requests import Request

__all__ = ("ascii_digits", "form_of")

_ASCII = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_NOT_DIGITS = re.compile(r"[^0-9]")


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, empty ones too; the last value counts if a name repeats."""
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))


def ascii_digits(typed: str) -> str:
    """Return the digits of *typed*, Arabic-Indic and Persian digits as ASCII, and nothing else."""
    return _NOT_DIGITS.sub("", typed.translate(_ASCII))
