"""A process of the proof with many deliveries: it serves the receiver, or runs its handlers."""

from __future__ import annotations

import argparse
import hashlib
import logging
import signal
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    """Serve or work until the process is ended."""
    sys.path.append(str(Path(__file__).parents[2]))
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=["bench", "hand", "serve", "work"])
    parser.add_argument("address")
    parser.add_argument("--lease", type=float, required=True)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    from tests.load.databases import let_sqlite_tell_uptime

    let_sqlite_tell_uptime()
    match given.job:
        case "bench":
            serve(beside_a_bare_route(given.address))
        case "hand":
            work_by_hand(given.address)
        case "serve":
            serve(receiving(given.address))
        case _:
            work(given.address, given.lease)


def receiving(address: str) -> Any:
    """Return an application that stores deliveries in the inbox."""
    from starlette.applications import Starlette

    from rmz_async.integrations.starlette import route
    from tests.load.databases import database_at
    from tests.load.receiving import transacting

    database = database_at(address)
    return Starlette(routes=[route(transacting(database, database.inbox()))])


def beside_a_bare_route(address: str) -> Any:
    """Return the same with FastAPI, beside a route that inserts a row, and does nothing else."""
    from fastapi import FastAPI, Request

    from rmz_async.integrations.fastapi import webhook_router
    from tests.load import rivals
    from tests.load.databases import SQLiteDatabase, database_at
    from tests.load.receiving import transacting

    database = database_at(address)
    assert isinstance(database, SQLiteDatabase)
    app = FastAPI()
    app.include_router(webhook_router(transacting(database, database.inbox())))
    connection = rivals.durable(database.path.with_name("bare.db"))
    connection.execute(rivals.BARE)

    async def bare(request: Request) -> dict[str, bool]:
        body = await request.body()
        key = hashlib.sha256(body).hexdigest()
        connection.execute("INSERT OR IGNORE INTO bare VALUES (?, ?)", (key, body))
        return {"stored": True}

    # FastAPI reads the annotations, whose names are this function's own.
    bare.__annotations__["request"] = Request
    app.post("/bare")(bare)
    return app


def serve(app: Any) -> None:
    """Serve an application on a free port, which is printed."""
    import uvicorn

    config = uvicorn.Config(app, port=0, log_config=None, access_log=False)
    listening = config.bind_socket()
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(config).run([listening])


def work_by_hand(address: str) -> None:
    """Do the work of the handlers in PostgreSQL without the library."""
    from tests.load.postgres import PostgresDatabase
    from tests.load.rivals import by_hand_in_postgres

    database = PostgresDatabase(address)
    print("works", flush=True)
    by_hand_in_postgres(database)


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
