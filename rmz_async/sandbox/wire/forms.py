"""The forms of single values on the wire, Arabic labels among them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

__all__ = (
    "arabic_digits",
    "assoc",
    "date",
    "day_and_time",
    "english",
    "instant",
    "money_text",
    "optional_instant",
    "price_label",
    "relative",
    "row_time",
    "weekday_and_time",
)

_ARABIC_INDIC = str.maketrans("0123456789.,", "٠١٢٣٤٥٦٧٨٩٫٬")
_WEEKDAYS = ("الإثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد")
_MONTHS = (
    *("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو"),
    *("يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
)
# strftime's names would follow the process's locale.
_ENGLISH_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ENGLISH_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
# A unit's seconds, then what one, two, three to ten, and more of it are called.
_UNITS = (
    (31536000, "سنة", "سنتين", "{} سنوات", "{} سنة"),
    (2592000, "شهر", "شهرين", "{} أشهر", "{} شهر"),
    (604800, "أسبوع", "أسبوعين", "{} أسابيع", "{} أسبوع"),
    (86400, "يوم واحد", "يومين", "{} أيام", "{} يوم"),
    (3600, "ساعة واحدة", "ساعتين", "{} ساعات", "{} ساعة"),
    (60, "دقيقة واحدة", "دقيقتين", "{} دقائق", "{} دقيقة"),
    (1, "ثانية واحدة", "ثانيتين", "{} ثوان", "{} ثانية"),
)


def instant(moment: datetime) -> str:
    """Write a moment as most answers do, ``2024-01-01T00:00:00.000000Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"


def optional_instant(moment: datetime | None) -> str | None:
    """Write a moment that may be missing."""
    return None if moment is None else instant(moment)


def row_time(moment: datetime) -> str:
    """Write a moment as lists do, ``2024-01-01 00:00:00``."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def date(moment: datetime) -> str:
    """Write only the day, ``2024-01-01``."""
    return f"{moment:%Y-%m-%d}"


def price_label(amount: Decimal) -> str:
    """Write a price for a reader of Arabic, ``١٩٩٫٩٩ ر.س``."""
    return arabic_digits(f"{amount:,.2f}") + " ر.س"


def arabic_digits(text: str) -> str:
    """Write digits and separators as a reader of Arabic expects them."""
    return text.translate(_ARABIC_INDIC)


def money_text(amount: Decimal) -> str:
    """Write an amount as webhooks do, ``149.00``."""
    return f"{amount:.2f}"


def assoc(values: Mapping[str, object] | None) -> Mapping[str, object] | list[object] | None:
    """Write an object as PHP does: with no keys, or with the keys 0, 1, 2 …, it is a list."""
    if values is not None and list(values) == [str(number) for number in range(len(values))]:
        return list(values.values())
    return values


def relative(moment: datetime, now: datetime) -> str:
    """Write how long ago *moment* was, or how far it is: ``منذ شهرين``, ``بعد 3 أيام``."""
    distance = int((now - moment).total_seconds())
    word = "منذ" if distance >= 0 else "بعد"
    seconds = max(1, abs(distance))
    size, singular, two, few, many = next(unit for unit in _UNITS if seconds >= unit[0])
    count = seconds // size
    # Arabic counts three to ten with the plural, and what is above with the singular.
    text = {1: singular, 2: two}.get(count) or (few if count <= 10 else many).format(count)
    return f"{word} {text}"


def day_and_time(moment: datetime, *, comma: bool) -> str:
    """Write ``15 يناير 2024، 2:30 م``, with or without the *comma*."""
    separator = "، " if comma else " "
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}{separator}{_time(moment)}"


def weekday_and_time(moment: datetime) -> str:
    """Write ``الأحد، مارس 30، 2026 2:30 م``."""
    weekday = _WEEKDAYS[moment.weekday()]
    return f"{weekday}، {_MONTHS[moment.month - 1]} {moment.day}، {moment.year} {_time(moment)}"


def english(moment: datetime) -> str:
    """Write ``Mon, Jan 15, 2024 2:30 PM``."""
    day = f"{_ENGLISH_WEEKDAYS[moment.weekday()]}, {_ENGLISH_MONTHS[moment.month - 1]} {moment.day}"
    half = "AM" if moment.hour < 12 else "PM"
    return f"{day}, {moment.year} {moment.hour % 12 or 12}:{moment:%M} {half}"


def _time(moment: datetime) -> str:
    half = "ص" if moment.hour < 12 else "م"
    return f"{moment.hour % 12 or 12}:{moment:%M} {half}"
