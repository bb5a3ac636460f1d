"""An example of a queue as the worker imports it, with a handler more and with short leases."""

from __future__ import annotations

import importlib
import os
from typing import Any

from tests import seams
from tests.queues.dying import add_dying_handler

example: Any = importlib.import_module(os.environ["EXAMPLE"])
queue: Any = example.queue

add_dying_handler(example.receiver)
seams.set_leases(0.5)
