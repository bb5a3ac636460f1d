"""The lines that "How do I log it?" shows."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import httpx
import pytest

import rmz_async
from tests.docs.networks import Unsteady
from tests.docs.pages import ROOT, Page

PAGE = "docs/failing/what-to-log.md"


class FailsOnce(Unsteady):
    """Answers 502 once, and then loses the answers to changes."""

    failed = False
    reads = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.failed:
            self.failed = True
            return httpx.Response(502, html="<h1>Bad Gateway</h1>")
        return await super().handle_async_request(request)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in ("billing", "rmz_async", "httpx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
    yield out
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def lines(text: str) -> list[str]:
    """Return the lines of a log without their seconds, which differ each time."""
    timeless = (re.sub(r"\d+\.\d+ s", "0 s", line) for line in text.splitlines())
    return [line for line in timeless if re.match(r"[A-Z]+ (rmz_async|billing): ", line)]


def test_every_line_that_the_page_shows_is_written(page: Page, written: io.StringIO) -> None:
    page.run()
    logging.getLogger("rmz_async").setLevel(logging.DEBUG)
    network = FailsOnce()

    async def pause_some() -> None:
        policy = rmz_async.RetryPolicy(backoff=0.001)
        async with (
            network.client() as http,
            rmz_async.Client(http=http, retry=policy) as rmz,
        ):
            await rmz.subscriptions.get(508)
            await page["pause"](rmz, 508)
            network.reads = False
            with pytest.raises(rmz_async.OutcomeUnknownError):
                await page["pause"](rmz, 509)
        async with rmz_async.Client() as rmz:
            with pytest.raises(rmz_async.ConflictError):
                await page["pause"](rmz, 508)

    page.wait(pause_some())
    shown = lines((ROOT / PAGE).read_text(encoding="utf-8"))
    real = lines(written.getvalue())
    assert shown
    assert [line for line in shown if line not in real] == []
    assert not [line for line in real if "rmz_async" in line and re.search("50[89]", line)]


@pytest.mark.parametrize("silenced", [False, True])
def test_the_loggers_that_show_addresses_can_be_silenced(
    page: Page, written: io.StringIO, silenced: bool
) -> None:
    page.run("Never in them" if silenced else "How do I log it?")
    if not silenced:
        logging.getLogger("httpx").setLevel(logging.INFO)

    async def look_up() -> None:
        async with httpx.AsyncClient() as http, rmz_async.Client(http=http) as rmz:
            await rmz.subscriptions.lookup(email="noura@example.com")

    page.wait(look_up())
    assert ("HTTP Request" in written.getvalue()) is not silenced
