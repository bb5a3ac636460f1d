from __future__ import annotations

import copy
import json
import pickle
import traceback
from collections.abc import Awaitable

import anyio
import pytest

from rmz_async import ConfigurationError
from rmz_async._calls.token import Secret, Tokens, as_secret, validated

CANARY = "1|S3CRETcanary"


@pytest.mark.parametrize("show", [repr, str, format, ascii, "{}".format, "%s".__mod__])
def test_a_secret_is_not_shown(show: object) -> None:
    """No way of writing a secret writes it."""
    assert callable(show)
    assert show(Secret(CANARY)) == "Secret('***')"


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_not_copied(take: object) -> None:
    """A secret cannot travel in a pickle."""
    assert callable(take)
    with pytest.raises(TypeError, match="cannot be pickled or copied"):
        take(Secret(CANARY))


def test_a_secret_has_no_dictionary() -> None:
    """A search through an object's variables finds none."""
    assert not hasattr(Secret(CANARY), "__dict__")


def test_a_secret_is_revealed() -> None:
    """A caller that needs the string asks for it."""
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize("token", ["x", "1|AbC", "!~", "x" * 512])
def test_visible_ascii_tokens_are_accepted(token: str) -> None:
    """1 to 512 visible ASCII characters can travel in a header."""
    assert validated(Secret(token)).reveal() == token


def test_an_empty_token_is_missing() -> None:
    """The error names the two places to put a token."""
    with pytest.raises(ConfigurationError, match=r"token: is missing; set RMZ_API_TOKEN"):
        Tokens("")


