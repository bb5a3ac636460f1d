"""The transports of a client, for tests that serve real connections."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

AIOHTTP = find_spec("httpx_aiohttp") is not None

_needs_aiohttp = pytest.mark.skipif(not AIOHTTP, reason="the extra aiohttp is not installed")

TRANSPORTS = [
    pytest.param(None, id="httpx"),
    pytest.param("aiohttp", marks=_needs_aiohttp),
]

WAYS = [
    pytest.param("asyncio", None, id="asyncio-httpx"),
    pytest.param("trio", None, id="trio-httpx"),
    pytest.param("asyncio", "aiohttp", id="asyncio-aiohttp", marks=_needs_aiohttp),
]
"""The same with their event loops: aiohttp works on asyncio only."""
