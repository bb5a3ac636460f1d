"""The demonstration is the first thing that anyone sees of this project."""

from __future__ import annotations

import asyncio
import io
import os
import re
import subprocess
import sys
from typing import Any, NoReturn

import httpx
import pytest

import rmz_async
from rmz_async.resources.subscriptions import Subscriptions
from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.demo.__main__ import main
from rmz_async.sandbox.demo.customer import subscription_of
from rmz_async.sandbox.demo.story import tell_story
from rmz_async.sandbox.demo.telling import Teller, UnexpectedError, known

RUN = [sys.executable, "-W", "error", "-m", "rmz_async.sandbox.demo"]


def story() -> str:
    """Return the whole story."""
    stream = io.StringIO()
    asyncio.run(tell_story(Teller(stream, coloured=False)))
    return stream.getvalue()


def test_the_demonstration_tells_the_whole_story(capsys: pytest.CaptureFixture[str]) -> None:
    """From the trial to the end, with the status and the access of each chapter."""
    assert main() == 0
    out = capsys.readouterr().out
    states = re.findall(r"(?m)^    = (\w+): (no access|access)", out)
    assert states == [
        ("trialing", "access"),
        ("active", "access"),
        ("active", "access"),
        ("past_due", "access"),
        ("active", "access"),
        ("active", "access"),
        ("paused", "no access"),
        ("active", "access"),
        ("active", "access"),
        ("expired", "no access"),
    ]
    assert len(re.findall(r"(?m)^\d+ \w+ \d{4} ", out)) == len(states)
    assert "RMZ_API_TOKEN" in out
    assert "Bearer" not in out


def test_every_event_of_a_subscription_that_the_story_brings_is_shown() -> None:
    """Every event of RMZ, except that no cancellation is taken back."""
    shown = set(re.findall(r"← subscription\.(\w+)", story()))

    known = {event.partition(".")[2] for event in rmz_async.EventType if "subscription" in event}
    assert known - shown == {"resumed"}


def test_the_story_fits_a_terminal_of_80_columns() -> None:
    assert max(map(len, story().splitlines())) <= 80


def test_a_terminal_shows_the_story_in_colours() -> None:
    """Each line ends in the terminal's own colour."""
    stream = io.StringIO()
    asyncio.run(tell_story(Teller(stream, coloured=True)))
    coloured = [line for line in stream.getvalue().splitlines() if "\x1b" in line]

    assert len(coloured) > 20
    assert all(line.rfind("\x1b[0m") > line.rfind("\x1b[3") for line in coloured)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (UnexpectedError("the page opens"), "UnexpectedError: the page opens"),
        (httpx.ConnectError("refused"), "ConnectError: refused"),
    ],
)
def test_the_demonstration_fails_aloud(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
    message: str,
) -> None:
    """A step that ends otherwise than it should ends the demonstration with 1."""

    async def broken(_: Teller) -> NoReturn:
        raise problem

    monkeypatch.setattr("rmz_async.sandbox.demo.__main__.tell_story", broken)
    assert main() == 1
    assert f"Not as expected: {message}" in capsys.readouterr().err


def test_ctrl_c_ends_the_demonstration_quietly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(_: Teller) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("rmz_async.sandbox.demo.__main__.tell_story", interrupted)
    assert main() == 130
    assert capsys.readouterr().err == ""


class NoGrace(Sandbox):
    """A sandbox that expires a subscription when its payment fails."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.state.products[102].grace_period_days = 0


class ForgetsWebhooks(Sandbox):
    """A sandbox that delivers nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.faults.add("drop", on="subscription.renewed")


@pytest.mark.parametrize(
    ("broken", "claim"),
    [(NoGrace, "webhooks came"), (ForgetsWebhooks, "webhooks came: subscription.renewed")],
)
def test_the_story_is_not_told_if_it_is_not_true(
    monkeypatch: pytest.MonkeyPatch, broken: type[Sandbox], claim: str
) -> None:
    monkeypatch.setattr("rmz_async.sandbox.demo.story.Sandbox", broken)

    with pytest.raises(UnexpectedError, match=claim):
        story()


def test_a_second_pause_that_is_not_refused_fails_the_demonstration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refusal is looked for, not assumed."""
    pause = Subscriptions.pause

    async def lenient(self: Any, id_: int) -> rmz_async.Subscription:
        try:
            return await pause(self, id_)
        except rmz_async.ConflictError:
            return rmz_async.Subscription(id=id_, status="paused")

    monkeypatch.setattr(Subscriptions, "pause", lenient)

    with pytest.raises(UnexpectedError, match="cannot be paused"):
        story()


def test_a_value_that_the_answer_lacks_fails_the_demonstration() -> None:
    """A zero is a value."""
    assert known(0, "there is a number") == 0
    with pytest.raises(UnexpectedError, match="there is a number"):
        known(None, "there is a number")


@pytest.mark.parametrize("query", ["", "?rmz-subscription-id=1&rmz-subscription-id=2"])
def test_an_address_that_names_no_subscription_fails_the_demonstration(query: str) -> None:
    with pytest.raises(UnexpectedError, match="names one subscription"):
        subscription_of(f"https://app.example/welcome{query}")


@pytest.mark.parametrize("encoding", ["ascii", "cp1256"])
def test_the_demonstration_runs_if_the_output_has_few_characters(encoding: str) -> None:
    """As a terminal without UTF-8 has, or a pipe on Windows."""
    done = subprocess.run(
        RUN,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    shown = done.stdout.decode(encoding)
    assert "export RMZ_API_TOKEN='1|" in shown
    assert "<- subscription.created" in shown
    assert "\\u" not in shown, "no escape of a character"


def test_it_runs_as_a_module() -> None:
    """``python -m rmz_async.sandbox.demo`` works on its own."""
    done = subprocess.run(RUN, capture_output=True, text=True, timeout=240, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("A local RMZ answers at http://127.0.0.1:")
