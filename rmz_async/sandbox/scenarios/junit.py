"""The report of played scenarios as CI servers read it: JUnit's XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from xml.etree import ElementTree as ET

from rmz_async.sandbox.scenarios.playing import Outcome, Played

__all__ = ("report",)

# XML 1.0 has no way to write these.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(played: Sequence[Played], at: datetime) -> bytes:
    """Return the report: a suite for each scenario, and a case for each of its steps."""
    suites = ET.Element(
        "testsuites", _counts([outcome for run in played for outcome in run.outcomes])
    )
    suites.set("time", _seconds(sum(run.seconds for run in played)))
    for run in played:
        suite = ET.SubElement(suites, "testsuite", {"name": _text(run.scenario.name)})
        suite.attrib.update(_counts(run.outcomes))
        suite.set("time", _seconds(run.seconds))
        suite.set("timestamp", at.isoformat(timespec="seconds"))
        for outcome in run.outcomes:
            suite.append(_case(outcome, run.scenario.path))
    ET.indent(suites)
    written: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return written


def _case(outcome: Outcome, path: str) -> ET.Element:
    step = outcome.step
    title = step.kind if step.title == step.kind else f"{step.kind}: {step.title}"
    case = ET.Element(
        "testcase",
        {
            # Servers show the class name's part before the last dot as a package.
            "classname": _text(PurePath(path).stem.replace(".", "_")),
            # The number keeps the order, and tells two steps with one title apart.
            "name": _text(f"step {step.number:02} {title}"),
            "time": _seconds(outcome.seconds),
        },
    )
    if outcome.problem is not None:
        kind = "error" if outcome.is_fault else "failure"
        first_line = outcome.problem.partition("\n")[0]
        found = ET.SubElement(case, kind, {"message": _text(first_line), "type": step.kind})
        found.text = _text(outcome.problem)
    elif not outcome.was_reached:
        ET.SubElement(case, "skipped", {"message": "a step before failed"})
    return case


def _counts(outcomes: Sequence[Outcome]) -> dict[str, str]:
    failed = [outcome for outcome in outcomes if outcome.problem is not None]
    return {
        "tests": str(len(outcomes)),
        "failures": str(sum(not outcome.is_fault for outcome in failed)),
        "errors": str(sum(outcome.is_fault for outcome in failed)),
        "skipped": str(sum(not outcome.was_reached for outcome in outcomes)),
    }


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"


def _text(text: str) -> str:
    return _UNWRITABLE.sub("�", text)
