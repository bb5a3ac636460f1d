"""Forms as browsers send them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

__all__ = ("form_of",)


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form, empty ones too; the last value counts if a name repeats."""
    body = (await request.body()).decode("utf-8", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))
