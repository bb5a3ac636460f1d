"""Turn a template into a page."""

from __future__ import annotations

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from rmz_async.sandbox.hosted.languages import COOKIE, Language, language_of
from rmz_async.sandbox.wire.below import linked_below, root_of

__all__ = ("rendered", "sent_to")

_TEMPLATES = jinja2.Environment(
    loader=jinja2.ChoiceLoader(
        [
            jinja2.PackageLoader("rmz_async.sandbox.hosted"),
            jinja2.PackageLoader("rmz_async.sandbox.dashboard"),
        ]
    ),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)
# No form-action: browsers apply it to the redirect after a form too, and that leads to the shop.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie",
    "X-Content-Type-Options": "nosniff",
}


def rendered(
    request: Request, template: str, status: int = 200, /, **values: object
) -> HTMLResponse:
    """Return *template* in the reader's language.

    Args:
        request: The request to answer.
        template: The template's file name.
        status: The HTTP status.
        values: The template's values; ``path`` is where the other language is found, and the
            request's own path if it is left out.
    """
    language = language_of(request)
    html = _TEMPLATES.get_template(template).render(
        {"path": request.url.path, **values}, language=language, _=language.text
    )
    answer = HTMLResponse(linked_below(root_of(request), html), status, _HEADERS)
    _remember(answer, request, language)
    return answer


def sent_to(url: str) -> RedirectResponse:
    """Return what makes a browser that has posted a form get *url*."""
    return RedirectResponse(url, 303, {"Cache-Control": "no-store"})


def _remember(answer: Response, request: Request, language: Language) -> None:
    # The choice of one page holds for the pages after it.
    if "lang" in request.query_params:
        answer.set_cookie(COOKIE, language.tag, httponly=True, samesite="lax")
