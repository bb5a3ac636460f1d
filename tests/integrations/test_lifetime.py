"""The life of an application, in the frameworks that have a lifespan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

import rmz_async
from rmz_async.integrations import aiohttp, fastapi, litestar, starlette


@pytest.mark.parametrize(
    "prepare",
    [
        fastapi.lifespan,
        litestar.lifespan,
        starlette.lifespan,
        lambda client: aiohttp.setup(web.Application(), client=client),
    ],
)
def test_a_client_in_place_of_a_function_is_refused_before_the_start(
    prepare: Callable[..., Any],
) -> None:
    with pytest.raises(rmz_async.ConfigurationError, match="client: must be a function"):
        prepare(client=rmz_async.Client("1|a-token"))
