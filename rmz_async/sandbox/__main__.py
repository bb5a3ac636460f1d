"""Serve a sandbox from the command line: ``python -m rmz_async.sandbox``."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence

from rmz_async.sandbox import Sandbox, Served
from rmz_async.sandbox._printing import readable_output
from rmz_async.sandbox.app import BASE_PATH

__all__ = ("main",)

# No code sets it: only Ctrl-C ends the wait.
_NEVER = threading.Event()


@readable_output()
def main(
    arguments: Sequence[str] | None = None, *, wait: Callable[[], object] = _NEVER.wait
) -> int:
    """Serve until Ctrl-C.

    Args:
        arguments: The command line; None for the process's own.
        wait: Blocks as long as the sandbox is to be served; without an end by default.

    Returns:
        The exit code.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        sandbox = Sandbox(token=given.token, seed=given.seed, throttle=not given.no_throttle)
        for url in given.webhook:
            sandbox.add_webhook(url, secret=given.secret)
        clock_runs = given.clock == "running"
        served = sandbox.serve(host=given.host, port=given.port, clock_runs=clock_runs)
        with served:
            _greet(served)
            wait()
    except KeyboardInterrupt:
        return 0
    except (ValueError, OSError) as problem:
        parser.error(str(problem))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rmz_async.sandbox",
        description="A local RMZ for tests and demonstrations.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (%(default)s)")
    parser.add_argument("--port", type=int, default=8787, help="0 for any (%(default)s)")
    parser.add_argument(
        "--webhook",
        action="append",
        default=[],
        metavar="URL",
        help="send every event there, on a loopback address; may be repeated",
    )
    parser.add_argument("--token", help="the API token, for example 1|local; else a random one")
    parser.add_argument(
        "--secret", help="signs the deliveries to each --webhook, at least 16 characters"
    )
    parser.add_argument("--seed", help="makes the ids of events and the faults the same each time")
    parser.add_argument("--no-throttle", action="store_true", help="keep no rate limits")
    parser.add_argument(
        "--clock",
        choices=("running", "stopped"),
        default="running",
        help="stopped: time stands still until POST /sandbox/clock moves it (%(default)s)",
    )
    return parser


def _greet(served: Served) -> None:
    lines = [
        "A local RMZ is ready. Point the client at it:",
        "",
        f"  export RMZ_BASE_URL={served.base_url}",
        f"  export RMZ_API_TOKEN='{served.token}'",
        "",
        f"  reference {served.base_url.removesuffix(BASE_PATH)}/reference",
        "",
    ]
    for webhook in served.sandbox.webhooks:
        lines += [f"  webhook   {webhook.url}", f"  secret    {webhook.secret}", ""]
    sys.stdout.write("\n".join([*lines, "Ctrl-C stops it.\n"]))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
