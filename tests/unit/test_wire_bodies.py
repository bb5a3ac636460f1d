from __future__ import annotations

import gzip
import zlib
from decimal import Decimal

import httpx
import pytest

from rmz_async import operations
from rmz_async._calls.outcome import Answer, UnreadableBodyError
from rmz_async._calls.wire import MAX_BODY, decompress, envelope_of, unexpected
from rmz_async._http.body import answer_at_hand

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("encoding", ["", "identity", "Identity", " "])
def test_an_uncompressed_body_stays(encoding: str) -> None:
    """Bytes without an encoding are the body."""
    assert decompress(b"\x1f\x8b anything", encoding) == b"\x1f\x8b anything"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " gzip ", "x-gzip"])
def test_gzip_is_undone(encoding: str) -> None:
    """The encoding that is asked for is undone, in whatever case it is named."""
    assert decompress(gzip.compress(b"{}"), encoding) == b"{}"


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "x-br"])
def test_no_other_encoding_is_undone(encoding: str) -> None:
    """An encoding that was not asked for is not guessed, a second layer above all."""
    with pytest.raises(UnreadableBodyError, match="not asked for"):
        decompress(gzip.compress(b"{}"), encoding)


def test_one_layer_of_gzip_is_undone() -> None:
    """Gzip in gzip is undone once, however small its bytes are."""
    inner = gzip.compress(b"\0" * 1_000_000)

    assert decompress(gzip.compress(inner), "gzip") == inner


@pytest.mark.parametrize("kept", [0, 1, 10, -9, -8, -1])
def test_cut_gzip_is_refused(kept: int) -> None:
    """A stream without its end is no body, even if only the trailer is cut."""
    with pytest.raises(UnreadableBodyError, match="cut gzip"):
        decompress(gzip.compress(b"A body of some length")[:kept], "gzip")


@pytest.mark.parametrize("place", [0, 12, -8, -1])
def test_broken_gzip_is_refused(place: int) -> None:
    """A changed byte in the header, the data, the checksum or the length is noticed."""
    whole = bytearray(gzip.compress(b"A body of some length"))
    whole[place] ^= 0xFF

    with pytest.raises(UnreadableBodyError, match="gzip"):
        decompress(bytes(whole), "gzip")


def test_gzip_of_several_members_is_one_body() -> None:
    """As a server sends that compresses in pieces."""
    assert decompress(gzip.compress(b'{"da') + gzip.compress(b'ta": 1}'), "gzip") == b'{"data": 1}'


@pytest.mark.parametrize("zeros", [1, 7, 100_000])
def test_zeros_after_gzip_are_padding(zeros: int) -> None:
    """Servers that write in blocks fill the last one."""
    member = gzip.compress(b"{}", mtime=0)

    assert decompress(member + bytes(zeros), "gzip") == b"{}"
    assert decompress(member + bytes(zeros) + member, "gzip") == b"{}{}"


@pytest.mark.parametrize(
    "raw", [bytes(20), bytes(2) + gzip.compress(b"{}")], ids=["alone", "before a member"]
)
def test_zeros_before_gzip_are_damage(raw: bytes) -> None:
    """Padding follows a stream."""
    with pytest.raises(UnreadableBodyError, match="broken gzip"):
        decompress(raw, "gzip")


def test_gzip_of_very_many_members_is_refused() -> None:
    """To undo them takes time that grows with the square of their number."""
    with pytest.raises(UnreadableBodyError, match=r"more than \d+ members"):
        decompress(gzip.compress(b"{}") * 1000, "gzip")


