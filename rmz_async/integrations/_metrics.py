"""The metrics that observers keep: the same names, texts and buckets for each system of metrics."""

from __future__ import annotations

import attrs


@attrs.frozen
class Counted:
    """A number of things that have happened.

    Attributes:
        name: The name in words, separated by dots.
        unit: The name of a single thing.
        text: The meaning.
    """

    name: str
    unit: str
    text: str


@attrs.frozen
class Timed:
    """Times of things that have happened, in seconds.

    Attributes:
        name: The name in words, separated by dots.
        text: The meaning.
        buckets: The upper bounds of the histogram, in seconds.
    """

    name: str
    text: str
    buckets: tuple[float, ...]


ATTEMPTS = Counted("rmz.attempts", "attempt", "Attempts of calls of RMZ's API.")
WAITS = Timed(
    "rmz.attempt.wait",
    "Time before an attempt was sent, for a slot most of all.",
    # A slot is free after a minute at the latest.
    (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60),
)
CALLS = Timed(
    "rmz.call.duration",
    "Time of calls of RMZ's API, over all their attempts.",
    # A call may take 60 seconds, unless its client has another timeout.
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
DECISIONS = Counted(
    "rmz.paywall.decisions", "decision", "Answers of the paywall that memory did not have ready."
)
AGES = Timed(
    "rmz.paywall.decision.age",
    "Time since RMZ was asked, for answers that memory did not have ready.",
    # An answer of a paywall may be from moments to a day old.
    (0.1, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400),
)
DELIVERIES = Counted("rmz.webhook.deliveries", "delivery", "Deliveries that were answered.")
ANSWERS = Timed(
    "rmz.webhook.answer",
    "Time to answer a delivery; RMZ gives up after 3 seconds.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5),
)
HANDLED = Counted("rmz.webhook.handler.attempts", "attempt", "Attempts of handlers.")
HANDLERS = Timed(
    "rmz.webhook.handler.duration",
    "Time of handlers.",
    # An async handler may take 300 seconds, unless its receiver has another timeout.
    (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300),
)
LAGS = Timed(
    "rmz.webhook.handler.lag",
    "Time between the storing of a delivery and the first attempt of a handler.",
    # Other processes read the inbox twice a second; a process that is down may start a day later.
    (0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400),
)