@pytest.mark.anyio
@pytest.mark.parametrize("written", ["", None])
async def test_a_token_may_still_come_before_the_first_call(
    written: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client can be made at import, and the environment completed later."""
    monkeypatch.delenv("RMZ_API_TOKEN", raising=False)
    if written is not None:
        monkeypatch.setenv("RMZ_API_TOKEN", written)
    tokens, turn = Tokens(None), anyio.Lock()

    assert not tokens.renewable
    with pytest.raises(ConfigurationError, match="token: is missing"):
        await tokens.renew(None, turn)
    monkeypatch.setenv("RMZ_API_TOKEN", "1|late")
    assert (await tokens.renew(None, turn)).reveal() == "1|late"


@pytest.mark.parametrize("character", ["\n", "\r\n", " ", "\t", "\x00", "\x7f", "é", "١", "\ud800"])
@pytest.mark.parametrize("place", ["{}{}", "{1}{0}"])
def test_a_token_that_no_header_can_hold_is_refused(character: str, place: str) -> None:
    """The HTTP library would print such a token; the refusal does not."""
    with pytest.raises(ConfigurationError, match="1 to 512 visible ASCII characters") as caught:
        Tokens(place.format(CANARY, character))

    assert "S3CRET" not in str(caught.value)


@pytest.mark.parametrize("word", ["Bearer", "bearer"])
def test_a_token_with_the_word_of_its_header_is_refused_with_the_reason(word: str) -> None:
    with pytest.raises(ConfigurationError, match="must not begin with the word Bearer"):
        Tokens(f"{word} 1|a-token")


def test_a_token_of_513_characters_is_refused() -> None:
    """A file's whole content is no token."""
    with pytest.raises(ConfigurationError, match="1 to 512 visible ASCII characters"):
        Tokens("x" * 513)


@pytest.mark.parametrize("token", [CANARY.encode(), 5, [CANARY]])
def test_a_token_is_a_text(token: object) -> None:
    """Bytes and the rest are refused without being shown."""
    with pytest.raises(ConfigurationError, match="token: must be a string") as caught:
        Tokens(token)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # what callers without a type checker do

    assert "S3CRET" not in str(caught.value)


def test_the_environments_token_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """If no token is passed, the environment's is used."""
    monkeypatch.setenv("RMZ_API_TOKEN", CANARY)

    tokens = Tokens(None)

    assert tokens.current is not None
    assert tokens.current.reveal() == CANARY


def test_a_token_that_is_passed_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment does not replace what the caller wrote."""
    monkeypatch.setenv("RMZ_API_TOKEN", "environment")

    assert Tokens("mine").current is not None
    assert as_secret("mine") is not None
    hidden = as_secret("mine")
    assert isinstance(hidden, Secret)
    assert hidden.reveal() == "mine"


def test_an_empty_token_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty setting is a mistake to report, not a reason to use another store's token."""
    monkeypatch.setenv("RMZ_API_TOKEN", "environment")

    with pytest.raises(ConfigurationError, match="token: is missing"):
        Tokens("")


def test_a_concealed_token_stays_so() -> None:
    """A secret and a callable are passed on as they are."""
    secret = Secret(CANARY)

    def source() -> str:
        return CANARY

    assert as_secret(secret) is secret
    assert as_secret(source) is source


def test_a_fixed_token_is_not_asked_for_again() -> None:
    """A string is not asked for again."""
    tokens = Tokens(CANARY)

    assert tokens.current is not None
    assert not tokens.renewable


def test_a_source_is_not_asked_at_once() -> None:
    """Constructing a client does nothing that may wait."""

    def source() -> str:
        raise AssertionError

    tokens = Tokens(source)

    assert tokens.current is None
    assert tokens.renewable


class Source:
    """Gives token-1, token-2 and so on, plainly or as an awaitable."""

    def __init__(self, *, plain: bool) -> None:
        self.asked = 0
        self._plain = plain

    def __call__(self) -> str | Awaitable[str]:
        """Give the next."""
        self.asked += 1
        return f"token-{self.asked}" if self._plain else self._later(self.asked)

    async def _later(self, number: int) -> str:
        await anyio.lowlevel.checkpoint()
        return f"token-{number}"


@pytest.mark.anyio
@pytest.mark.parametrize("plain", [True, False])
async def test_a_source_is_asked(plain: bool) -> None:
    """A plain and an async source both give the token, which is kept."""
    tokens = Tokens(Source(plain=plain))

    first = await tokens.renew(None, anyio.Lock())

    assert first.reveal() == "token-1"
    assert tokens.current is first


@pytest.mark.anyio
async def test_a_refused_token_is_replaced() -> None:
    """After a refusal the source is asked once more."""
    source = Source(plain=True)
    tokens, turn = Tokens(source), anyio.Lock()
    first = await tokens.renew(None, turn)

    second = await tokens.renew(first, turn)

    assert second.reveal() == "token-2"
    assert tokens.current is second


@pytest.mark.anyio
async def test_those_who_wait_together_ask_once() -> None:
    """Ten calls that are refused with the same token bring one new token."""
    source = Source(plain=False)
    tokens, turn = Tokens(source), anyio.Lock()
    first = await tokens.renew(None, turn)
    got: list[Secret] = []

    async def one() -> None:
        got.append(await tokens.renew(first, turn))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(one)

    assert source.asked == 2
    assert {secret.reveal() for secret in got} == {"token-2"}


@pytest.mark.anyio
async def test_a_fixed_token_cannot_be_renewed() -> None:
    """Without a source the same token comes back."""
    tokens = Tokens(CANARY)

    assert await tokens.renew(tokens.current, anyio.Lock()) is tokens.current


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ["", "a b", None, 5])
async def test_a_sources_token_is_checked(answer: object) -> None:
    """A bad token from a source is refused like one that is passed, and not kept."""
    tokens = Tokens(lambda: answer)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # what callers without a type checker do

    with pytest.raises(ConfigurationError, match="token: "):
        await tokens.renew(None, anyio.Lock())

    assert tokens.current is None


def test_a_traceback_with_variables_shows_no_token() -> None:
    """The frames that a refusal passes have no variable that shows the token."""
    tokens = {"hidden": f"{CANARY}\n"}
    with pytest.raises(ConfigurationError) as caught:
        Tokens(*tokens.values())
    here = caught.value.__traceback__
    assert here is not None
    summary = traceback.StackSummary.extract(traceback.walk_tb(here.tb_next), capture_locals=True)

    assert len(summary) == 2
    assert "S3CRET" not in repr([frame.locals for frame in summary])


