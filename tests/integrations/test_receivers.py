"""Each framework gets the receiver that it can call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rmz_async import ConfigurationError, webhooks
from rmz_async.integrations import aiohttp, fastapi, flask, litestar, starlette
from rmz_sync import webhooks as blocking

AWAITING = [
    starlette.webhook,
    starlette.route,
    fastapi.webhook_router,
    aiohttp.webhook,
    litestar.route,
]


@pytest.mark.parametrize("adapt", AWAITING)
def test_a_receiver_that_blocks_is_refused_where_the_framework_awaits(
    adapt: Callable[[Any], object], blocking_receiver: blocking.Receiver
) -> None:
    """Each delivery would be stored, and answered with 500."""
    for given in (blocking_receiver, webhooks.Receiver, None):
        with pytest.raises(ConfigurationError, match=r"a Receiver of rmz_async\.webhooks"):
            adapt(given)


def test_a_receiver_that_awaits_is_refused_where_the_framework_blocks(
    receiver: webhooks.Receiver,
) -> None:
    """No delivery would be stored."""
    with pytest.raises(ConfigurationError, match=r"a Receiver of rmz_sync\.webhooks"):
        flask.blueprint(receiver)  # type: ignore[arg-type] # the mistake
