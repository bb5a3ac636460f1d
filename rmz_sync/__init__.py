"""The RMZ client for code that cannot await: the names of ``rmz_async``, and the same calls.

``with rmz_sync.Client() as rmz: rmz.subscriptions.get(501)``
"""

from __future__ import annotations

from rmz_async import _shared, models
from rmz_async._decoding.converter import load_cattrs
from rmz_async._shared import *  # noqa: F403 - the names stand in its __all__
from rmz_async.models import *  # noqa: F403 - the names stand in its __all__
from rmz_sync import paywall, webhooks
from rmz_sync.client import Client
from rmz_sync.pagination import Pager
from rmz_sync.paywall.paywall import Paywall

__all__: tuple[str, ...] = ("Client", "Pager", "Paywall", "paywall", "webhooks")
__all__ += _shared.__all__
__all__ += models.__all__

# If a process forked while the first answer imports cattrs, the child would wait for that import
# forever.
load_cattrs()
