"""Pages that say one thing and lead on, in place of the page that was asked for."""

from __future__ import annotations

import attrs
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from rmz_async.sandbox.hosted.rendering import rendered
from rmz_async.sandbox.hosted.words import _

__all__ = (
    "EXPIRED",
    "LEFT",
    "LOCKED",
    "MISSING",
    "PAID",
    "SOLD_OUT",
    "USED",
    "InsteadError",
    "Notice",
    "answer_instead",
    "missing",
    "notice",
)


@attrs.frozen
class Notice:
    """The words of a page, in English; the catalogues translate each string.

    Attributes:
        button: The label of the link, if the page has one.
    """

    status: int
    title: str
    words: str
    button: str = ""


MISSING = Notice(
    404, _("There is no such page"), _("The link is wrong. Go back to the shop and start again.")
)
EXPIRED = Notice(
    410,
    _("This page has expired"),
    _("Nothing was charged. Go back to the shop and start again."),
    _("Back to the shop"),
)
PAID = Notice(
    200,
    _("This is paid already"),
    _("Your subscription is ready, and you are not charged twice."),
    _("Continue to the shop"),
)
USED = Notice(
    410,
    _("This link was used already"),
    _("A link to the billing portal opens once. Ask the shop for a new one."),
    _("Back to the shop"),
)
LEFT = Notice(200, _("You have left the portal"), _("You can close this page."))
LOCKED = Notice(
    423,
    _("This visit is locked"),
    _("The code was wrong five times. Ask the shop for a new link."),
    _("Back to the shop"),
)
SOLD_OUT = Notice(
    409,
    _("This is sold out"),
    _("Someone else was faster. Nothing was charged."),
    _("Back to the shop"),
)


def notice(request: Request, about: Notice, link: str | None = None) -> HTMLResponse:
    """Return the page of a notice."""
    return rendered(request, "notice.html", about.status, notice=about, link=link)


class InsteadError(Exception):
    """Ends a request with *answer*, from whatever depth."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


def missing(request: Request) -> InsteadError:
    """Return what ends a request that names nothing that is there."""
    return InsteadError(notice(request, MISSING))


async def answer_instead(_: Request, error: Exception) -> Response:
    """Answer a request that an `InsteadError` has ended."""
    assert isinstance(error, InsteadError)
    return error.answer
