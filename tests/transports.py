"""What a client may work over, for tests that serve real connections."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

AIOHTTP = find_spec("httpx_aiohttp") is not None

TRANSPORTS = [
    pytest.param(None, id="httpx"),
    pytest.param(
        "aiohttp",
        marks=pytest.mark.skipif(not AIOHTTP, reason="the extra aiohttp is not installed"),
    ),
]
