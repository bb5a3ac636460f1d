from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

USUAL = 100
EXAMPLES = int(os.environ.get("RMZ_EXAMPLES", USUAL))

settings.register_profile(
    "rmz",
    # The same examples in each run: a failure comes again, and no run fails by chance. A session
    # that asks for more of them has the time to look into what is new.
    derandomize=EXAMPLES <= USUAL,
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("rmz")
