"""The files of a sandbox: its token and secret, and its state from one run to the next."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Generator, Iterator
from pathlib import Path

import attrs

from rmz_async.sandbox.commands.parsing import CommandError, ExitCode
from rmz_async.sandbox.sandbox import Sandbox
from rmz_async.sandbox.tokens import may_be_live, new_token

__all__ = ("Credentials", "kept_in", "kept_in_file", "read_from", "restore_from")

_TOKEN, _SECRET = "RMZ_API_TOKEN", "RMZ_WEBHOOK_SECRET"
_LINE = re.compile(r"(?:export\s+)?([A-Z_]+)=(['\"]?)(.*?)\2\s*")
_OTHERS_MAY_READ = 0o077
_NAME = "state"


@attrs.frozen
class Credentials:
    """The values that both the sandbox and its callers need."""

    token: str = attrs.field(repr=False)
    secret: str = attrs.field(repr=False)


def kept_in(path: Path) -> Credentials:
    """Return the credentials in the file *path*, which is made if it is missing.

    The file has the form of an env file, which shells and Docker Compose can load.

    Raises:
        CommandError: The file cannot be read or made, or has something else in it.
    """
    made = Credentials(new_token(), secrets.token_urlsafe(21))
    text = f"{_TOKEN}='{made.token}'\n{_SECRET}='{made.secret}'\n"
    try:
        # Never readable for others, not even for a moment.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_from(path)
    except OSError as problem:
        raise _unusable(path, problem) from None
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return made


def read_from(path: Path) -> Credentials:
    """Return the credentials in the file *path*, and close the file to others.

    Raises:
        CommandError: The file cannot be read, or has something else in it. The message shows
            nothing of it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        if path.stat().st_mode & _OTHERS_MAY_READ:
            # A file system that cannot be written to stays as it is.
            with contextlib.suppress(OSError):
                path.chmod(0o600)
    except (OSError, ValueError) as problem:
        raise _unusable(path, problem) from None
    found = dict(_values(text))
    missing = [name for name in (_TOKEN, _SECRET) if not found.get(name)]
    if missing:
        raise CommandError(
            f"{path} has no {' and no '.join(missing)}: name another file, or one that does not "
            "exist yet",
            ExitCode.USAGE,
        )
    if any(map(may_be_live, text.split("'"))) or any(map(may_be_live, found.values())):
        raise CommandError(
            f"{path} contains a token that may belong to a real store; the sandbox has not kept "
            "it. Name another file, or one that does not exist yet",
            ExitCode.USAGE,
        )
    return Credentials(found[_TOKEN], found[_SECRET])


def _values(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        found = _LINE.fullmatch(line.strip())
        if found:
            yield found[1], found[3]


def _unusable(path: Path, problem: Exception) -> CommandError:
    reason = (problem.strerror or "") if isinstance(problem, OSError) else "it is no text"
    return CommandError(f"{path} cannot be used: {reason}", ExitCode.USAGE)


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


@contextlib.contextmanager
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
