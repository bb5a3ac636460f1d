"""Turn a template into a page."""

from __future__ import annotations

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from rmz_async.sandbox.hosted.languages import language_of

__all__ = ("notice", "rendered", "sent_to")

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("rmz_async.sandbox.hosted"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)
# No form-action: browsers apply it to the redirect after a form too, and that leads to the shop.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Language",
}


def rendered(request: Request, template: str, status: int = 200, **values: object) -> HTMLResponse:
    """Return *template* in the reader's language.

    Args:
        request: The one to answer.
        template: Its file.
        status: The HTTP status.
        values: What it shows; ``path`` is where the page can be got in the other language, and
            the request's own where it is left out.
    """
    language = language_of(request)
    html = _TEMPLATES.get_template(template).render(
        {"path": request.url.path, **values}, language=language, text=language.texts
    )
    return HTMLResponse(html, status, _HEADERS)


def notice(request: Request, about: str, status: int, link: tuple[str, str] | None) -> HTMLResponse:
    """Return a page that says one thing.

    Args:
        request: The one to answer.
        about: The key of its text; its title's is the same with ``_title``.
        status: The HTTP status.
        link: The key of a button's text and where it leads; None for no button.
    """
    return rendered(request, "notice.html", status, about=about, link=link)


def sent_to(url: str) -> RedirectResponse:
    """Return what makes a browser that has posted a form get *url*."""
    return RedirectResponse(url, 303, {"Cache-Control": "no-store"})
