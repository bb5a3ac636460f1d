"""Keep the state of a sandbox in a file from one run to the next."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rmz_async.sandbox.commands.parsing import CommandError, ExitCode
from rmz_async.sandbox.sandbox import Sandbox

__all__ = ("kept_in_file", "restore_from")

_NAME = "state"


def restore_from(path: Path, sandbox: Sandbox, *, beyond_loopback: bool) -> None:
    """Make *sandbox* what the file *path* says; a file that is missing is made at the end.

    Raises:
        CommandError: The file cannot be read, is no state, or could not be written later.
    """
    if path.exists():
        try:
            sandbox.snapshots.load_file(path, _NAME, beyond_loopback=beyond_loopback)
        except OSError as problem:
            raise _failed("read", path, problem, ExitCode.USAGE) from None
        except ValueError as problem:
            words = str(problem).replace("beyond_loopback=True", "--i-know-that-this-is-not-rmz")
            raise CommandError(words, ExitCode.USAGE) from None
        sandbox.snapshots.restore(_NAME)
        sandbox.snapshots.delete(_NAME)
    # A folder that is missing, or closed, is said now and not when hours of work are lost.
    _save(path, sandbox, ExitCode.USAGE)


@contextmanager
def kept_in_file(path: Path | None, sandbox: Sandbox) -> Generator[None]:
    """Save the state when the block ends, however it ends.

    Raises:
        CommandError: The file cannot be written.
    """
    try:
        yield
    finally:
        if path is not None:
            _save(path, sandbox, ExitCode.FAILED)


def _save(path: Path, sandbox: Sandbox, code: ExitCode) -> None:
    try:
        sandbox.snapshots.save_file(path)
    except OSError as problem:
        raise _failed("saved", path, problem, code) from None


def _failed(what: str, path: Path, problem: OSError, code: ExitCode) -> CommandError:
    return CommandError(f"the state cannot be {what}: {path}: {problem.strerror}", code)
