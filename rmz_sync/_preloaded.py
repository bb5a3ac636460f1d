"""Imports the modules that the first call, or the first wrong answer, would import in the thread.

A process that was forked while a thread imported a module can never import that module: the lock of
the import stays locked, and the child's calls would hang. A test fails if a new version of a
dependency imports a further module there. The modules of TLS are not listed, because each client
makes its TLS context before its thread starts.
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