def test_a_bomb_in_the_second_member_is_not_unpacked() -> None:
    """The limit holds for all of them together."""
    half = gzip.compress(b"\0" * (MAX_BODY // 2 + 1), compresslevel=1)
    with pytest.raises(UnreadableBodyError, match=f"more than {MAX_BODY} bytes"):
        decompress(half + half, "gzip")


@pytest.mark.parametrize("junk", [b"x", gzip.compress(b"a second member", mtime=0)[:-1]])
def test_bytes_after_the_end_are_refused(junk: bytes) -> None:
    """Bytes after the stream's end that are no other whole member are not part of any answer."""
    with pytest.raises(UnreadableBodyError, match="gzip"):
        decompress(gzip.compress(b"{}") + junk, "gzip")


def test_raw_deflate_is_not_gzip() -> None:
    """Only gzip's own frame is taken."""
    with pytest.raises(UnreadableBodyError, match="broken gzip"):
        decompress(zlib.compress(b"{}"), "gzip")


@pytest.mark.parametrize(("size", "fits"), [(MAX_BODY, True), (MAX_BODY + 1, False)])
def test_a_bomb_is_not_unpacked(size: int, fits: bool) -> None:
    """More than the limit is refused, and the limit itself is not."""
    packed = gzip.compress(b"\0" * size, compresslevel=1)

    if fits:
        assert len(decompress(packed, "gzip")) == size
    else:
        with pytest.raises(UnreadableBodyError, match=f"more than {MAX_BODY} bytes"):
            decompress(packed, "gzip")


def test_an_envelopes_data_is_read() -> None:
    """A success is what stands under data, with exact numbers."""
    body = b'{"message": null, "data": {"amount": 99.00}, "api": "rmz.shawarma"}'

    data = envelope_of(Answer(200, JSON, body))["data"]

    assert data == {"amount": Decimal("99.00")}
    assert isinstance(data, dict)
    assert type(data["amount"]) is Decimal


def test_null_is_data() -> None:
    """An envelope may hold null, which is not the same as holding nothing."""
    assert envelope_of(Answer(200, JSON, b'{"data": null}')) == {"data": None}


@pytest.mark.parametrize("said", [b'"error": true', b'"error": "x"', b'"success": false'])
def test_an_error_with_the_status_of_a_success_is_an_error(said: bytes) -> None:
    """An answer that calls itself an error is none that says a call was applied."""
    body = b'{"message": "No", "data": null, ' + said + b"}"

    with pytest.raises(ValueError, match="the envelope is marked as an error"):
        envelope_of(Answer(200, JSON, body))


@pytest.mark.parametrize("said", [b'"error": false', b'"error": null', b'"success": true'])
def test_an_answer_that_says_success_is_one(said: bytes) -> None:
    """The answer to an order that came again does."""
    assert envelope_of(Answer(200, JSON, b'{"data": 1, ' + said + b"}"))["data"] == 1


@pytest.mark.parametrize(
    "content_type", ["application/json", "APPLICATION/JSON; charset=utf-8", "application/hal+json"]
)
def test_any_content_type_of_json_is_read(content_type: str) -> None:
    """JSON may be named in any case, with parameters and with a prefix."""
    answer = Answer(200, {"content-type": content_type}, b'{"data": 1}')

    assert envelope_of(answer) == {"data": 1}


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-type": ""}, {"content-type": "text/html"}, {"content-type": "text/html;json"}],
)
def test_a_body_of_another_content_type_is_not_read(headers: dict[str, str]) -> None:
    """A login page with status 200 is not read, whatever its bytes are."""
    with pytest.raises(ValueError, match="the content type is not JSON"):
        envelope_of(Answer(200, headers, b'{"data": 1}'))


@pytest.mark.parametrize("body", [b"", b'{"data": {"id": 5', b"<html>", b"\xff"])
def test_a_body_that_is_no_whole_json_is_unreadable(body: bytes) -> None:
    """A cut body is distinguished from a wrong one: the change may have been applied."""
    with pytest.raises(UnreadableBodyError):
        envelope_of(Answer(200, JSON, body))


@pytest.mark.parametrize("headers", [{}, JSON, {"content-type": "text/html"}])
def test_a_success_whose_body_could_not_be_read_is_no_wrong_answer(
    headers: dict[str, str],
) -> None:
    """RMZ may have applied the call: the headers say nothing against that."""
    with pytest.raises(UnreadableBodyError, match="could not be read"):
        envelope_of(Answer(200, headers, b"", is_whole=False))


@pytest.mark.parametrize("body", [b"{}", b"[]", b'["data"]', b'"data"', b"null", b'{"Data": 1}'])
def test_json_without_an_envelope_is_refused(body: bytes) -> None:
    """An answer without data is not of the documented shape."""
    with pytest.raises(ValueError, match="there is no data in it"):
        envelope_of(Answer(200, JSON, body))


def test_the_error_for_an_unexpected_answer() -> None:
    """The error names the call, the status, the fault and what to check."""
    error = unexpected(operations.SUBSCRIPTIONS_GET, Answer(200, {}, b"<html>"), "no shape")

    assert str(error) == (
        "subscriptions.get: the answer (200) is not what RMZ documents: no shape. "
        "Check the base URL and what stands between this machine and RMZ"
    )
    assert (error.status, error.body, error.operation) == (200, "<html>", "subscriptions.get")


def test_an_answers_repr_hides_its_body() -> None:
    """An answer may hold personal data, and a repr lands in logs."""
    assert "sara" not in repr(Answer(200, JSON, b"sara@example.com"))


@pytest.mark.parametrize(("packed", "is_whole"), [(b'{"message": "No."}', True), (b"", False)])
def test_an_error_that_a_hook_has_read_is_whole_if_its_body_is_json(
    packed: bytes, is_whole: bool
) -> None:
    """Httpx leaves of a cut body what it could decompress, and raises nothing."""
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    read = httpx.Response(404, headers=headers, content=gzip.compress(packed))

    answer = answer_at_hand(read)

    assert (answer.status, answer.body, answer.is_whole) == (404, packed, is_whole)