TOKEN = "17|Sabcdefghijklmnopqrstuvwxyz0123456789ABCD"
AFTER_THE_BAR = TOKEN.partition("|")[2]


@pytest.mark.parametrize(
    "echoed",
    [
        TOKEN,
        TOKEN.replace("S", "\\u0053"),
        TOKEN.replace("D", "\\\\u0044"),
        "".join(f"\\u{ord(character):04X}" for character in TOKEN),
        TOKEN.replace("|", "%7C").replace("S", "%53"),
        "".join(f"&#x{ord(character):x};" for character in TOKEN),
        "".join(f"&#0{ord(character)};" for character in TOKEN),
        "".join(f"&#{ord(character)}" for character in TOKEN),
        "".join(f"&amp;amp;#{ord(character)};" for character in TOKEN),
        TOKEN.replace("|", "&amp;vert;"),
        "".join(f"%25{ord(character):02x}" for character in TOKEN),
        "".join(f"%u{ord(character):04x}" for character in TOKEN),
        "".join(rf"\\x{ord(character):02x}" for character in TOKEN),
        "".join(rf"\\u{{{ord(character):x}}}" for character in TOKEN),
        "".join(rf"\\U{ord(character):08x}" for character in TOKEN),
        "".join(rf"\\\\\\\\u{ord(character):04x}" for character in TOKEN),
    ],
)
def test_a_token_is_hidden_in_whatever_form_a_body_echoes_it(echoed: str) -> None:
    """JSON, addresses, HTML and source text may escape any character, also several times."""
    hidden = Secret(TOKEN).hidden_in(f'{{"echo": "Bearer {echoed}", "message": "no"}}'.encode())

    assert json.loads(hidden) == {"echo": "Bearer ***", "message": "no"}


def test_the_secret_part_of_a_token_is_hidden_by_itself_too() -> None:
    """The number before the bar only identifies the token."""
    secret = Secret(TOKEN)

    for _ in range(2):
        assert secret.hidden_in(f"17: {AFTER_THE_BAR}".encode()) == b"17: ***"


@pytest.mark.parametrize(
    ("token", "body"),
    [
        ('pass/"word"&<more', rb"a pass\/\"word\"&<more b"),
        ('pass/"word"&<more', b"a pass/&quot;word&quot;&amp;&lt;more b"),
    ],
)
def test_marks_in_a_token_may_be_escaped_too(token: str, body: bytes) -> None:
    """JSON escapes quotes and slashes, and HTML names them."""
    assert Secret(token).hidden_in(body) == b"a *** b"


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("1|a", b'{"message": "a balance", "echo": "***"}'),
        ("1|message", b'{"message": "a balance", "echo": "1|a"}'),
        ("", b'{"message": "a balance", "echo": "1|a"}'),
    ],
)
def test_a_short_token_garbles_no_ordinary_word(token: str, expected: bytes) -> None:
    """A token of a test may be a letter, which stands in every answer."""
    assert Secret(token).hidden_in(b'{"message": "a balance", "echo": "1|a"}') == expected


def test_hiding_a_token_takes_no_longer_than_the_body_is_long() -> None:
    """No body can make the search start over and over."""
    for part in (b"\\", b"&#0", b"%", b"S", b"&amp;"):
        assert Secret(f'17|\\&/"{AFTER_THE_BAR}').hidden_in(part * 100_000) == part * 100_000


@pytest.mark.parametrize("quotes", ['""', "''", "``", "\"'"])
def test_a_token_in_quotes_is_refused_with_the_reason(quotes: str) -> None:
    """RMZ would only say that it does not know the token."""
    with pytest.raises(ConfigurationError, match="must not have quotes around it") as caught:
        validated(Secret(f"{quotes[0]}{CANARY}{quotes[1]}"))

    assert "S3CRET" not in str(caught.value)
