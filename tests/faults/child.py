"""A sandbox behind a proxy with random faults; prints its address, and ends with its parent."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path


def main() -> None:
    """Serve until standard input ends."""
    sys.path.append(str(Path(__file__).parents[2]))
    from tests.faults.faults import FAULTS, Fault, Stage
    from tests.faults.shop import open_shop

    loud = [fault for fault in FAULTS if fault.kind.stage is Stage.REQUEST]
    early = [fault for fault in FAULTS if fault.kind.stage is Stage.CONNECTION]
    chance = random.Random(1)  # noqa: S311 - the same faults in each run

    class Rarely:
        """A request in ten, and a connection in a hundred."""

        def on_connection(self) -> Fault | None:
            """See `Plan`."""
            return chance.choice(early) if chance.random() < 0.01 else None

        def on_request(self, method: str) -> Fault | None:
            """See `Plan`."""
            return chance.choice(loud) if chance.random() < 0.1 else None

        def passing(self, when: str) -> None:
            """See `Plan`."""

    with open_shop() as shop:
        line = shop.proxy.line(Rarely())
        print(json.dumps({"base_url": line.base_url, "token": shop.token}), flush=True)
        sys.stdin.read()
        line.close()


if __name__ == "__main__":
    main()
