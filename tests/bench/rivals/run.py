"""The cost of an answer from memory, beside other libraries that give one; fails nothing.

All take turns, round by round. Each first has to grant a payer and to refuse a stranger.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from functools import partial
from itertools import repeat
from typing import Any

from tests.bench.rivals import flag_libraries, openfeature, ours, schematic
from tests.bench.rivals.askers import ASKERS, requests_of_ours, requests_of_schematic
from tests.bench.rivals.contender import Contender
from tests.bench.rivals.offline import attempts, stay_here
from tests.bench.table import circumstances, readable

ROUNDS = 15
SECONDS_A_TURN = 0.02
SINGLES = 20_000


def contenders(loop: asyncio.AbstractEventLoop) -> list[Contender]:
    """Return all libraries, ready to be asked."""
    return [
        ours.blocking(),
        ours.awaited(loop),
        flag_libraries.launchdarkly(),
        flag_libraries.unleash(),
        flag_libraries.growthbook(),
        flag_libraries.async_growthbook(loop),
        schematic.cached(),
        schematic.async_cached(loop),
        schematic.engine(loop),
        openfeature.in_memory(),
        openfeature.over_the_paywall(),
    ]


class Measured:
    """A library under measurement.

    Args:
        contender: The library.
        loop: Runs it, if it is async.

    Raises:
        RuntimeError: The library does not grant the payer, or does not refuse the stranger.
    """

    def __init__(self, contender: Contender, loop: asyncio.AbstractEventLoop) -> None:
        self.contender = contender
        self._loop = loop
        for asked, right in ((contender.payer, True), (contender.stranger, False)):
            if contender.granted(self._answer(asked)) is not right:
                raise RuntimeError(f"{contender.name}: {contender.call} answers wrong")
        self._checks = 200
        self._checks = max(200, int(SECONDS_A_TURN / (self._seconds() / 200)))
        self.spent: list[float] = []

    def turn(self) -> None:
        """Ask for as long as a turn lasts, and note the microseconds of one answer."""
        gc.collect()
        self.spent.append(self._seconds() / self._checks * 1e6)

    def slowest(self) -> float:
        """Return the microseconds, on the clock, that 99 % of single answers keep."""
        payer, clock = self.contender.payer, time.perf_counter_ns

        def singles() -> list[int]:
            spent: list[int] = []
            for _ in repeat(None, SINGLES):
                began = clock()
                payer()
                spent.append(clock() - began)
            return spent

        async def awaited() -> list[int]:
            spent: list[int] = []
            for _ in repeat(None, SINGLES):
                began = clock()
                await payer()
                spent.append(clock() - began)
            return spent

        spent = self._loop.run_until_complete(awaited()) if self._is_async else singles()
        return sorted(spent)[SINGLES * 99 // 100] / 1e3

    @property
    def _is_async(self) -> bool:
        return self.contender.is_async

    def _answer(self, asked: partial[Any]) -> object:
        async def awaited() -> object:
            return await asked()

        return self._loop.run_until_complete(awaited()) if self._is_async else asked()

    def _seconds(self) -> float:
        payer, checks = self.contender.payer, self._checks

        async def awaited() -> None:
            for _ in repeat(None, checks):
                await payer()

        began = time.process_time()
        if self._is_async:
            self._loop.run_until_complete(awaited())
        else:
            for _ in repeat(None, checks):
                payer()
        return time.process_time() - began


def main() -> None:
    """Print the table."""
    stay_here()
    loop = asyncio.new_event_loop()
    measured = [Measured(contender, loop) for contender in contenders(loop)]
    for _ in range(ROUNDS):
        for each in measured:
            each.turn()
    print("\n| Library | Call | Processor time | 99 % on the clock | Answers a second |")
    print("| --- | --- | --- | --- | --- |")
    for each in measured:
        cost = statistics.median(each.spent)
        print(
            f"| {each.contender.name} | {each.contender.call} | {readable(cost)} µs "
            f"| {readable(each.slowest())} µs | {readable(1e6 / cost)} |"
        )
        each.contender.close()
    loop.close()
    print("\n| Tasks that ask about one user at the same time | Requests |\n| --- | --- |")
    print(f"| {ASKERS:,} of `rmz_async.Paywall` | {asyncio.run(requests_of_ours()):,} |")
    print(f"| {ASKERS:,} of `AsyncSchematic` | {asyncio.run(requests_of_schematic()):,} |")
    print(f"\n{circumstances()}")
    print(f"Connections that would have left this machine: {len(attempts)}", *attempts)


if __name__ == "__main__":
    main()
