"""Imports what a call would import, in the thread: the first one, and the first wrong answer.

A process that was forked while a thread imported a module can never import that module: the lock of
the import stays locked, and the child's calls would hang. Tests report what a new version of a
dependency needs besides.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from importlib import import_module

for _name in (
    "anyio._backends._asyncio",
    "anyio.lowlevel",
    "anyio.to_thread",
    "cattrs",
    "certifi",
    "encodings.idna",
    "httpcore._backends.auto",
    "httpcore._backends.anyio",
    "httpcore._async.http11",
    "importlib.readers",
    "importlib.resources._adapters",
):
    with suppress(ImportError):
        import_module(_name)
# And the same for OpenSSL, which sets itself up, under locks of its own, for the first context.
ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
