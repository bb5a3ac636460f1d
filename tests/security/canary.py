"""Runs tests at their most talkative, and searches all that was shown for what must not be.

As a program, over the suites in which the library meets secrets, it takes some minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import attrs

from tests.security.canary_plugin import DIRECTORY, RESULT

ROOT = Path(__file__).parents[2]
SUITES = ("tests/unit", "tests/wire", "tests/sync", "tests/integration")


@attrs.frozen
class Search:
    """A search for secrets: which secrets, in how much, and with which result.

    Attributes:
        secrets: The strings that were searched for.
        shown: How many strings of each kind were searched: ``log``, ``error``, ``variables``,
            ``pickle``, ``result``, and ``output`` for everything that was printed.
        sightings: Each place with a secret: its kind, and the characters around it.
        tests: The last line of pytest.
        failed: The tests that failed, whose calls may have ended before they showed anything.
    """

    secrets: frozenset[str]
    shown: dict[str, int]
    sightings: tuple[tuple[str, str], ...]
    tests: str
    failed: tuple[str, ...]


def search(directory: Path, *arguments: str) -> Search:
    """Run pytest with *arguments*, its notes in *directory*, and look through all that it shows."""
    done = subprocess.run(
        [
            sys.executable,
            *("-m", "pytest", "-c", "pyproject.toml", "-q", "--tb=no", "--capture=no"),
            *("-p", "tests.security.canary_plugin", "-p", "no:cacheprovider", *arguments),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": ".", DIRECTORY: str(directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    found = json.loads((directory / RESULT).read_text("utf-8"))
    secrets = frozenset(found["secrets"])
    sightings = [(kind, text) for kind, text in found["sightings"]]
    lines = done.stdout.strip().splitlines()
    sightings += [("output", line) for line in lines if holds(line, secrets)]
    shown = found["shown"] | {"output": len(lines)}
    failed = tuple(line for line in lines if line.startswith(("FAILED ", "ERROR ")))
    return Search(secrets, shown, tuple(sightings), lines[-1], failed)


def holds(line: str, secrets: frozenset[str]) -> bool:
    """Whether a line holds any of the secrets."""
    return any(secret in line for secret in secrets)


def main(arguments: list[str]) -> int:
    """Search the suites that *arguments* name, or all, and print what was found."""
    with tempfile.TemporaryDirectory() as directory:
        found = search(Path(directory), *(arguments or SUITES))
    lines = [found.tests, *found.failed, f"secrets: {len(found.secrets)}"]
    lines += [f"{kind}: {number} texts" for kind, number in sorted(found.shown.items())]
    lines += [f"SEEN in {kind}: {text}" for kind, text in found.sightings]
    lines.append(f"seen: {len(found.sightings)}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if found.sightings or not found.secrets else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
