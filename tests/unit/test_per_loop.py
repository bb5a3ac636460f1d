from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import trio

from rmz_async import _per_loop
from rmz_async._per_loop import PerLoop, is_over
from tests.seams import Part, inside


class Value:
    """Something that only its own loop can close."""


@pytest.fixture
def values() -> PerLoop[Value]:
    """Nothing, so far."""
    return PerLoop(Value)


def abandoned() -> list[Any]:
    """Return what is abandoned and never closed."""
    return list(inside(_per_loop, Part.ABANDONED))


async def here(values: PerLoop[Value]) -> Value:
    """Return the running loop's value."""
    return values.for_running_loop()


@pytest.mark.anyio
async def test_one_loop_has_one_value(values: PerLoop[Value]) -> None:
    """However often it is asked for, and until it is taken out."""
    mine = values.for_running_loop()
    assert values.for_running_loop() is mine
    assert values.pop_current() is mine
    assert values.pop_current() is None
    assert values.for_running_loop() is not mine


def test_two_loops_take_turns(values: PerLoop[Value]) -> None:
    """Each keeps what it has, however often the other one runs in between."""
    before = abandoned()
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    found = [loop.run_until_complete(here(values)) for loop in (first, second) * 3]
    assert len(set(found)) == 2
    assert found[:2] * 3 == found
    assert abandoned() == before
    for loop in (first, second):
        loop.close()


async def take(values: PerLoop[Value]) -> Value | None:
    """Take the running loop's value out."""
    return values.pop_current()


def test_taking_from_one_loop_leaves_the_others() -> None:
    """A loop that lives may be in another thread: what it has opened waits there to be taken."""
    values = PerLoop(Value)
    other = asyncio.new_event_loop()
    its = weakref.ref(other.run_until_complete(here(values)))
    mine = asyncio.run(here(values))

    assert asyncio.run(take(values)) is None
    del values
    gc.collect()
    assert its() is not None
    (waiting,) = (one for one in inside(_per_loop, Part.KEPT) if isinstance(one, PerLoop))
    assert other.run_until_complete(take(waiting)) is its()
    assert inside(_per_loop, Part.KEPT) == set()
    assert mine not in abandoned()
    other.close()


@pytest.mark.parametrize("run", [asyncio.run, lambda made: trio.run(lambda: made)])
def test_the_values_of_ended_loops_are_collected(
    values: PerLoop[Value], run: Callable[[Any], Value]
) -> None:
    """They are garbage as soon as another loop opens something."""
    before = abandoned()
    gone = weakref.ref(run(here(values)))
    kept = run(here(values))
    gc.collect()
    assert gone() is None
    assert kept is not None
    assert abandoned() == before


def test_a_child_does_not_touch_the_parents_values(
    values: PerLoop[Value], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fork they are not touched, and the child has its own on the same loop."""

    async def both() -> tuple[Value, Value]:
        parents = values.for_running_loop()
        monkeypatch.setattr(os, "getpid", lambda: -1)
        return parents, values.for_running_loop()

    parents, own = asyncio.run(both())
    assert own is not parents
    assert parents in abandoned()
    assert own not in abandoned()


def test_a_child_does_not_collect_the_parents_loop(
    values: PerLoop[Value], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child must not collect the parent's loop: that would close the parent's sockets."""
    parents = asyncio.run(here(values))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    asyncio.run(here(values))
    assert parents in abandoned()


def test_a_value_that_fails_keeps_the_others(values: PerLoop[Value]) -> None:
    """The values that are there are kept."""

    async def refuse() -> None:
        def no() -> Value:
            raise LookupError

        values._make = no
        with pytest.raises(LookupError):
            values.for_running_loop()

    other = asyncio.new_event_loop()
    its = other.run_until_complete(here(values))
    asyncio.run(refuse())
    assert other.run_until_complete(here(values)) is its
    other.close()


@pytest.mark.parametrize("run", [asyncio.run, trio.run])
def test_a_loop_in_another_thread_is_not_over(run: Callable[[Any], object]) -> None:
    """A loop is not over before it has ended."""
    ready, done = threading.Event(), threading.Event()
    found: list[Any] = []

    async def main() -> None:
        is_trio = run is trio.run
        found.append(trio.lowlevel.current_trio_token() if is_trio else asyncio.get_running_loop())
        ready.set()
        done.wait(60)

    thread = threading.Thread(target=lambda: run(main() if run is asyncio.run else main))
    thread.start()
    assert ready.wait(60)
    assert not is_over(found[0])
    done.set()
    thread.join(60)
    assert is_over(found[0])
