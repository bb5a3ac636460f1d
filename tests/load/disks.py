"""A disk that is full when the proof says so."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

MEBIBYTES = 48
STEP = 1 << 16


class SmallDisk:
    """A file system in memory, which holds few bytes.

    Args:
        folder: The place at which it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    @contextmanager
    def full(self) -> Generator[None]:
        """Leave no byte free for as long as the block runs."""
        with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
            while filler.write(b"\0" * STEP):
                pass
        try:
            yield
        finally:
            self._filler.unlink()


@contextmanager
def small_disk(folder: Path) -> Generator[SmallDisk | None]:
    """Mount a small disk; None if this process may not mount one."""
    folder.mkdir()
    mount = shutil.which("mount")
    options = f"size={MEBIBYTES}m"
    command = [str(mount), "-t", "tmpfs", "-o", options, "rmz-small-disk", str(folder)]
    if mount is None or os.geteuid() or subprocess.run(command, check=False).returncode:
        yield None
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run([str(shutil.which("umount")), str(folder)], check=False)


def limit_files(path: Path) -> None:
    """Let no file of this process grow beyond the present size of the one at *path*."""
    size = path.stat().st_size if path.exists() else 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + STEP // 4, resource.RLIM_INFINITY))
