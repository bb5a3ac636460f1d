"""Scenarios that a test writes, and plays."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import anyio

from rmz_async.sandbox.scenarios.playing import Played, play
from rmz_async.sandbox.scenarios.scenario import read


def story(folder: Path, steps: str, head: str = 'name = "A story"') -> Path:
    """Write a scenario."""
    path = folder / "story.toml"
    path.write_text(f"{head}\n{dedent(steps)}", "utf-8")
    return path


def played(folder: Path, steps: str, head: str = 'name = "A story"') -> Played:
    """Write a scenario, and play it."""
    return anyio.run(play, read(story(folder, steps, head)))
