"""Digits as people type them."""

from __future__ import annotations

import re

__all__ = ("ascii_digits",)

_ASCII = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_NOT_DIGITS = re.compile(r"[^0-9]")


def ascii_digits(typed: str) -> str:
    """Return the digits of *typed*, Arabic-Indic and Persian digits as ASCII, and nothing else."""
    return _NOT_DIGITS.sub("", typed.translate(_ASCII))
