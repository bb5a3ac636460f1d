from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# The same examples in each run: a failure comes again, and no run fails by chance.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
# Other examples in each run, and many of them, for a session that has the time.
settings.register_profile(
    "many",
    settings.get_profile("repeatable"),
    derandomize=False,
    max_examples=int(os.environ.get("RMZ_EXAMPLES", "100")),
)
settings.load_profile("many" if "RMZ_EXAMPLES" in os.environ else "repeatable")
