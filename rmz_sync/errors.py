"""The one error that has something to call: all others are those of ``rmz_async``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rmz_async.errors
from rmz_async.errors import ConfigurationError
from rmz_sync._portal import cut_off

__all__ = ("OutcomeUnknownError",)


class OutcomeUnknownError(rmz_async.errors.OutcomeUnknownError):
    """The call was sent and no trustworthy answer came back: it may have been applied.

    Do not simply repeat it: `resolve` finds out later, and the message says how else to. Where RMZ
    did answer, with a server error for instance, that answer is the ``__cause__``.

    Attributes:
        operation: The call, for example ``subscriptions.extend``.
        object_id: The id of the object that it was to change, or None.
        sent_at: When the first request was sent that may have been applied; UTC.
        attempts: How often it was tried.
    """

    _run: Callable[[Any], Any] | None = None

    @classmethod
    def of(
        cls, error: rmz_async.errors.OutcomeUnknownError, run: Callable[[Any], Any]
    ) -> OutcomeUnknownError:
        """Return the same error for code that cannot await; *run* runs an async function."""
        copy = cls(*error.args)
        vars(copy).update(vars(error), _run=run)
        return copy.with_traceback(error.__traceback__)

    def resolve(self) -> Any:
        """Find out whether the call was applied.

        What changes an object is looked for in that object. It counts as not applied only a minute
        after it was last sent, as RMZ may still be at work before. Sessions are asked for anew, and
        so is an order while RMZ takes it for the same one. An extension can be found only if the
        subscription was passed that had been read before it.

        Returns:
            What the call would have returned: it was applied.

        Raises:
            ConnectionFailedError: It was not applied, and repeating it is safe.
            OutcomeUnknownError: Nobody can tell yet, or at all; this very error, or for an order
                or a session a new one.
            ConfigurationError: The error was pickled or copied, or the client was closed.
        """
        if self._run is None:
            raise ConfigurationError("this error has lost its client: it was pickled or copied")
        return self._run(self._find_out)

    async def _find_out(self) -> Any:
        # Cut off, it has found out nothing: a read-back that failed would say "not applied".
        cut_off.get().verdict = lambda _: self.with_traceback(None)
        return await super().resolve()
