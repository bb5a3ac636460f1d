"""The command ``serve``: a sandbox on a port, until it is stopped."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import urlsplit

from rmz_async.sandbox.commands.credentials import Credentials, kept_in
from rmz_async.sandbox.commands.lines import Lines, RequestLines, has_colours
from rmz_async.sandbox.commands.parsing import CommandError, Commands, ExitCode, Parser
from rmz_async.sandbox.loopback import is_loopback
from rmz_async.sandbox.sandbox import Sandbox
from rmz_async.sandbox.serving.served import Served
from rmz_async.sandbox.wire.below import BASE_PATH

__all__ = ("add_serving",)

# The name by which the sandbox knows the state in a file.
_STATE = "state"


def add_serving(commands: Commands, wait: Callable[[], object]) -> None:
    """Add the command."""
    parser = commands.add("serve", lambda given: _serve(given, wait), "Serve a sandbox on a port.")
    _add_address(parser)
    _add_identity(parser)
    _add_behaviour(parser)


def _add_address(parser: Parser) -> None:
    group = parser.add_argument_group("address")
    group.add_argument(
        "--port", type=int, default=8787, help="0 for any free port (default: %(default)s)"
    )
    group.add_argument(
        "--host", default="127.0.0.1", help="a loopback address (default: %(default)s)"
    )
    group.add_argument(
        "--i-know-that-this-is-not-rmz",
        action="store_true",
        help="allow a --host and a --webhook beyond this machine: anyone who reaches the port "
        "can do everything, and see the token",
    )
    group.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name with a dot, by which other machines reach the sandbox; may be given more "
        "than once",
    )
    group.add_argument(
        "--public-url",
        metavar="URL",
        help="begins the links to the pages, if browsers reach the sandbox by another address than "
        "callers of the API",
    )


def _add_identity(parser: Parser) -> None:
    group = parser.add_argument_group("token, webhooks and their secret")
    group.add_argument("--token", help="the API token, such as 1|local; random if left out")
    group.add_argument(
        "--webhook",
        action="append",
        default=[],
        metavar="URL",
        help="send every event to URL; may be given more than once",
    )
    group.add_argument(
        "--secret", help="signs the deliveries to each --webhook, at least 16 characters"
    )
    group.add_argument(
        "--credentials",
        type=Path,
        metavar="FILE",
        help="keep token and secret in FILE, which is made with mode 0600 if it is missing",
    )


def _add_behaviour(parser: Parser) -> None:
    group = parser.add_argument_group("behaviour")
    group.add_argument(
        "--clock",
        choices=("running", "stopped"),
        default="running",
        help="stopped: time stands still until 'advance' moves it (default: %(default)s)",
    )
    group.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="restore everything from FILE if it is there, and save it there at the end",
    )
    group.add_argument("--no-throttle", action="store_true", help="apply no rate limits")
    group.add_argument("--seed", help="makes the ids of events and the faults the same each time")
    group.add_argument(
        "--quiet", action="store_true", help="print no line for each request and delivery"
    )


def _serve(given: argparse.Namespace, wait: Callable[[], object]) -> int:
    try:
        with _stopped_by_signals():
            sandbox = _sandbox(given)
            served = sandbox.serve(
                host=given.host,
                port=given.port,
                clock_runs=given.clock == "running",
                beyond_loopback=given.i_know_that_this_is_not_rmz,
                names=given.allow_host,
                public_url=given.public_url,
            )
            if not given.quiet:
                _print_lines(sandbox)
            try:
                with served:
                    _greet(served, given)
                    wait()
            finally:
                if given.state is not None:
                    _save(given.state, sandbox, ExitCode.FAILED)
    except (_StoppedError, KeyboardInterrupt):
        return ExitCode.DONE
    except ValueError as problem:
        raise CommandError(str(problem), ExitCode.USAGE) from None
    except OSError as problem:
        reason = f"cannot serve on {given.host} port {given.port}: {problem.strerror or problem}"
        if problem.errno == errno.EADDRINUSE:
            reason += "; perhaps another sandbox runs there: --port 0 takes a port that is free"
        raise CommandError(reason, ExitCode.FAILED) from None
    return ExitCode.DONE


def _sandbox(given: argparse.Namespace) -> Sandbox:
    elsewhere: bool = given.i_know_that_this_is_not_rmz
    if not elsewhere and not is_loopback(given.host):
        raise CommandError(
            f"--host {given.host} is not on loopback: the sandbox is served on loopback addresses "
            "only, unless you add --i-know-that-this-is-not-rmz",
            ExitCode.USAGE,
        )
    token, secret = given.token, given.secret
    if given.credentials is not None:
        if token is not None or secret is not None:
            raise CommandError(
                "--credentials names a file with both: leave --token and --secret out",
                ExitCode.USAGE,
            )
        kept: Credentials = kept_in(given.credentials)
        token, secret = kept.token, kept.secret
    sandbox = Sandbox(token=token, seed=given.seed, throttle=not given.no_throttle)
    if given.state is not None:
        _restore_from(given.state, sandbox, beyond_loopback=elsewhere)
    for url in given.webhook:
        _add_webhook(sandbox, url, secret, elsewhere=elsewhere)
    return sandbox


def _add_webhook(sandbox: Sandbox, url: str, secret: str | None, *, elsewhere: bool) -> None:
    """Add a webhook, unless the restored state has it."""
    if not elsewhere and not is_loopback(urlsplit(url).hostname or "localhost"):
        raise CommandError(
            f"--webhook {url} is on another machine: the sandbox never talks to the outside, "
            "unless you add --i-know-that-this-is-not-rmz",
            ExitCode.USAGE,
        )
    known = next((webhook for webhook in sandbox.webhooks if webhook.url == url), None)
    if known is None:
        sandbox.add_webhook(url, secret=secret, beyond_loopback=elsewhere)
    elif secret is not None:
        known.secret = secret


def _restore_from(path: Path, sandbox: Sandbox, *, beyond_loopback: bool) -> None:
    """Make *sandbox* what the file *path* says; a file that is missing is made at the end."""
    if path.exists():
        try:
            sandbox.snapshots.load_file(path, _STATE, beyond_loopback=beyond_loopback)
        except OSError as problem:
            raise _failed("read", path, problem, ExitCode.USAGE) from None
        except ValueError as problem:
            words = str(problem).replace("beyond_loopback=True", "--i-know-that-this-is-not-rmz")
            raise CommandError(words, ExitCode.USAGE) from None
        sandbox.snapshots.restore(_STATE)
        sandbox.snapshots.delete(_STATE)
    # A folder that is missing, or closed, is said now and not when hours of work are lost.
    _save(path, sandbox, ExitCode.USAGE)


def _save(path: Path, sandbox: Sandbox, code: ExitCode) -> None:
    try:
        sandbox.snapshots.save_file(path)
    except OSError as problem:
        raise _failed("saved", path, problem, code) from None


def _failed(what: str, path: Path, problem: OSError, code: ExitCode) -> CommandError:
    return CommandError(f"the state cannot be {what}: {path}: {problem.strerror}", code)


def _print_lines(sandbox: Sandbox) -> None:
    lines = Lines(sys.stdout, coloured=has_colours(sys.stdout))
    sandbox.watch_deliveries(lines.delivery)
    sandbox.worlds.when_made.append(
        lambda name, world: world.watch_deliveries(partial(lines.delivery, world=name))
    )
    sandbox.app = RequestLines(sandbox.app, sandbox.clock.now, lines.request)


class _StoppedError(BaseException):
    """A signal has asked the program to stop."""


@contextmanager
def _stopped_by_signals() -> Generator[None]:
    """Raise an exception in the block when the program is asked to stop."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        # A second signal must not disturb the way out.
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, signal.SIG_IGN)
        raise _StoppedError

    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may listen to signals.
        yield
        return
    before = {signum: signal.signal(signum, stop) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _greet(served: Served, given: argparse.Namespace) -> None:
    origin = served.base_url.removesuffix(BASE_PATH)
    lines = [
        "A local RMZ is ready. Point the client at it:",
        "",
        f"  export RMZ_BASE_URL={served.base_url}",
        f"  export RMZ_API_TOKEN='{served.token}'",
        "",
        f"  dashboard {given.public_url or origin}/",
        f"  reference {origin}/reference",
        "",
    ]
    for webhook in served.sandbox.webhooks:
        lines += [f"  webhook   {webhook.url}", f"  secret    {webhook.secret}", ""]
    if given.i_know_that_this_is_not_rmz and not is_loopback(given.host):
        lines += [
            f"Other machines reach it on {given.host}, and can do everything there.",
            "",
        ]
    sys.stdout.write("\n".join([*lines, "Ctrl-C stops it.\n"]))
    sys.stdout.flush()
