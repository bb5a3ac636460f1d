"""Receivers and clients of which one awaits and the other does not."""

from __future__ import annotations

from typing import Any

import pytest

import rmz_async
import rmz_sync
from rmz_async import ConfigurationError
from rmz_async.webhooks import Receiver

TOKEN = "a-token-of-21-letters"
SECRET = "a-secret-of-28-characters-at"


@pytest.mark.anyio
async def test_a_receiver_that_awaits_refuses_a_client_that_does_not() -> None:
    """The client's pages would end in an error that names neither."""
    receiver = Receiver(secrets=[SECRET], inbox="sqlite:///:memory:")
    with rmz_sync.Client(TOKEN) as client:
        given: Any = client
        with pytest.raises(ConfigurationError, match="must be a Client of rmz_async"):
            await receiver.reconcile(given)
    await receiver.aclose()


def test_a_receiver_that_does_not_await_refuses_a_client_that_does() -> None:
    receiver = rmz_sync.webhooks.Receiver(secrets=[SECRET], inbox="sqlite:///:memory:")
    given: Any = rmz_async.Client(TOKEN)

    with pytest.raises(ConfigurationError, match="must be a Client of rmz_sync"):
        receiver.reconcile(given)
    receiver.close()
