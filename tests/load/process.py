"""A process of the proof with many deliveries: it serves the receiver, or runs its handlers."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path


def main() -> None:
    """Serve or work until the process is ended."""
    sys.path.append(str(Path(__file__).parents[2]))
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=["serve", "work"])
    parser.add_argument("address")
    parser.add_argument("--lease", type=float, required=True)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if given.job == "serve":
        serve(given.address)
    else:
        work(given.address, given.lease)


def serve(address: str) -> None:
    """Serve the receiver on a free port, which is printed."""
    import uvicorn
    from starlette.applications import Starlette

    from rmz_async.integrations.starlette import route
    from tests.load.databases import database_at
    from tests.load.receiving import transacting

    database = database_at(address)
    receiver = transacting(database, database.inbox())
    app = Starlette(routes=[route(receiver)])
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False)
    listening = config.bind_socket()
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run([listening])


def work(address: str, lease: float) -> None:
    """Run the handlers."""
    import anyio

    from tests.load.databases import database_at
    from tests.load.receiving import transacting
    from tests.seams import set_leases

    set_leases(lease)
    database = database_at(address)
    receiver = transacting(database, database.inbox())

    async def run() -> None:
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            async with receiver.working():
                print("works", flush=True)
                async for _ in signals:
                    break
        await receiver.aclose()

    anyio.run(run)


if __name__ == "__main__":
    main()
