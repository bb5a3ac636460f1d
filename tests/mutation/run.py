"""Counts how many small mistakes in the modules that decide the tests find.

Each change of a module is tested by itself, with the unit tests that belong to the module, on a
copy of the project. The program ends with 1 if the tests of a module find less than 90 of 100, or
if survivors.toml lists a survivor that is none any more. A change whose tests do not end in time is
not counted as found, because a busy machine does that to any tests.
"""

from __future__ import annotations

import argparse
import enum
import importlib
import os
import shutil
import sys
import tempfile
import time
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2]
COPIED = ("rmz_async", "rmz_sync", "tests", "pyproject.toml", "docs/openapi.yaml")
LOWEST = 90.0
# Seconds for the tests of a module that is as it was.
FIRST_LIMIT = 1800

# The tests of each module: a name is one of tests/unit, and a path one of tests.
MODULES = {
    "rmz_async._calls.retry": ("retry_steps", "retry_waits", "budget"),
    "rmz_async._calls.verdict": ("call", "retry_steps", "retry_waits", "settling"),
    "rmz_async.resources._settling": ("settling",),
    "rmz_async._http.failures": ("http_failures",),
    "rmz_async._http.pool": ("pool",),
    "rmz_async._per_loop": ("per_loop",),
    "rmz_async._frozen": ("frozen",),
    "rmz_async._pacing.quota": ("pacing_quota", "pacing_room", "pacing_headers"),
    "rmz_async._pacing.line": ("pacing_line", "pacing_threads"),
    "rmz_async._pacing.slots": (
        "pacing_slots",
        "pacing_reports",
        "pacing_line",
        "pacing_threads",
        "pacing_headers",
        "pacing_options",
    ),
    "rmz_async._pacing.memory": ("pacing_options", "pacing_threads"),
    "rmz_async.webhooks.signature": ("webhooks_signature", "webhooks_secrets"),
    "rmz_async.webhooks._verifying": (
        "webhooks_signature",
        "webhooks_secrets",
        "webhooks_events",
        "webhooks_unknown_events",
    ),
    "rmz_async.webhooks._secrets": (
        "webhooks_signature",
        "webhooks_secrets",
        "webhooks/receiver",
    ),
    "rmz_async.webhooks._headers": ("webhooks_signature", "webhooks_headers", "webhooks_events"),
    "rmz_async.webhooks._reading": (
        "webhooks_events",
        "webhooks_unknown_events",
        "webhooks_secrets",
    ),
    "rmz_async.webhooks._keys": ("webhooks_keys",),
    "rmz_async.webhooks._comparing": ("webhooks/comparing",),
    "rmz_async.webhooks._intake": ("webhooks/receiver", "webhooks/receiver_handlers"),
    "rmz_async.webhooks._ack": ("webhooks/receiver",),
    "rmz_async.resources._phones": ("phones",),
    "rmz_async._calls.refusals": ("wire_errors", "wire_refused_fields"),
    "rmz_async.paywall.decisions": (
        "paywall/decisions",
        "paywall/products",
        "paywall/products_bought",
        "paywall/observing",
        "property/policy",
    ),
    "rmz_async.paywall.policy": ("paywall/decisions",),
    "rmz_async.paywall.access": (
        "paywall/decisions",
        "paywall/products",
        "paywall/paywall",
        "paywall/old_answers",
        "paywall/outages",
    ),
    "rmz_async.paywall.lifetimes": ("paywall/lifetimes",),
    "rmz_async.paywall._memory": ("paywall/memory", "paywall/snapshot"),
    "rmz_async._flights": ("flights", "paywall/paywall", "paywall/outages", "paywall/feeding"),
    "rmz_async.paywall._facts": (
        "paywall/clumsy_calls",
        "paywall/sharing",
        "paywall/taken_back",
        "paywall/changes",
        "paywall/priorities",
        "paywall/paywall",
        "paywall/old_answers",
        "paywall/outages",
    ),
    "rmz_async.paywall._refreshing": (
        "paywall/refreshing",
        "paywall/priorities",
        "paywall/paywall",
        "paywall/old_answers",
        "paywall/outages",
    ),
    "rmz_async.paywall._doubts": ("paywall/doubts", "paywall/changes", "paywall/feeding"),
    "rmz_async.paywall._stale": (
        "paywall/exact_ends",
        "paywall/priorities",
        "paywall/snapshot",
        "paywall/paywall",
        "paywall/old_answers",
        "paywall/outages",
    ),
    "rmz_async.paywall._reported": ("paywall/feeding", "paywall/changes", "paywall/overtaken"),
    "rmz_async.paywall._slugs": ("paywall/misspelt_slugs",),
    "rmz_async.paywall._users": (
        "paywall/paywall",
        "paywall/clumsy_calls",
        "paywall/feeding",
        "paywall/padded_names",
    ),
    "rmz_async.paywall._product_answers": (
        "paywall/products",
        "paywall/products_bought",
        "paywall/misspelt_slugs",
        "paywall/padded_names",
    ),
    "rmz_async.paywall._answers": (
        "paywall/exact_ends",
        "paywall/priorities",
        "paywall/outages",
        "paywall/sharing",
        "paywall/taken_back",
        "paywall/changes",
        "paywall/feeding",
        "paywall/products_bought",
        "paywall/products",
        "paywall/refreshing",
        "paywall/snapshot",
        "paywall/observing",
        "paywall/paywall",
        "paywall/old_answers",
        "paywall/confirming",
        "paywall/misspelt_slugs",
        "paywall/padded_names",
        "paywall/overtaken",
    ),
    "rmz_async.paywall._judging": (
        "paywall/exact_ends",
        "paywall/priorities",
        "paywall/outages",
        "paywall/sharing",
        "paywall/taken_back",
        "paywall/changes",
        "paywall/feeding",
        "paywall/products_bought",
        "paywall/products",
        "paywall/refreshing",
        "paywall/snapshot",
        "paywall/observing",
        "paywall/paywall",
        "paywall/old_answers",
        "paywall/confirming",
        "paywall/misspelt_slugs",
        "paywall/several_subscriptions",
    ),
    "rmz_async.paywall._query": ("paywall/confirming", "paywall/clumsy_calls"),
    "rmz_async.paywall._state": ("paywall/state", "paywall/confirming", "sync/paywall"),
    "rmz_async.paywall._confirming": ("paywall/confirming", "paywall/clumsy_calls"),
    "rmz_async.redis.access": ("shared/access_times", "shared/access", "shared/leases"),
    "rmz_async.redis.quota": ("shared/quota",),
}


