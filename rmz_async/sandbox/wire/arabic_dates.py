"""Moments as the dashboard words them: labels for people, mostly Arabic."""

from __future__ import annotations

from datetime import datetime

__all__ = ("day_and_time", "english", "relative", "weekday_and_time")

_WEEKDAYS = ("الإثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد")
_MONTHS = (
    *("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو"),
    *("يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
)
# Not strftime's names: they follow the process's locale.
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


def relative(moment: datetime, now: datetime) -> str:
    """Write how long ago *moment* was, or how far it is: ``منذ شهرين``, ``بعد 3 أيام``."""
    distance = int((now - moment).total_seconds())
    word = "منذ" if distance >= 0 else "بعد"
    seconds = max(1, abs(distance))
    size, one, two, few, many = next(unit for unit in _UNITS if seconds >= unit[0])
    count = seconds // size
    # Arabic counts three to ten with the plural, and what is above with the singular.
    text = {1: one, 2: two}.get(count) or (few if count <= 10 else many).format(count)
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
