from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from rmz_async.cli._wording import language_of, text, use_language


@pytest.mark.parametrize(
    ("words", "environment", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "ar_SA.UTF-8"}, "ar"),
        ([], {"LANG": "arn_CL"}, "en"),
        ([], {"LANG": "ar_SA", "LC_ALL": "C.UTF-8"}, "en"),
        ([], {"LANG": "en_US", "LC_MESSAGES": "ar", "LC_ALL": ""}, "ar"),
        (["plans", "--language", "ar"], {"LANG": "en"}, "ar"),
        (["plans", "--language=en"], {"LANG": "ar"}, "en"),
        (["plans", "--language"], {}, "en"),
    ],
)
def test_the_command_line_names_the_language_or_else_the_environment(
    words: Sequence[str], environment: Mapping[str, str], language: str
) -> None:
    assert language_of(words, environment) == language


def test_a_value_keeps_its_direction_in_an_arabic_sentence() -> None:
    use_language("ar")

    assert text("%(day)s", day="2026-05-01") == "\u20682026-05-01\u2069"
