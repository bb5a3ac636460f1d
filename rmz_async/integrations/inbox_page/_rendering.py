"""Templates and words of the page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from rmz_async.integrations._language import SPOKEN, preferred
from rmz_async.paywall.wording import catalogue

HERE = Path(__file__).parent

# No script and no style of another origin, nor one that an error's text might bring along.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def _readable(body: bytes) -> str:
    """Return *body* with a line for each field, or as it came if that would change it."""
    try:
        content = json.loads(body, parse_float=_unchanged, object_pairs_hook=_with_unique_keys)
        text = json.dumps(content, indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "backslashreplace")
    # Halves of characters, which JSON can name and no page can hold.
    return text.encode("utf-8", "backslashreplace").decode()


def _unchanged(text: str) -> float:
    number = float(text)
    if repr(number) != text:
        raise ValueError("the page would show another number")
    return number


def _with_unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice, and the page would show one")
    return found


class Renderer:
    """Renders pages in the language of the reader."""

    def __init__(self, *, allow_changes: bool, show_content: bool) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
        )
        self._options = {"allow_changes": allow_changes, "show_content": show_content}

    def page(self, request: Request, template: str, **values: object) -> Response:
        """Return a page that no browser keeps and no other page may frame."""
        language = language_of(request)
        locale = Locale("ar", "SA") if language == "ar" else Locale("en")
        words = catalogue(HERE / "locale" / language / "LC_MESSAGES/inbox_page.po")

        def moment(seconds: float) -> str:
            shown = format_datetime(datetime.fromtimestamp(seconds, UTC), "medium", locale=locale)
            return f"{shown} UTC"

        html = self._environment.get_template(template).render(
            {
                **values,
                **self._options,
                "_": words.ugettext,
                "language": language,
                "moment": moment,
                "readable": _readable,
                "request": request,
            }
        )
        return HTMLResponse(
            html,
            headers={
                "Cache-Control": "no-store",
                "Content-Security-Policy": POLICY,
                "Referrer-Policy": "same-origin",
                "Vary": "Accept-Language",
                "X-Content-Type-Options": "nosniff",
            },
        )


def language_of(request: Request) -> str:
    """Return ``ar`` or ``en``: the query's, or the one that the browser prefers."""
    asked = request.query_params.get("lang", "")
    return asked if asked in SPOKEN else preferred(request.headers.get("accept-language", ""))
