"""Let Schemathesis try the document out on a sandbox; ends non-zero where they disagree."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from datetime import UTC, datetime
from pathlib import Path

import attrs

from rmz_async.sandbox import Sandbox
from rmz_async.sandbox.seed import seeded_store
from rmz_async.sandbox.state import Store

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs" / "openapi.yaml"
# Ten seconds must pass between two extensions, and what was cancelled stays so: enough of both
# kinds that most calls meet one that no other call has changed.
COPIES = range(1001, 2001)


def filled_store() -> Store:
    """Return the seeded store with many more subscriptions, active and paused in turn."""
    store = seeded_store(datetime.now(UTC))
    for number in COPIES:
        original = store.subscriptions[504 if number % 2 else 508]
        store.subscriptions[number] = attrs.evolve(original, id=number)
    return store


def config(store: Store) -> str:
    """Return the settings with the ids that *store* has."""
    dictionaries = {
        "subscriptions": store.subscriptions,
        "orders": store.orders,
        "products": store.products,
    }
    settings = (HERE / "schemathesis.toml").read_text(encoding="utf-8")
    for name, objects in dictionaries.items():
        settings += f"\n[dictionaries.{name}]\nvalues = {list(objects)}\n"
    return settings


def main() -> int:
    """Serve a sandbox without limits, and return the exit code of Schemathesis.

    Its settings are written into the current directory.
    """
    store = filled_store()
    settings = Path("schemathesis.toml").resolve()
    settings.write_text(config(store), encoding="utf-8")
    with Sandbox(seed=store, throttle=False).serve() as served:
        command = [
            str(Path(sysconfig.get_path("scripts")) / "schemathesis"),
            f"--config-file={settings}",
            "run",
            str(DOCUMENT),
            f"--url={served.base_url}",
            f"--header=Authorization: Bearer {served.token}",
            *sys.argv[1:],
        ]
        return subprocess.run(command, check=False, env={**os.environ}).returncode


if __name__ == "__main__":
    sys.exit(main())
