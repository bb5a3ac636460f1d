"""The RMZ client for asyncio and trio.

``async with rmz_async.Client() as rmz: await rmz.subscriptions.get(501)``
"""

from __future__ import annotations

from rmz_async import _shared, models, paywall, webhooks
from rmz_async._shared import *  # noqa: F403 - the names stand in its __all__
from rmz_async.client import Client
from rmz_async.models import *  # noqa: F403 - the names stand in its __all__
from rmz_async.pagination import Pager
from rmz_async.paywall.paywall import Paywall

__all__: tuple[str, ...] = ("Client", "Pager", "Paywall", "paywall", "webhooks")
__all__ += _shared.__all__
__all__ += models.__all__
