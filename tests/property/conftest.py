from __future__ import annotations

from hypothesis import HealthCheck, settings

# The same examples in each run: a failure comes again, and no run fails by chance.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
