"""Play a scenario, and note what became of each step."""

from __future__ import annotations

import time
from collections.abc import Callable

import attrs

from rmz_async.sandbox.sandbox import Sandbox
from rmz_async.sandbox.scenarios.scenario import Scenario, Step
from rmz_async.sandbox.scenarios.stage import Stage, StepError

__all__ = ("Outcome", "Played", "play")


@attrs.frozen
class Outcome:
    """The result of a step.

    Attributes:
        seconds: How long it took.
        problem: Why it failed; None if it passed, or was not reached.
        was_reached: Whether it was played; no step after a failed one is.
        is_fault: Whether the step broke down, instead of finding something wrong.
    """

    step: Step
    seconds: float = 0.0
    problem: str | None = None
    was_reached: bool = True
    is_fault: bool = False


@attrs.frozen
class Played:
    """A scenario that was played.

    Attributes:
        seconds: How long all steps took.
    """

    scenario: Scenario
    outcomes: tuple[Outcome, ...]
    seconds: float

    @property
    def failed(self) -> Outcome | None:
        """The step that failed; None if all passed."""
        return next((outcome for outcome in self.outcomes if outcome.problem is not None), None)


async def play(scenario: Scenario, *, watch: Callable[[], float] = time.perf_counter) -> Played:
    """Play all steps in a sandbox of their own, up to the first that fails."""
    outcomes: list[Outcome] = []
    began = watch()
    async with Sandbox(
        clock=lambda: scenario.start,
        seed=scenario.seed,
        state=scenario.state,
        throttle=scenario.throttle,
    ) as sandbox:
        stage = Stage(sandbox)
        for step in scenario.steps:
            if outcomes and (outcomes[-1].problem is not None or not outcomes[-1].was_reached):
                outcomes.append(Outcome(step, was_reached=False))
                continue
            since = watch()
            problem, is_fault = await _problem_of(step, stage, scenario)
            outcomes.append(Outcome(step, watch() - since, problem, is_fault=is_fault))
    return Played(scenario, tuple(outcomes), watch() - began)


async def _problem_of(step: Step, stage: Stage, scenario: Scenario) -> tuple[str | None, bool]:
    place = f"{scenario.path}: step {step.number} ({step.kind})"
    try:
        await step.deed.play(stage)
    except StepError as problem:
        return f"{place}: {problem}", False
    # A step that breaks down must not take the report of the others with it.
    except Exception as problem:  # noqa: BLE001 - as said above
        return f"{place}: {type(problem).__name__}: {problem}", True
    return None, False
