"""Snapshots by name: save, restore, compare, delete, and carry to another machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from rmz_async.sandbox.snapshots.changes import Change, changes_between
from rmz_async.sandbox.snapshots.snapshot import Snapshot, put_back, take

if TYPE_CHECKING:
    from rmz_async.sandbox.backend import Backend
    from rmz_async.sandbox.lifecycle.timeline import Timeline

__all__ = ("SnapshotError", "Snapshots")

T = TypeVar("T")

_NAME = re.compile(r"[\w][\w .-]{0,63}")
_PRESENT = "now"


class SnapshotError(ValueError):
    """A snapshot cannot be saved, restored or read; the sandbox has not changed."""


class Snapshots:
    """The snapshots of one sandbox, by name.

    A snapshot holds everything: the store, the time, the ledger, deliveries and those that are
    due, sessions and codes of the pages, the windows of the rate limits, the counters of ids, and
    the state of chance. So the same actions after a restore have the same results. The token and
    whether the clock runs are no part of it.
    """

    def __init__(self, backend: Backend, timeline: Timeline) -> None:
        self._backend = backend
        self._timeline = timeline
        self._saved: dict[str, Snapshot] = {}
        self._call: Callable[[Callable[[], Any]], Any] = _directly

    def save(self, name: str) -> Snapshot:
        """Keep the sandbox as it is now; an older snapshot of that name is dropped.

        A delivery that is under way belongs to the snapshot, and is attempted again after a
        restore.

        Args:
            name: 1 to 64 letters, digits, blanks, dots, hyphens and underscores; the first is a
                letter, a digit or an underscore.

        Returns:
            The snapshot.

        Raises:
            SnapshotError: *name* is something else.
        """
        _check(name)
        snapshot = self._run(lambda: self._take(name))
        self._keep(snapshot)
        return snapshot

    def restore(self, name: str) -> None:
        """Make the sandbox what it was.

        Deliveries that are under way are given up. Rows that were read from `Sandbox.state` before
        may be out of date: read them again.

        Args:
            name: The name of a snapshot.

        Raises:
            SnapshotError: There is no such snapshot, or the clock is being moved.
        """
        snapshot = self.get(name)
        self._run(lambda: self._put_back(snapshot))

    def diff(self, first: str, second: str | None = None) -> tuple[Change, ...]:
        """Return what differs between two snapshots.

        Args:
            first: The name of a snapshot.
            second: The name of another one; None for the sandbox as it is now.

        Raises:
            SnapshotError: There is no such snapshot.
        """
        before = self.get(first)
        if second is None:
            return self._run(lambda: changes_between(before, self._take(_PRESENT)))
        return changes_between(before, self.get(second))

    def delete(self, name: str) -> None:
        """Drop a snapshot.

        Raises:
            SnapshotError: There is no such snapshot.
        """
        self.get(name)
        del self._saved[name]
        self._backend.other_changes += 1

    def list(self) -> tuple[Snapshot, ...]:
        """Return all snapshots, in the order in which their names were first used."""
        return tuple(self._saved.values())

    def get(self, name: str) -> Snapshot:
        """Return a snapshot.

        Raises:
            SnapshotError: There is no such snapshot.
        """
        if name not in self._saved:
            there_are = ", ".join(map(repr, self._saved)) or "none"
            raise SnapshotError(f"there is no snapshot {name!r}; there are: {there_are}")
        return self._saved[name]

    def save_file(self, path: str | Path, name: str | None = None) -> None:
        """Write a snapshot to a file, as JSON that another sandbox can load.

        The file has the webhooks' secrets, and is made readable to you alone. A file of that name
        is replaced as a whole, or not at all.

        Args:
            path: The file.
            name: The name of a snapshot; None for the sandbox as it is now.

        Raises:
            SnapshotError: There is no such snapshot.
            OSError: The file cannot be written.
        """
        # Imported when a file is asked for: cattrs takes longer than the start of a sandbox.
        from rmz_async.sandbox.snapshots.file import write

        write(
            Path(path), self._run(lambda: self._take(_PRESENT)) if name is None else self.get(name)
        )

    def content(self, name: str) -> bytes:
        """Return what `save_file` would write of a snapshot.

        Raises:
            SnapshotError: There is no such snapshot.
        """
        from rmz_async.sandbox.snapshots.file import encoded

        return encoded(self.get(name))

    def load_file(
        self, path: str | Path, name: str | None = None, *, beyond_loopback: bool = False
    ) -> Snapshot:
        """Read a snapshot from a file, and keep it; `restore` makes the sandbox so.

        Args:
            path: A file that `save_file` has written.
            name: The name to keep it by; None for the name in the file.
            beyond_loopback: Whether its webhooks may lead to other machines.

        Returns:
            The snapshot.

        Raises:
            SnapshotError: The file is of another version, is no snapshot, or has a value that a
                sandbox refuses. The message names the field.
            OSError: The file cannot be read.
        """
        try:
            return self.load(Path(path).read_bytes(), name, beyond_loopback=beyond_loopback)
        except SnapshotError as problem:
            raise SnapshotError(f"{path}: {problem}") from None

    def load(
        self, content: bytes, name: str | None = None, *, beyond_loopback: bool = False
    ) -> Snapshot:
        """Read a snapshot from what `content` or `save_file` made; the rest is as in `load_file`.

        Args:
            content: JSON.
            name: The name to keep it by; None for the name in *content*.
            beyond_loopback: Whether its webhooks may lead to other machines.

        Returns:
            The snapshot.

        Raises:
            SnapshotError: *content* is of another version, is no snapshot, or has a value that a
                sandbox refuses. The message names the field.
        """
        from rmz_async.sandbox.snapshots.file import FileError, decoded

        try:
            snapshot = decoded(content, beyond_loopback=beyond_loopback)
        except FileError as problem:
            raise SnapshotError(str(problem)) from None
        kept = attrs.evolve(snapshot, name=snapshot.name if name is None else name)
        _check(kept.name)
        self._keep(kept)
        return kept

    def called_by(self, call: Callable[[Callable[[], Any]], Any] | None) -> None:
        """Let *call* carry out the work, in the event loop that serves; None for directly."""
        self._call = _directly if call is None else call

    def _keep(self, snapshot: Snapshot) -> None:
        self._saved[snapshot.name] = snapshot
        self._backend.other_changes += 1

    def _run(self, work: Callable[[], T]) -> T:
        result: T = self._call(work)
        return result

    def _take(self, name: str) -> Snapshot:
        return take(name, self._backend, self._timeline)

    def _put_back(self, snapshot: Snapshot) -> None:
        if self._timeline.is_moving:
            raise SnapshotError(
                "the clock is being moved, and nothing was restored: restore when advance has "
                "returned"
            )
        put_back(snapshot, self._backend, self._timeline)
        self._backend.other_changes += 1


def _directly(work: Callable[[], T]) -> T:
    return work()


def _check(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise SnapshotError(
            f"the name of a snapshot is 1 to 64 letters, digits, blanks, '.', '-' and '_', and "
            f"begins with a letter, a digit or '_'; not {name!r}"
        )
