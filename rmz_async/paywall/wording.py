"""Reasons as sentences for the customer, in English and Arabic."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from rmz_async._extras import extra
from rmz_async.paywall.access import Access, Reason

with extra("paywall", needed_by="Access.text"):
    from babel import Locale
    from babel.dates import format_date
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import NullTranslations, Translations

__all__ = ("catalogue", "text")

CATALOGUES = Path(__file__).parent / "locale"

# First strong isolate, and its end: the value keeps its own direction within the sentence.
_ISOLATE, _END = "\u2068", "\u2069"


def _(message: str) -> str:
    """Mark *message* for the catalogues."""
    return message


_PLAN = _("your plan")
_TEXTS = {
    Reason.ACTIVE: _("Your subscription to %(plan)s is active."),
    Reason.TRIALING: _("Your trial of %(plan)s is running."),
    Reason.GRACE: _("The last payment for %(plan)s failed. You keep access while it is retried."),
    Reason.PAID_TIME: _("You have paid for %(plan)s until %(day)s."),
    Reason.NO_SUBSCRIPTION: _("You have no subscription yet."),
    Reason.OTHER_PRODUCT: _("Your subscription to %(plan)s does not include this."),
    Reason.TRIAL_EXCLUDED: _("The trial of %(plan)s does not include this."),
    Reason.PAUSED: _(
        "Your subscription to %(plan)s is paused. You have access again when the pause ends."
    ),
    Reason.CANCELED: _("Your subscription to %(plan)s was canceled."),
    Reason.PERIOD_ENDED: _("Your subscription to %(plan)s has ended."),
    Reason.GRACE_ENDED: _("The payment for %(plan)s failed. Pay again to go on."),
    Reason.UNKNOWN_STATUS: _("Your subscription to %(plan)s does not give access now."),
    Reason.EXPIRED: _("Your subscription to %(plan)s has ended."),
    Reason.OUTAGE_ALLOWED: _("Your subscription cannot be checked now. You may go on meanwhile."),
}
_CANNOT_SAY = _("Your subscription cannot be checked now. Please come back in a minute.")


def text(access: Access, language: str) -> str:
    """Return the reason of *access* in *language*; see `Access.text`."""
    tag = "ar" if language.lower().replace("_", "-").split("-")[0] == "ar" else "en"
    translate = catalogue(CATALOGUES / tag / "LC_MESSAGES" / "paywall.po").ugettext
    subscription = access.subscription
    product = None if subscription is None else subscription.product
    name = None if product is None else product.name
    values = {"plan": _isolated(name or translate(_PLAN))}
    if access.until is not None:
        values["day"] = _isolated(_day(access.until, tag))
    return translate(_TEXTS.get(access.reason, _CANNOT_SAY)) % values


def _isolated(value: str) -> str:
    # A name that closes the isolate itself would reverse the rest of the sentence.
    return _ISOLATE + value.replace(_ISOLATE, "").replace(_END, "") + _END


def _day(moment: datetime, tag: str) -> str:
    locale = Locale("ar", "SA") if tag == "ar" else Locale("en")
    return format_date(moment.astimezone(UTC), "long", locale=locale)


@cache
def catalogue(path: Path) -> NullTranslations:
    """Return the translations in a file; if there is none, the messages as they are."""
    if not path.is_file():
        # The messages themselves are English.
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
