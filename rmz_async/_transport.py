"""The one way to RMZ: authorise, send, repeat, settle.

What a failure means and what to do next is decided in :mod:`rmz_async._retry`; what the bytes mean,
in :mod:`rmz_async._wire`. This module does what they say.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any, TypeVar

import anyio

from rmz_async import _retry, _wire
from rmz_async._call import Call, Failed, Settlement, Waiting, error_of
from rmz_async._connections import Connections, Outgoing, headers_for
from rmz_async._converter import decode
from rmz_async._retry import Failure, History, Step
from rmz_async._token import Secret
from rmz_async._wire import Answer, UnreadableBodyError
from rmz_async.errors import RMZError
from rmz_async.options import Options

T = TypeVar("T")
R = TypeVar("R")

logger = logging.getLogger("rmz_async")

# How much later than httpx's own time-outs the fence falls, which holds a slow drip too.
FENCE = 0.2

# How much longer than the call's deadline a read-back may take: to know is worth the wait.
SETTLE_GRACE = 10.0


class Transport:
    """Makes calls over connections, within the options of one client."""

    def __init__(
        self, connections: Connections, options: Options, waiting: Waiting | None = None
    ) -> None:
        self.options = options
        self._connections = connections
        self._waiting = Waiting() if waiting is None else waiting
        self._headers = headers_for(options.base_url)

    def with_options(self, options: Options) -> Transport:
        """Return a transport over the same connections."""
        return Transport(self._connections, options, self._waiting)

    async def aclose(self) -> None:
        """Close the connections, for all copies."""
        await self._connections.aclose()

    async def call(self, call: Call[T]) -> T:
        """Make *call*, repeat it where that is safe, and return its decoded answer.

        Raises:
            RMZError: As its tree says.
        """
        return await self._call_until(call, self._waiting.clock() + self.options.timeout)

    async def _call_until(self, call: Call[T], deadline: float) -> T:
        self._connections.open()
        policy, clock = self.options.retry, self._waiting.clock
        outgoing, history = self._outgoing(call), History()
        while True:
            history.attempts += 1
            result = await self._try(call, outgoing, history, deadline)
            if not isinstance(result, Failed):
                return result
            step = _retry.next_step(
                call.operation,
                result.failure,
                history,
                policy,
                can_settle=call.settlement is not None,
            )
            history.ambiguous |= result.failure is Failure.AMBIGUOUS
            wait = self._wait_after(result, history)
            unread = False
            if step is Step.SETTLE and call.settlement is not None:
                await self._waiting.sleep(min(wait, SETTLE_GRACE))
                found = await self._read_back(call.settlement, deadline + SETTLE_GRACE)
                if found is not None and call.settlement.applied(found):
                    logger.warning("%s: settled by reading back: applied", call.operation.name)
                    return call.settlement.answer(found)
                wait, unread = 0.0, found is None
                if not unread and _retry.may_resend(
                    call.operation, result.failure, history, policy, clock()
                ):
                    step = Step.REPEAT
            if step is not Step.REPEAT or not self._is_in_time(call, history, wait, deadline):
                raise error_of(call, result, history, unread=unread)
            logger.info("%s: repeated in %.1f s (%s)", call.operation.name, wait, result.reason)
            await self._waiting.sleep(wait)

    def _outgoing(self, call: Call[T]) -> Outgoing:
        # Once for all tries: what RMZ takes for the same order must be the same bytes, whatever
        # becomes of the caller's objects meanwhile.
        operation = call.operation
        path = _wire.target(operation, call.object_id, call.query)
        return Outgoing(
            operation.method,
            self.options.base_url + path,
            self._headers,
            _wire.encode_body(call.body),
        )

    def _is_in_time(self, call: Call[T], history: History, wait: float, deadline: float) -> bool:
        at = self._waiting.clock() + wait
        return at < deadline and not _retry.is_too_late(call.operation, history, at)

    def _wait_after(self, failed: Failed, history: History) -> float:
        if failed.error is not None and failed.error.retry_after is not None:
            return failed.error.retry_after
        wait = _retry.backoff(self.options.retry, history.attempts, self._waiting.draw)
        return max(wait, _retry.REFUSED_WAIT) if failed.failure is Failure.REFUSED else wait

    async def _read_back(self, settlement: Settlement[R, Any], deadline: float) -> R | None:
        try:
            return await self._call_until(settlement.read, deadline)
        except RMZError as error:
            logger.warning("could not be read back: %s", type(error).__name__)
            return None

    async def _try(
        self, call: Call[T], outgoing: Outgoing, history: History, deadline: float
    ) -> T | Failed:
        began = self._waiting.clock()
        tokens = self._connections.tokens
        token = tokens.current or await self._renewed(None, deadline)
        answer = await self._exchange(outgoing, token, history, deadline)
        if isinstance(answer, Answer) and answer.status == 401 and tokens.renewable:
            # Refused before anything was done: even what may be sent once only can be sent again.
            token = await self._renewed(token, deadline)
            answer = await self._exchange(outgoing, token, history, deadline)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "%s %s: %s, try %d, %.3f s",
                call.operation.method,
                call.operation.path,
                answer.status if isinstance(answer, Answer) else answer.reason,
                history.attempts,
                self._waiting.clock() - began,
            )
        if isinstance(answer, Failed):
            return answer
        assert token is not None  # or nothing would have been sent
        return self._result(call, answer, token)

    async def _renewed(self, refused: Secret | None, deadline: float) -> Secret | None:
        """Ask for another token; None where the source did not give one in time."""
        with anyio.move_on_after(deadline - self._waiting.clock()):
            return await self._connections.tokens.renew(refused, self._connections.token_turn)
        return None

    async def _exchange(
        self, outgoing: Outgoing, token: Secret | None, history: History, deadline: float
    ) -> Answer | Failed:
        """Wait for a turn, and send one request; what goes wrong is returned, not raised."""
        if token is None:
            return Failed(Failure.NOT_SENT, "the token source gave no token in time")
        clock = self._waiting.clock
        sent = False
        with anyio.move_on_after(deadline - clock() + FENCE):
            async with self._connections.turns:
                limit = min(deadline - clock(), self.options.retry.attempt_timeout)
                if limit <= 0:
                    return Failed(Failure.NOT_SENT, "no time was left to send it")
                if history.first_sent is None:
                    history.first_sent, history.sent_at = clock(), datetime.now(UTC)
                sent = True
                return await self._connections.exchange(outgoing, token, limit, clock)
        failure = Failure.AMBIGUOUS if sent else Failure.NOT_SENT
        return Failed(failure, f"no answer within {self.options.timeout:g} s")

    def _result(self, call: Call[T], answer: Answer, token: Secret) -> T | Failed:
        if 200 <= answer.status < 300:
            try:
                return decode(_wire.data_of(answer), call.into)
            except UnreadableBodyError as error:
                failure, reason = Failure.AMBIGUOUS, str(error)
            except ValueError as error:
                failure, reason = Failure.UNREADABLE, str(error)
        else:
            failure, reason = _wire.failure_of(answer), ""
        shown = Answer(answer.status, answer.headers, token.hidden_in(answer.body))
        if reason:
            return Failed(failure, reason, _wire.unexpected(call.operation, shown, reason))
        sent = tuple(call.body or ())
        answered = _wire.error_of(call.operation, shown, sent=sent, now=time.time())
        return Failed(failure, f"RMZ answered {answer.status}", answered)
