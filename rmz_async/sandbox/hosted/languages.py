"""Languages of the pages: words from gettext catalogues; numbers, money and dates from CLDR."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import attrs
from babel import Locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent
from babel.support import NullTranslations, Translations
from babel.units import format_unit
from starlette.requests import Request

from rmz_async.sandbox.store.durations import Duration

__all__ = ("ARABIC", "CATALOGUES", "COOKIE", "ENGLISH", "Language", "language_of")

COOKIE = "rmz-language"

CATALOGUES = Path(__file__).parent / "locale"
# Babel takes separators and patterns from CLDR, and writes every number in ASCII digits.
_ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@attrs.frozen
class Language:
    """A language that the pages are read in.

    Attributes:
        tag: For ``<html lang>`` and ``?lang=``.
        locale: CLDR's rules for the language as it is used in Saudi Arabia.
    """

    tag: str
    locale: Locale

    @property
    def direction(self) -> str:
        """``rtl`` or ``ltr``."""
        return self.locale.text_direction

    @property
    def translations(self) -> NullTranslations:
        """The catalogue of the pages' words."""
        return _catalogue(self.tag)

    def text(self, message: str, /, **values: object) -> str:
        """Return *message*, translated, with its placeholders filled in."""
        translated = self.translations.ugettext(message)
        # Without values a percent sign is only a percent sign.
        return translated % values if values else translated

    def price(self, amount: Decimal) -> str:
        """Return an amount in SAR."""
        # CLDR asks for a space between a letter and a digit, and Babel leaves it out.
        pattern = "¤\u00a0#,##0.00" if self.tag == "en" else None
        shown = format_currency(
            amount, "SAR", pattern, locale=self.locale, numbering_system="default"
        )
        return self._digits(shown)

    def count(self, number: int) -> str:
        """Return a number of pieces."""
        shown = format_decimal(number, locale=self.locale, numbering_system="default")
        return self._digits(shown)

    def percent(self, rate: Decimal) -> str:
        """Return a rate, in percent."""
        shown = format_percent(rate / 100, locale=self.locale, numbering_system="default")
        return self._digits(shown)

    def every(self, duration: Duration) -> str:
        """Return how often a subscription of *duration* is paid for, such as ``every 3 months``."""
        months = duration.months
        plural = self.translations.ungettext
        if months % 12:
            words = plural("every month", "every %(period)s", months)
            period = self._unit(months, "month")
        else:
            words = plural("every year", "every %(period)s", months // 12)
            period = self._unit(months // 12, "year")
        return words % {"period": period}

    def days(self, number: int) -> str:
        """Return a number of days, such as ``14 days``."""
        return self._unit(number, "day")

    def day(self, moment: datetime) -> str:
        """Return the day of *moment*, UTC."""
        return self._digits(format_date(moment.astimezone(UTC), "long", locale=self.locale))

    def time(self, moment: datetime) -> str:
        """Return the time of day of *moment*, with ``UTC`` behind it."""
        shown = format_time(moment.astimezone(UTC), "short", locale=self.locale)
        return f"{self._digits(shown)} UTC"

    def _unit(self, number: int, unit: str) -> str:
        return self._digits(format_unit(number, f"duration-{unit}", locale=self.locale))

    def _digits(self, shown: str) -> str:
        return shown.translate(_ARABIC_INDIC) if self.tag == "ar" else shown


ENGLISH = Language("en", Locale("en"))
ARABIC = Language("ar", Locale("ar", "SA"))
_BY_TAG: Mapping[str, Language] = {"ar": ARABIC, "en": ENGLISH}


def language_of(request: Request) -> Language:
    """Return the language that ``?lang=`` or the cookie names; Arabic if neither names one."""
    named = request.query_params.get("lang") or request.cookies.get(COOKIE, "")
    return _BY_TAG.get(named, ARABIC)


@cache
def _catalogue(tag: str) -> NullTranslations:
    path = CATALOGUES / tag / "LC_MESSAGES" / "hosted.po"
    if not path.is_file():
        # The messages themselves are English.
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
