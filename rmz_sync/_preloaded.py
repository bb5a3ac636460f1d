"""Imports what a call would import, in the thread: the first one, and the first wrong answer.

A process that was forked while a thread imported a module can never import that module: the lock of
the import stays locked, and the child's calls would hang. Tests report what a new version of a
dependency needs besides. The parts of TLS are not here, because each client makes its context
before its thread starts.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

for _name in (
    "anyio._backends._asyncio",
    "anyio.lowlevel",
    "anyio.to_thread",
    "cattrs",
    "encodings.idna",
    "httpcore._backends.auto",
    "httpcore._backends.anyio",
    "httpcore._async.http11",
):
    with suppress(ImportError):
        import_module(_name)
