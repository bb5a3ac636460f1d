"""Paywalls that are broken in one place, to see that the referee notices each of them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from unittest import mock

import anyio
import attrs

from rmz_async.paywall import Lifetimes
from tests.day.playing import Plan
from tests.seams import Setting

__all__ = ("BROKEN", "Broken")

SHORT = Plan(seed=1, users=300, hours=1.5, checks=2.0)
OUTAGE = attrs.evolve(SHORT, hours=2.0, outage=(45.0, 105.0), restart=75.0, snapshots=True)


@attrs.frozen
class Broken:
    """A mistake.

    Attributes:
        plan: A day on which it does harm.
        make: Makes it.
        wrong: The mistake that the referee has to count.
    """

    plan: Plan
    make: Callable[[], AbstractContextManager[object]]
    wrong: str


async def _ignore(*_: object) -> None:
    """Do nothing."""


async def _sleep(*_: object) -> None:
    """Never look."""
    await anyio.sleep_forever()


async def _immediately(pacer: object, *_: object, **__: object) -> float:
    """Give each request a slot."""
    return anyio.current_time()


@contextmanager
def _endless() -> Generator[None]:
    with (
        mock.patch(Setting.LASTING_OF_ANSWERS, return_value=1e9),
        mock.patch(Setting.LASTING_OF_MEMORY, return_value=1e9),
    ):
        yield


def _lifetimes() -> Lifetimes:
    with mock.patch("rmz_async.paywall.lifetimes.LONGEST_REFUSAL", 600.0):
        return Lifetimes(refusal=600.0)


BROKEN: dict[str, Broken] = {
    "events are thrown away": Broken(
        SHORT,
        lambda: mock.patch("rmz_async.paywall.Paywall.feed", _ignore),
        "access kept for too long",
    ),
    "other servers' events are not looked for": Broken(
        attrs.evolve(SHORT, servers=2),
        lambda: mock.patch(Setting.BACKGROUND_FOLLOW, _sleep),
        "access kept for too long",
    ),
    "the end of a period is not looked at": Broken(
        attrs.evolve(SHORT, webhooks=False),
        _endless,
        "admitted past the end of a period",
    ),
    "refusals are kept for ten minutes": Broken(
        attrs.evolve(SHORT, webhooks=False, paywall={"lifetimes": _lifetimes()}),
        nullcontext,
        "payers refused",
    ),
    "an outage lets nobody in": Broken(
        attrs.evolve(OUTAGE, paywall={"on_outage": "deny"}),
        nullcontext,
        "503 for a known payer",
    ),
    "an outage lets everybody in": Broken(
        attrs.evolve(OUTAGE, paywall={"on_outage": "allow"}),
        nullcontext,
        "unknown users admitted",
    ),
    "a restart forgets all": Broken(
        attrs.evolve(OUTAGE, snapshots=False),
        nullcontext,
        "503 for a known payer",
    ),
    "requests are not counted": Broken(
        attrs.evolve(SHORT, users=3000, checks=12.0),
        lambda: mock.patch(Setting.WAIT_FOR_SLOT, _immediately),
        "answers of 429",
    ),
}
