"""The reports to an observer about a call: its attempts and its end."""

from __future__ import annotations

from typing import TypeVar

from rmz_async._calls import records as _records
from rmz_async._calls.outcome import Failed
from rmz_async._execution import Execution
from rmz_async.observing import Work

T = TypeVar("T")


class ObservedExecution(Execution[T]):
    """Runs a call as `Execution` does, and gives the client's observer a record of each step."""

    async def run(self) -> T:
        """Attempt the call until its outcome is known or nothing more may be done.

        Raises:
            RMZError: See the tree in `rmz_async.errors`.
        """
        observer = self._transport.observer
        assert observer is not None  # or the transport would not have chosen this class
        began, outcome = self._clock.clock(), "cancelled"
        with observer.around(Work.CALL, self._operation.name):
            try:
                result = await super().run()
                outcome = "ok"
            except Exception as error:
                outcome = type(error).__name__
                raise
            finally:
                seconds = self._clock.clock() - began
                record = _records.call_record(self._operation, self.history, outcome, seconds)
                observer.on_call(record)
        return result

    async def _attempt(self) -> T | Failed:
        observer = self._transport.observer
        assert observer is not None
        with observer.around(Work.ATTEMPT, self._operation.name):
            began = self._clock.clock()
            result = await super()._attempt()
            now = self._clock.clock()
            observer.on_attempt(
                _records.attempt_record(self._operation, self.history, result, began, now)
            )
        return result
