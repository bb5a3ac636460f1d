"""A file is sent piece by piece, and once more only if it can be read once more."""

from __future__ import annotations

import os
import socket
import tracemalloc
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from io import BytesIO, StringIO
from mmap import ACCESS_READ, mmap
from pathlib import Path
from traceback import walk_tb
from typing import Any, cast

import httpx
import pytest
import respx
from starlette.datastructures import UploadFile

from rmz_async import (
    AuthenticationError,
    Client,
    ConnectionFailedError,
    InvalidRequestError,
    Media,
    OutcomeUnknownError,
)
from rmz_async.sandbox import Sandbox
from tests.endpoint import body_of
from tests.wire.conftest import keeps, their_client

pytestmark = pytest.mark.anyio

KEPT = {"id": 601, "type": "image", "name": "a.png", "size": 3}
ANSWER = httpx.Response(200, json={"message": None, "data": KEPT, "timestamp": 1780000000})
LOST = httpx.ReadError("connection reset")
BIG = 20 * 1024 * 1024


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    """Give pieces that cannot be read again."""
    for piece in pieces:
        yield piece


class Pipe(BytesIO):
    """A file object that cannot go back."""

    def seekable(self) -> bool:
        """Say so."""
        return False


def sources(folder: Path) -> dict[str, Any]:
    """Everything that the bytes PNG can be read from."""
    path = folder / "a.png"
    path.write_bytes(b"PNG")
    advanced = BytesIO(b"not this: PNG")
    advanced.seek(10)
    return {
        "path": path,
        "string": str(path),
        "bytes": b"PNG",
        "bytearray": bytearray(b"PNG"),
        "memoryview": memoryview(b"PNG"),
        "file object": advanced,
        "pipe": Pipe(b"PNG"),
        "stream": stream(b"P", b"NG"),
    }


ONCE = ("pipe", "stream")
KINDS = (
    "path",
    "string",
    "bytes",
    "bytearray",
    "memoryview",
    "file object",
    "pipe",
    "stream",
)
every_source = pytest.mark.parametrize("kind", KINDS)


@every_source
async def test_an_upload_reads_the_whole_source(
    rmz_api: respx.MockRouter, make_client: Any, tmp_path: Path, kind: str
) -> None:
    route = rmz_api.post("/products/upload").mock(return_value=ANSWER)
    async with make_client() as rmz:
        media = await rmz.products.upload(sources(tmp_path)[kind], kind="image", name="a.png")
    assert media == Media(id=601, type="image", name="a.png", size=3)
    (call,) = route.calls
    assert body_of(call.request) == {"file": "PNG"}


@their_client
@every_source
async def test_a_lost_upload_is_sent_again_if_it_can_be_read_again(
    rmz_api: respx.MockRouter, make_client: Any, tmp_path: Path, kind: str
) -> None:
    """The second attempt sends the same bytes; of a stream nothing would be left to send."""

    async def lose(request: httpx.Request) -> httpx.Response:
        await request.aread()
        if len(bodies) == 0:
            bodies.append(body_of(request))
            raise LOST
        bodies.append(body_of(request))
        return httpx.Response(200, json=ANSWER.json())

    bodies: list[object] = []
    rmz_api.post("/products/upload").mock(side_effect=lose)
    async with make_client() as rmz:
        upload = rmz.products.upload(sources(tmp_path)[kind], kind="image", name="a.png")
        if kind in ONCE:
            with pytest.raises(OutcomeUnknownError, match="Upload it again") as caught:
                await upload
            with pytest.raises(OutcomeUnknownError):
                await rmz.resolve(caught.value)
        else:
            await upload
    assert bodies == [{"file": "PNG"}] * (1 if kind in ONCE else 2)


async def test_a_refused_connection_leaves_a_stream_untouched(make_client: Any) -> None:
    """So the call is attempted as often as any other."""
    with socket.create_server(("127.0.0.1", 0)) as unheard:
        base_url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
    source = stream(b"PNG")
    async with make_client(base_url=base_url) as rmz:
        with pytest.raises(ConnectionFailedError) as caught:
            await rmz.products.upload(source, kind="image", name="a.png")
    assert caught.value.attempts == 3
    assert [piece async for piece in source] == [b"PNG"]


