from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from rmz_async.cli import _help, _sandbox, main
from rmz_async.cli._findings import State
from rmz_async.cli._sentences import SENTENCES, in_language
from rmz_async.cli._wording import CATALOGUES, language_of, text, use_language

COMMANDS = (
    *("webhooks", "webhooks stats", "webhooks list", "webhooks show", "webhooks replay"),
    *("webhooks reconcile", "webhooks purge", "webhooks create", "webhooks schema"),
    *("", "access", "doctor", "listen", "plans", "orders", "orders get", "orders list"),
    *("products", "products list", "subscriptions", "subscriptions get", "subscriptions list"),
    *("subscriptions lookup", "subscriptions extend", "subscriptions pause"),
    *("subscriptions unpause", "subscriptions cancel"),
)


def translations() -> dict[str, str]:
    """The catalogue."""
    with (CATALOGUES / "ar" / "LC_MESSAGES" / "cli.po").open("rb") as file:
        return {str(each.id): str(each.string) for each in read_po(file) if each.id}


def messages() -> set[str]:
    """All messages in the code."""
    calls = {"text": None, "_": None}
    found = extract_from_dir(CATALOGUES.parent, method_map=[("**.py", "python")], keywords=calls)
    return {str(each[2]) for each in found} - {" "}


@pytest.mark.filterwarnings("ignore:Skipping f-string")
def test_every_message_is_translated() -> None:
    assert messages() | set(State) | set(SENTENCES) <= translations().keys()


def test_a_translation_has_the_placeholders_of_its_message() -> None:
    for message, translation in translations().items():
        assert translation
        values = dict.fromkeys(re.findall(r"%\((\w+)\)s", message), "x")
        assert (translation % values if values else translation) != message or message == "Redis"


@pytest.mark.parametrize("command", COMMANDS)
def test_all_of_the_help_is_translated(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: set[str] = set()

    def recorded(message: str, **values: object) -> str:
        asked.add(message)
        return text(message, **values)

    monkeypatch.setattr(_help, "text", recorded)

    assert main([*command.split(), "--help", "--language", "ar"]) == 0
    assert asked
    assert asked <= translations().keys()
    assert re.search("[\u0600-\u06ff]", capsys.readouterr().out)


@pytest.mark.parametrize(
    "command", ["", "serve", "advance", "emit", "resend", "list", "run", "--language ar list"]
)
def test_all_of_the_sandboxs_help_is_translated(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the language of the environment, or by the option, which the sandbox has not."""
    asked: set[str] = set()

    def recorded(message: str, **values: object) -> str:
        asked.add(message)
        return text(message, **values)

    monkeypatch.setattr(_sandbox, "text", recorded)
    monkeypatch.setenv("LC_ALL", "en" if "--language" in command else "ar_SA.UTF-8")

    with pytest.raises(SystemExit, match="0"):
        main(["sandbox", *command.split(), "--help"])
    assert len(asked) > 3
    assert asked <= translations().keys()
    assert not re.search("usage|options|the ", capsys.readouterr().out)


@pytest.mark.parametrize(("language", "begins"), [("ar", "\u200f\u2068"), ("en", "usage: ")])
def test_a_terminal_gets_the_sandboxs_help_in_the_direction_of_the_language(
    language: str,
    begins: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each column has marks of its own, because its words may be of the other direction."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    with pytest.raises(SystemExit, match="0"):
        main(["sandbox", "list", "--help", "--language", language])

    written = capsys.readouterr().out
    assert written.startswith(begins)
    assert ("\u2068--json\u2069" in written) is (language == "ar")
    assert ("\u2068rmz sandbox list [-h]" in written) is (language == "ar")
    assert all(line.startswith("\u200f") is (language == "ar") for line in written.splitlines())


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


@pytest.mark.parametrize(
    "words",
    [
        *("subscriptions get", "subscriptions gte 3", "subscriptions list --jsno", "nothing", "-x"),
        *("subscriptions get x", "subscriptions extend 501 --days 3 --days 4", "plans a"),
        *("subscriptions cancel 5 --effective imediate", "plans --csv=3", "plans -xyz"),
        "subscriptions extend 501 --days",
    ],
)
def test_a_wrong_command_line_is_explained_in_arabic(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Values alone keep their letters, within the marks of their direction."""
    monkeypatch.setenv("LC_ALL", "ar_SA.UTF-8")

    assert main(words.split()) == 2

    (line,) = capsys.readouterr().err.splitlines()
    sentence = re.sub("\u2068.*?\u2069", "", line.removeprefix("\u200frmz: "))
    assert re.search("[\u0600-\u06ff]", sentence)
    assert not re.search("[A-Za-z]", sentence)


def test_a_message_without_a_translation_stays_english_and_harmless() -> None:
    use_language("ar")

    assert in_language("Something else: \x1b[2J.") == "Something else: \\x1b[2J."
    assert "\x1b" not in in_language("Unknown option: --\x1b[2J.")


@pytest.mark.parametrize(
    ("command", "notes"),
    [
        ("subscriptions get", ["الاستخدام", "الخيارات", "[مطلوب]", "[القيم: "]),
        ("listen", ["[الافتراضي: "]),
        ("", ["الأوامر"]),
    ],
)
def test_headings_and_notes_of_the_help_are_arabic(
    command: str, notes: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command.split(), "--help", "--language", "ar"]) == 0

    output = capsys.readouterr().out
    for note in notes:
        assert note in output
    assert not re.search(r"Usage|Commands|Parameters|\[default|\[required|\[choices", output)


def test_help_of_a_switch_has_no_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["subscriptions", "extend", "--help"]) == 0
    assert "default" not in capsys.readouterr().out
