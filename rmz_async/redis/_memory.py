"""The last minute of a quota, as one process knows it."""

from __future__ import annotations

from collections.abc import Sequence

from rmz_async._pacing.quota import SPAN
from rmz_async.redis._link import Argument

__all__ = ("ServerMemory",)


class ServerMemory:
    """The requests of the last minute of which a process knows: its own, and what Redis counted.

    All times are seconds, monotonic, unless they are the server's.

    Attributes:
        generation: The name of the server's memory; empty before the first answer.
        since: The server's time of its latest answer; minus infinity before the first.
        mark: Is another object as soon as this process has counted a request without Redis, or
            could not.
    """

    def __init__(self) -> None:
        self.generation: str = ""
        self.since: str = "-inf"
        self.mark: object = None
        self._told: object = None
        self._sent: dict[str, float] = {}

    @property
    def is_alone(self) -> bool:
        """Whether there are requests of which Redis was not told."""
        return self.mark is not self._told

    def learn(
        self, generation: str, since: str, seen: Sequence[str], now: float, mark: object
    ) -> None:
        """Take over an answer of Redis.

        Args:
            generation: The name of the server's memory.
            since: The server's time.
            seen: The requests since the latest answer: the member and the age of each, flat.
            now: The time.
            mark: The value of `mark` when Redis was asked: other tasks may have counted without
                Redis meanwhile.
        """
        self.generation, self.since, self._told = generation, since, mark
        for member, age in zip(seen[::2], seen[1::2], strict=True):
            self._sent.setdefault(member, now - float(age))
        self._expire(now)

    def record(self, member: str, now: float) -> None:
        """Count a request that Redis does not know of."""
        self._sent[member] = now
        self._expire(now)

    def forget(self, prefix: str) -> None:
        """Count one request no more whose member begins so, because it was not sent after all."""
        for member in list(self._sent):
            if member.startswith(prefix):
                self._sent.pop(member, None)
                return

    def times(self, now: float) -> list[float]:
        """Return when the requests were sent."""
        self._expire(now)
        return list(self._sent.values())

    def report(self, now: float) -> list[Argument]:
        """Return age and member of each request in a row, for a server that may not know them."""
        self._expire(now)
        return [part for name, at in list(self._sent.items()) for part in (now - at, name)]

    def _expire(self, now: float) -> None:
        # Several threads may be here: each change is a single step.
        for member, at in list(self._sent.items()):
            if at + SPAN <= now:
                self._sent.pop(member, None)
