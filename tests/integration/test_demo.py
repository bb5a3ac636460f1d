"""The demonstration is the first thing that anyone sees of this project."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import NoReturn

import pytest

import rmz_async
from rmz_async.sandbox import demo


def test_the_demonstration_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    """All nine steps happen, and the last lines say how to go on with a real store."""
    assert demo.main() == 0
    out = capsys.readouterr().out
    assert [line[:2] for line in out.splitlines() if line[:1].isdigit()] == [
        f"{number}." for number in range(1, 10)
    ]
    assert "subscription.created" in out
    assert "RMZ_API_TOKEN" in out
    assert "Bearer" not in out


def test_the_demonstration_leaves_logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that calls it logs afterwards as it logged before."""
    logger = logging.getLogger("rmz_async")
    before = logger.level, list(logger.handlers)
    during: list[int] = []

    async def look() -> None:
        during.append(logger.level)

    monkeypatch.setattr(demo, "run", look)
    assert demo.main() == 0
    assert during == [logging.DEBUG]
    assert (logger.level, logger.handlers) == before


def test_the_demonstration_fails_aloud(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that ends otherwise than it should ends the demonstration with 1."""

    async def broken() -> NoReturn:
        demo.check(False, "the checkout page opens")
        raise AssertionError

    monkeypatch.setattr(demo, "run", broken)
    assert demo.main() == 1
    assert "Not as expected: UnexpectedError: the checkout page opens" in capsys.readouterr().err


@pytest.mark.asyncio
async def test_a_pause_that_is_not_refused_fails_the_demonstration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refusal of the second pause is looked for, not assumed."""
    receiver = demo.Receiver()

    class Lenient:
        """Pauses whatever it is given."""

        async def pause(self, subscription_id: int) -> rmz_async.Subscription:
            """Pause it."""
            return rmz_async.Subscription(id=subscription_id, status="paused")

    from rmz_async.sandbox import Sandbox

    async with Sandbox() as sandbox, sandbox.client() as rmz:
        rmz.subscriptions = Lenient()  # type: ignore[assignment] # stands in for the real one
        with pytest.raises(demo.UnexpectedError, match="cannot be paused"):
            await demo.manage(rmz, receiver, 501)


@pytest.mark.parametrize("encoding", ["ascii", "cp1256"])
def test_the_demonstration_runs_if_the_output_has_few_characters(encoding: str) -> None:
    """As a terminal without UTF-8 has, or a pipe on Windows."""
    done = subprocess.run(
        [sys.executable, "-m", "rmz_async.sandbox.demo"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(encoding)
    assert "export RMZ_API_TOKEN='1|" in shown
    assert "-> GET /checkout/" in shown
    assert "<- subscription.created" in shown
    assert "\\u" not in shown, "no escape of a character"


def test_it_runs_as_a_module() -> None:
    """``python -m rmz_async.sandbox.demo`` works on its own and ends within half a minute."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "rmz_async.sandbox.demo"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("A local RMZ answers at http://127.0.0.1:")