@their_client
@pytest.mark.parametrize(("source", "asked"), [(b"PNG", 2), (None, 1)])
async def test_a_new_token_is_asked_for_only_if_the_file_can_be_sent_again(
    rmz_api: respx.MockRouter, make_client: Any, source: bytes | None, asked: int
) -> None:
    refusal = httpx.Response(401, json={"message": "Unauthenticated."})
    rmz_api.post("/products/upload").mock(return_value=refusal)
    tokens: list[str] = []

    def token() -> str:
        tokens.append("1|wire-test-token")
        return tokens[-1]

    async with make_client(token) as rmz:
        with pytest.raises(AuthenticationError):
            await rmz.products.upload(source or stream(b"PNG"), kind="image", name="a.png")
    assert len(tokens) == asked


async def test_an_error_of_reading_brings_its_own_context_only(make_client: Any, http: Any) -> None:
    """An error of the HTTP library in its place would have the token among its variables."""
    first, second = KeyError("the index is gone"), OSError("the disk is gone")

    async def broken() -> AsyncIterator[bytes]:
        yield b"P"
        try:
            raise first
        except KeyError:
            raise second  # noqa: B904 - its context is what is looked at

    async with (
        Sandbox().serve() as served,
        make_client(served.token, base_url=served.base_url, http=http) as rmz,
    ):
        with pytest.raises(OSError, match="the disk is gone") as caught:
            await rmz.products.upload(broken(), kind="image", name="a.png")
    assert caught.value is second
    assert (second.__cause__, second.__context__, first.__context__) == (None, first, None)
    assert not {"headers", "request"} & {
        name
        for frame, _ in walk_tb(second.__traceback__)
        for name in frame.f_locals
        if "site-packages" in frame.f_code.co_filename
    }