def main() -> int:
    """Run all, print the table, and return the program's exit status."""
    parser = argparse.ArgumentParser(description="See what the tests do not find.")
    parser.add_argument("modules", nargs="*", help="those whose names have one of these parts")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    given = parser.parse_args()
    chosen = [
        name for name in MODULES if not given.modules or any(part in name for part in given.modules)
    ]
    known = tomllib.loads(Path(__file__).with_name("survivors.toml").read_text(encoding="utf-8"))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        move_to(Path(folder).resolve())
        from tests.mutation.trial import warm_up

        warm_up()
        failed = not known.keys() <= MODULES.keys()
        print(f"{'module':<32}mutants  killed  timed out  survived   score", flush=True)
        for name in chosen:
            failed |= not judge(name, known.get(name, {}), given.jobs)
    print(f"{time.monotonic() - began:.0f} s")
    return int(failed)


def move_to(folder: Path) -> None:
    """Copy the project, and import from the copy only."""
    left_out = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, folder / name, ignore=left_out)
        else:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    os.chdir(folder)
    sys.path[0] = str(folder)


def member(module: object, enum_name: str, name: str) -> str | None:
    """Return the member of an enum of *module* behind another one; None if it is no enum."""
    kind = getattr(module, enum_name, None)
    if not isinstance(kind, type) or not issubclass(kind, enum.Enum):
        return None
    names = list(kind.__members__)
    return names[(names.index(name) + 1) % len(names)] if name in names else None


def path_of(part: str) -> str:
    """Return the file of tests with a name of `MODULES`."""
    folder, _, name = part.rpartition("/")
    return f"tests/{folder or 'unit'}/test_{name}.py"


def judge(name: str, known: dict[str, str], jobs: int) -> bool:
    """Test all changes of one module, print its row, and return whether it is as it must be."""
    from tests.mutation import quick, trial
    from tests.mutation.changes import changes

    module = importlib.import_module(name)
    path = Path(str(module.__file__))
    if not path.is_relative_to(Path.cwd()):
        raise RuntimeError(f"{path} is not of the copy")
    source = path.read_text(encoding="utf-8")
    tests = [path_of(part) for part in MODULES[name]]

    began = time.monotonic()
    plain = compile(source, path, "exec", dont_inherit=True)
    longest = trial.Limits(processor=FIRST_LIMIT, clock=FIRST_LIMIT)
    first = trial.start(name, path, plain, tests, limits=longest, silent=False)
    _, status, used = os.wait4(first, 0)
    if status != 0:
        raise RuntimeError(f"{name}: its tests fail without any change")
    spent = round(time.monotonic() - began)
    processor = 10 + 5 * round(used.ru_utime + used.ru_stime)
    limits = trial.Limits(processor=processor, clock=60 + 10 * spent)
    # If the tests hang with a change, it is judged again, with all the time that they may take.
    quick_limits = trial.Limits(processor=processor, clock=15 + 3 * spent)

    made = list(changes(source, str(path), lambda kind, written: member(module, kind, written)))
    found = quick.found(name, plain, made, tests, limits=quick_limits, at_once=jobs)
    trials = [trial.Trial(made[place], survived=False) for place in sorted(found)]
    rest = [change for place, change in enumerate(made) if place not in found]
    trials += trial.play(name, path, rest, tests, limits=limits, at_once=jobs)

    survived = [each for each in trials if each.survived]
    survivors = {f"{each.change.where}: {each.change.what}": each for each in survived}
    late = [each.change for each in trials if each.timed_out]
    killed = len(trials) - len(late) - len(survivors)
    score = 100 * killed / len(trials)
    print(
        f"{name:<32}{len(trials):>7}{killed:>8}{len(late):>11}{len(survivors):>10}{score:>7.1f} %",
        flush=True,
    )
    for key, each in survivors.items():
        print(f"  {name}:{each.change.line}: {key}\n    {known.get(key, 'NOT LISTED')}", flush=True)
    # On a busy machine, these may have had too little time: judge them by hand.
    for change in late:
        print(f"  {name}:{change.line}: {change.where}: {change.what}\n    timed out", flush=True)
    gone = known.keys() - survivors.keys()
    for key in sorted(gone):
        print(f"  listed, and no survivor: {key}")
    return score >= LOWEST and not gone


if __name__ == "__main__":
    sys.exit(main())
