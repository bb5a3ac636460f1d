"""The language that a browser prefers, of the two in which there are words."""

from __future__ import annotations

import pytest

from rmz_async.integrations._language import preferred


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ar", "ar"),
        ("AR-sa", "ar"),
        ("en-US,en;q=0.9,ar;q=0.8", "en"),
        ("ar;q=0.1,en;q=0.9", "en"),
        ("en;q=0.3, ar ; q=0.7", "ar"),
        ("fr, ar;q=0.2", "ar"),
        ("en;q=0, ar;q=0.1", "ar"),
        ("ar;q=0", "en"),
        ("ar,en", "ar"),
        ("en,ar", "en"),
        ("arn, fr", "en"),
        ("ar;q=high", "ar"),
        ("ar;level=1", "ar"),
        (";;,,=", "en"),
        ("*", "en"),
    ],
)
def test_the_language_of_the_highest_quality_is_chosen(header: str, language: str) -> None:
    """The first of two with the same quality; English if neither is wanted."""
    assert preferred(header) == language
