"""The buckets of the histograms, in seconds, the same for each system of metrics."""

from __future__ import annotations

# A call may take 60 seconds, unless its client has another timeout.
CALLS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

# A slot is free after a minute at the latest.
WAITS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60)

# An answer of a paywall may be from moments to a day old.
AGES = (0.1, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)

# RMZ gives up after 3 seconds.
ANSWERS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5)

# An async handler may take 300 seconds, unless its receiver has another timeout.
HANDLERS = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300)

# Other processes look at the inbox twice a second; one that is down may come back a day later.
LAGS = (0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)