async def test_an_error_of_reading_reaches_the_caller(make_client: Any, tmp_path: Path) -> None:
    """No part of RMZ's answer is to blame for a file that breaks off."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"P"
        raise OSError("the disk is gone")

    async with Sandbox() as sandbox, sandbox.serve() as served:
        async with make_client(sandbox.token, base_url=served.base_url) as rmz:
            with pytest.raises(OSError, match="the disk is gone"):
                await rmz.products.upload(broken(), kind="image", name="a.png")
            with pytest.raises(FileNotFoundError):
                await rmz.products.upload(tmp_path / "none.png", kind="image")
        assert list(sandbox.ledger) == []


def swallowed(listener: socket.socket) -> int:
    """Answer one upload without keeping it, and return the length of its body."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as requests:
        declared = 0
        while (line := requests.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                declared = int(line.partition(b":")[2])
        came = 0
        while came < declared and (piece := requests.read(min(65536, declared - came))):
            came += len(piece)
        keeps(ANSWER.content)(connection, b"")
    return came


async def test_memory_holds_a_piece_of_a_file_at_a_time(http: Any, tmp_path: Path) -> None:
    """The file has 20 MiB, of which the client never holds more than 5, imports included."""
    path = tmp_path / "film.mp4"
    with path.open("wb") as file:
        file.truncate(BIG)
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        listener.settimeout(60)
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/shawarma"
        server = thread.submit(swallowed, listener)
        async with Client("1|t", base_url=base_url, http=http, pacing=None) as rmz:
            tracemalloc.start()
            try:
                await rmz.products.upload(path, kind="file")
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
        assert server.result() > BIG
    assert peak < 5 * 1024 * 1024


class Text(Pipe):
    """A file object that gives strings, and does not say so."""

    def read(self, size: int | None = -1) -> Any:
        """Give one."""
        return super().read(size).decode()


class Unready(Pipe):
    """A file object that does not block, and has nothing yet."""

    def read(self, size: int | None = -1) -> Any:
        """Give nothing, which is no end."""
        return None


class Strings(AsyncIterator[Any]):
    """An async stream of strings; not a generator, which trio wants to see ended."""

    async def __anext__(self) -> str:
        """Give one."""
        return "PNG"


@pytest.mark.parametrize(
    "source", [Text(b"PNG"), Unready(), Strings()], ids=lambda source: type(source).__name__
)
async def test_a_source_of_no_bytes_is_the_callers_fault(
    make_client: Any, http: Any, source: Any
) -> None:
    """The upload has not reached its end, so that RMZ keeps nothing."""
    if isinstance(source, Text):
        source.seek(0)
    async with (
        Sandbox() as sandbox,
        sandbox.serve() as served,
        make_client(served.token, base_url=served.base_url, http=http) as rmz,
    ):
        with pytest.raises(InvalidRequestError, match="must give bytes, and gave "):
            await rmz.products.upload(source, kind="image", name="a.png")
        assert list(sandbox.ledger) == []


class Purpose(str, Enum):  # noqa: UP042 - its members have another ``str()`` than those of StrEnum
    """A caller's own enum."""

    IMAGE = "image"


async def test_a_memory_map_is_read_and_a_callers_own_enum_names_the_purpose(
    rmz_api: respx.MockRouter, make_client: Any, tmp_path: Path
) -> None:
    """A memory map has no ``seekable`` before Python 3.13."""
    path = tmp_path / "a.png"
    path.write_bytes(b"PNG")
    route = rmz_api.post("/products/upload", params={"type": "image"}).mock(return_value=ANSWER)
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        async with make_client() as rmz:
            await rmz.products.upload(mapped, kind=Purpose.IMAGE, name="a.png")
    assert body_of(route.calls.last.request) == {"file": "PNG"}


def closed() -> BytesIO:
    """A file object that was closed."""
    file = BytesIO(b"PNG")
    file.close()
    return file


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"file": 5}, "file"),
        ({"file": b""}, "file"),
        ({"file": bytes(10 * 1024 * 1024 + 1)}, "file"),
        ({"file": BytesIO()}, "file"),
        ({"file": BytesIO}, "file"),
        ({"file": StringIO("PNG")}, "file"),
        ({"file": UploadFile(BytesIO(b"PNG"))}, "file"),
        ({"file": closed()}, "file"),
        ({"file": "a\0.png"}, "file"),
        ({"kind": "video"}, "type"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "a.pdf"}, "name"),
        ({"mime_type": "image/png\r\nX: y"}, "mime_type"),
        ({"mime_type": " "}, "mime_type"),
        ({"mime_type": b"image/png"}, "mime_type"),
        ({"mime_type": 5}, "mime_type"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
async def test_an_upload_that_breaks_a_rule_is_not_sent(
    make_client: Any, given: dict[str, Any], field: str
) -> None:
    right = {"file": b"PNG", "kind": "image", "name": "a.png"}
    async with make_client() as rmz:
        with pytest.raises(InvalidRequestError, match=r"^products\.upload was not sent") as caught:
            await rmz.products.upload(**{**right, **given})
    assert list(caught.value.errors) == [field]


async def test_a_file_brings_its_name_along(
    rmz_api: respx.MockRouter, make_client: Any, tmp_path: Path
) -> None:
    """From a path, in bytes too, and from a file that was opened by its path."""
    path = tmp_path / "شاي.png"
    path.write_bytes(b"PNG")
    route = rmz_api.post("/products/upload").mock(return_value=ANSWER)
    async with make_client() as rmz:
        await rmz.products.upload(path, kind="image")
        with path.open("rb") as file:
            await rmz.products.upload(file, kind="image")
            assert not file.closed
        with os.scandir(os.fsencode(tmp_path)) as (entry,):
            await rmz.products.upload(cast("os.PathLike[str]", entry), kind="image")
    for call in route.calls:
        assert 'filename="شاي.png"'.encode() in call.request.content
        assert b"Content-Type: image/png" in call.request.content
