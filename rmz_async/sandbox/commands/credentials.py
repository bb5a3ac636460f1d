"""The token and the secret of a sandbox, in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import attrs

from rmz_async.sandbox.commands.parsing import CommandError, ExitCode
from rmz_async.sandbox.tokens import may_be_live, new_token

__all__ = ("Credentials", "kept_in", "read_from")

_TOKEN, _SECRET = "RMZ_API_TOKEN", "RMZ_WEBHOOK_SECRET"
_LINE = re.compile(r"(?:export\s+)?([A-Z_]+)=(['\"]?)(.*?)\2\s*")
_OTHERS_MAY_READ = 0o077


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
