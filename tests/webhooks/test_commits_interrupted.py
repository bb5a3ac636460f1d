"""Interrupts of handlers whose transactions share a commit: no other handler waits for ever."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from rmz_async.webhooks._commits import Commits
from tests.webhooks.blocks import Blocks, begun, until_all_wait

pytestmark = pytest.mark.anyio

ROLL_BACK = "roll back for Ctrl-C"


@pytest.mark.parametrize("is_second", [False, True])
@pytest.mark.parametrize("method", ["begin", "keep", "undo"])
async def test_an_interrupt_of_a_block_leaves_the_way_to_the_next_one(
    method: str, is_second: bool
) -> None:
    """A signal may come at any moment, also while the first is rolled back for."""
    commits, blocks = Commits(), Blocks()
    blocks.fails, blocks.error = (method, *[ROLL_BACK] * is_second), KeyboardInterrupt("Ctrl-C")

    with pytest.raises(KeyboardInterrupt):
        await commits.end(await begun(commits, blocks), is_kept=method == "keep")

    assert blocks.done[-1] == ROLL_BACK
    with anyio.fail_after(60):
        await begun(commits, Blocks())


async def interrupted(commits: Commits, blocks: Blocks) -> None:
    """Begin a block, which Ctrl-C interrupts."""
    with pytest.raises(KeyboardInterrupt):
        await begun(commits, blocks)


async def test_an_interrupt_of_a_block_fails_those_before_it() -> None:
    """Their effects were rolled back with it."""
    commits, blocks = Commits(), Blocks()
    first = await begun(commits, blocks)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(interrupted, commits, blocks)
        await until_all_wait()
        blocks.fails, blocks.error = ("begin",), KeyboardInterrupt("Ctrl-C")
        with pytest.raises(RuntimeError, match="interrupted, and was rolled back"):
            await commits.end(first, is_kept=True)


async def test_a_second_interrupt_of_a_block_ends_the_wait_of_those_before_it() -> None:
    commits, blocks = Commits(), Blocks()
    first = await begun(commits, blocks)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(interrupted, commits, blocks)
        await until_all_wait()
        blocks.fails, blocks.error = ("begin", ROLL_BACK), KeyboardInterrupt("Ctrl-C")
        # As the first block does at its end, which leaves the commit to the second.
        commits.release()

    assert first.ended.is_set()
    assert "was rolled back" in str(first.failure)


async def test_an_interrupt_of_a_commit_ends_the_wait_of_those_it_was_for() -> None:
    """The next handler was cancelled, and commits for them."""
    commits, blocks = Commits(), Blocks()
    first = await begun(commits, blocks)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(interrupted, commits, blocks)
        await until_all_wait()
        blocks.fails, blocks.error = ("commit",), KeyboardInterrupt("Ctrl-C")
        tasks.cancel_scope.cancel()
        commits.release()

    assert first.ended.is_set()
    assert "may have been done" in str(first.failure)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_commit_that_is_interrupted_is_no_success_for_those_who_wait() -> None:
    """As a cancellation by asyncio itself does, which nothing holds off."""
    commits, blocks = Commits(), Blocks()
    blocks.may_commit.clear()
    may_end = anyio.Event()

    async def block() -> None:
        group = await begun(commits, blocks)
        await may_end.wait()
        await commits.end(group, is_kept=True)

    waiting, second = asyncio.create_task(block()), asyncio.create_task(block())
    await until_all_wait()
    may_end.set()
    await until_all_wait()
    second.cancel()
    with pytest.raises(RuntimeError, match="interrupted, and may have been done"):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        await second
    blocks.may_commit.set()
