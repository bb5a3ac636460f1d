"""The command ``run``: play scenarios, and write a report for CI."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from rmz_async.sandbox.commands.parsing import CommandError, Commands, ExitCode

if TYPE_CHECKING:
    from rmz_async.sandbox.scenarios.playing import Played

__all__ = ("STORIES", "add_scenarios")

STORIES = Path(__file__).parent / "stories"


def add_scenarios(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("run", _run, "Play scenarios from TOML files.")
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="STORY",
        help="a file, or the name of a story that comes with the sandbox; all of these if left out",
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a report for CI servers")
    parser.add_argument(
        "--list", action="store_true", help="print the stories that come with the sandbox"
    )


def _run(given: argparse.Namespace) -> int:
    # cattrs and the XML library are for this command alone.
    from rmz_async.sandbox.scenarios.junit import report
    from rmz_async.sandbox.scenarios.playing import play
    from rmz_async.sandbox.scenarios.scenario import ScenarioError, read

    paths = [_path(name) for name in given.scenarios] or sorted(STORIES.glob("*.toml"))
    try:
        scenarios = [read(path) for path in paths]
    except ScenarioError as problem:
        raise CommandError(str(problem), ExitCode.USAGE) from None
    except OSError as problem:
        reason = f"cannot read {problem.filename}: {problem.strerror}"
        raise CommandError(reason, ExitCode.USAGE) from None
    if given.list:
        for path, scenario in zip(paths, scenarios, strict=True):
            sys.stdout.write(f"{path.stem:<16} {scenario.name}\n")
        return ExitCode.DONE

    async def play_all() -> list[Played]:
        return [_printed(await play(scenario)) for scenario in scenarios]

    played = anyio.run(play_all)
    if given.junit is not None:
        try:
            given.junit.write_bytes(report(played, datetime.now(UTC)))
        except OSError as problem:
            reason = f"cannot write {given.junit}: {problem.strerror}"
            raise CommandError(reason, ExitCode.FAILED) from None
    return ExitCode.DONE if all(run.failed is None for run in played) else ExitCode.FAILED


def _path(name: str) -> Path:
    path, shipped = Path(name), STORIES / f"{name}.toml"
    return shipped if not path.suffix and not path.exists() and shipped.exists() else path


def _printed(played: Played) -> Played:
    failed = played.failed
    steps, seconds = len(played.outcomes), played.seconds
    if failed is None:
        line = f"✓ {played.scenario.name}: {steps} steps in {seconds:.2f} s"
    else:
        line = f"✗ {played.scenario.name}\n  {failed.problem}"
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return played
