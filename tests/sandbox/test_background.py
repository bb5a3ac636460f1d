from __future__ import annotations

import gc
import weakref

import anyio
import anyio.lowlevel
import pytest

from rmz_async.sandbox.delivery import background

pytestmark = pytest.mark.anyio


class Cargo:
    """An object to which only the work refers."""

    def __init__(self) -> None:
        self.arrived = anyio.Event()


def start_work() -> weakref.ref[Cargo]:
    """Start work that waits for its cargo."""
    cargo = Cargo()

    async def work() -> None:
        await cargo.arrived.wait()

    background.start(work)
    return weakref.ref(cargo)


def arrive(cargo: Cargo | None) -> None:
    """Let the work end, without keeping its cargo."""
    assert cargo is not None, "the work was lost while it waited"
    cargo.arrived.set()


async def test_work_is_kept_until_it_ends(anyio_backend: str) -> None:
    """Work without a reference is not collected while it waits, and is once it has ended."""
    held = start_work()
    await anyio.wait_all_tasks_blocked()
    gc.collect()
    arrive(held())
    await anyio.wait_all_tasks_blocked()
    await anyio.lowlevel.checkpoint()
    gc.collect()
    assert held() is None
