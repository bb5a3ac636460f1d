"""The one way to RMZ: authorise, wait for a turn, send, repeat, settle.

What a failure means and what to do next is decided in :mod:`rmz_async._calls.retry`; what the bytes
mean, in :mod:`rmz_async._calls.wire`. This module does what they say.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any, TypeVar

import anyio

from rmz_async._calls import retry as _retry
from rmz_async._calls import wire as _wire
from rmz_async._calls.call import Call, Failed, Settlement, Waiting, error_of
from rmz_async._calls.retry import Budget, Evidence, Failure, History, Step
from rmz_async._calls.token import Secret
from rmz_async._calls.wire import Answer, UnreadableBodyError
from rmz_async._decoding.converter import decode
from rmz_async._http.exchange import (
    CONNECT_TIMEOUT,
    Connections,
    LoopState,
    PreparedRequest,
    headers_for,
)
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.slots import Slots
from rmz_async.errors import ConnectionFailedError, OutcomeUnknownError, RMZError
from rmz_async.operations import Operation, Repeat
from rmz_async.options import Options

T = TypeVar("T")
R = TypeVar("R")

logger = logging.getLogger("rmz_async")

# How much later than httpx's own time-outs the fence falls, which holds a slow drip too.
FENCE = 0.1

# How much longer than the call's deadline a read-back may take: to know is worth the wait.
SETTLE_GRACE = 10.0

# How long RMZ may be at work on a request: only then is "not applied" more than "not yet".
AT_WORK = 60.0


class Transport:
    """Makes calls over connections, within the options of one client."""

    def __init__(
        self,
        connections: Connections,
        options: Options,
        waiting: Waiting | None = None,
        *,
        slots: Slots | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.options = options
        self._connections = connections
        self._waiting = Waiting() if waiting is None else waiting
        self._headers = headers_for(options.base_url)
        self._slots = Slots(options.pacing, self._waiting) if slots is None else slots
        self._budget = Budget() if budget is None else budget

    def with_options(self, options: Options) -> Transport:
        """Return a transport over the same connections."""
        return Transport(
            self._connections,
            options,
            self._waiting,
            slots=self._slots.with_pacing(options.pacing),
            budget=self._budget,
        )

    async def aclose(self) -> None:
        """Close the connections, for all copies."""
        await self._connections.aclose()

    async def call(self, call: Call[T]) -> T:
        """Make *call*, repeat it where that is safe, and return its decoded answer.

        Raises:
            RMZError: As its tree says.
        """
        return await self._call_until(call, self._outgoing(call), self._deadline(), History())

    def _deadline(self) -> float:
        return self._waiting.clock() + self.options.timeout

    async def _call_until(
        self, call: Call[T], outgoing: PreparedRequest, deadline: float, history: History
    ) -> T:
        local = self._connections.open()
        while True:
            history.attempts += 1
            result = await self._tried(call, outgoing, local, history, deadline)
            if not isinstance(result, Failed):
                if history.attempts == 1:
                    self._budget.earn()
                return result
            step = _retry.next_step(
                call.operation,
                result.failure,
                history,
                self.options.retry,
                can_settle=call.settlement is not None,
            )
            wait = self._wait_after(result, history)
            evidence = None
            if step is Step.SETTLE and call.settlement is not None:
                await self._waiting.sleep(min(wait, SETTLE_GRACE / 2))
                wait = 0.0
                evidence, found = await self._read_back(
                    call.settlement, history, deadline + SETTLE_GRACE
                )
                by_another = _retry.may_be_by_another(call.operation, result.failure, history)
                if evidence is Evidence.APPLIED and not by_another:
                    logger.warning("%s: settled by reading back: applied", call.operation.name)
                    return call.settlement.answer(found)
                if evidence is Evidence.NOT_APPLIED and self._may_resend(call, result, history):
                    step = Step.REPEAT
            history.note_failure(result.failure)
            if not (
                step is Step.REPEAT
                and self._is_in_time(call, history, wait, deadline)
                and self._budget.spend(result.failure)
            ):
                raise self._given_up(call, outgoing, result, history, evidence)
            logger.info("%s: repeated in %.1f s (%s)", call.operation.name, wait, result.reason)
            await self._waiting.sleep(wait)

    def _outgoing(self, call: Call[T]) -> PreparedRequest:
        # Once for all tries: what RMZ takes for the same order must be the same bytes, whatever
        # becomes of the caller's objects meanwhile.
        path = _wire.target(call.operation, call.object_id, call.query)
        return PreparedRequest(
            call.operation.method,
            self.options.base_url + path,
            self._headers,
            _wire.encode_body(call.body),
            dedicated=call.operation.repeat is Repeat.ONCE,
        )

    def _wait_after(self, failed: Failed, history: History) -> float:
        if failed.error is not None and failed.error.retry_after is not None:
            return max(failed.error.retry_after, history.next_slot_in or 0.0)
        wait = _retry.backoff(self.options.retry, history.attempts, self._waiting.draw)
        return max(wait, _retry.REFUSED_WAIT) if failed.failure is Failure.REFUSED else wait

    def _may_resend(self, call: Call[T], failed: Failed, history: History) -> bool:
        policy, now = self.options.retry, self._waiting.clock() + self._slept(history)
        return _retry.may_resend(call.operation, failed.failure, history, policy, now)

    def _is_in_time(self, call: Call[T], history: History, wait: float, deadline: float) -> bool:
        at = self._waiting.clock() + wait
        late = _retry.is_too_late(call.operation, history, at + self._slept(history))
        return at < deadline and not late

    def _slept(self, history: History) -> float:
        """Return the seconds since the first try that the monotonic clock has not counted.

        It stands still while the machine is suspended, and RMZ's clock does not.
        """
        if history.first_sent is None or history.sent_at is None:
            return 0.0
        passed = (self._waiting.today() - history.sent_at).total_seconds()
        return max(0.0, passed - (self._waiting.clock() - history.first_sent))

    def _given_up(
        self,
        call: Call[T],
        outgoing: PreparedRequest,
        failed: Failed,
        history: History,
        evidence: Evidence | None,
    ) -> RMZError:
        error = error_of(call, failed, history, evidence)
        if isinstance(error, OutcomeUnknownError):
            vars(error)["_resolver"] = partial(self._resolve, call, outgoing, history)
        return error

    async def _read_back(
        self, settlement: Settlement[R, Any], history: History, deadline: float
    ) -> tuple[Evidence, R | None]:
        reading, read = History(), settlement.read
        try:
            found = await self._call_until(read, self._outgoing(read), deadline, reading)
        except Exception as error:  # noqa: BLE001 - a token source raises what it likes
            name, reason = read.operation.name, type(error).__name__
            logger.warning("%s: could not be read back: %s", name, reason)
            return Evidence.UNREAD, None
        assert history.first_sent is not None  # or there would be nothing to settle
        elapsed = self._waiting.clock() - history.first_sent
        # A calendar that was put right meanwhile looks like a machine that was suspended.
        moments = (elapsed, elapsed + self._slept(history))
        first, second = (
            settlement.judge(found, _retry.earliest(reading.answered_at, seconds))
            for seconds in moments
        )
        return first if first is second else Evidence.UNCLEAR, found

    async def _resolve(
        self, call: Call[T], outgoing: PreparedRequest, history: History, error: OutcomeUnknownError
    ) -> T:
        """Find out later what could not be found out in time; *error* is raised where it cannot."""
        self._connections.open()
        rule, now = call.operation.repeat, self._waiting.clock() + self._slept(history)
        if rule is Repeat.HARMLESS:
            return await self._call_until(call, outgoing, self._deadline(), History())
        if rule is Repeat.DEDUPED and not _retry.is_too_late(call.operation, history, now):
            again = History(
                failures=[Failure.AMBIGUOUS],
                first_sent=history.first_sent,
                sent_at=history.sent_at,
            )
            return await self._call_until(call, outgoing, self._deadline(), again)
        if call.settlement is None:
            raise error.with_traceback(None)
        evidence, found = await self._read_back(call.settlement, history, self._deadline())
        # There is none where the call was cut off in its first try.
        last = history.failures[-1] if history.failures else Failure.AMBIGUOUS
        by_another = _retry.may_be_by_another(call.operation, last, history)
        if evidence is Evidence.APPLIED and not by_another:
            return call.settlement.answer(found)
        assert history.last_sent is not None  # or its outcome would be known
        if evidence is Evidence.NOT_APPLIED and now - history.last_sent >= AT_WORK:
            raise ConnectionFailedError(
                f"{call.operation.name}: it was not applied, and repeating is safe",
                operation=call.operation.name,
                attempts=history.attempts,
            )
        # Or each time that it is raised would make its traceback longer.
        raise error.with_traceback(None)

    async def _tried(
        self,
        call: Call[T],
        outgoing: PreparedRequest,
        local: LoopState,
        history: History,
        deadline: float,
    ) -> T | Failed:
        try:
            return await self._try(call, outgoing, local, history, deadline)
        except Exception as error:
            # The token source's, or the quota store's: it must not hide an earlier try.
            if call.operation.repeat is Repeat.SAFE or not history.ambiguous:
                raise
            return Failed(Failure.NEVER_SENT, f"{type(error).__name__} before it was sent again")

    async def _try(
        self,
        call: Call[T],
        outgoing: PreparedRequest,
        local: LoopState,
        history: History,
        deadline: float,
    ) -> T | Failed:
        began = self._waiting.clock()
        tokens, operation = self._connections.tokens, call.operation
        token = tokens.current or await self._renewed(None, local, deadline)
        answer = await self._exchange(operation, outgoing, token, local, history, deadline)
        if isinstance(answer, Answer) and answer.status == 401 and tokens.renewable:
            # Refused before anything was done: even what may be sent once only can be sent again.
            history.under_way = False
            token = await self._renewed(token, local, deadline)
            answer = await self._exchange(operation, outgoing, token, local, history, deadline)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "%s %s: %s, try %d, %.3f s",
                operation.method,
                operation.path,
                answer.status if isinstance(answer, Answer) else answer.reason,
                history.attempts,
                self._waiting.clock() - began,
            )
        if isinstance(answer, Failed):
            return answer
        assert token is not None  # or nothing would have been sent
        return self._result(call, answer, token, history)

    async def _renewed(
        self, refused: Secret | None, local: LoopState, deadline: float
    ) -> Secret | None:
        """Ask for another token; None where the source did not give one in time."""
        with anyio.move_on_after(deadline - self._waiting.clock()):
            return await self._connections.tokens.renew(refused, local.token_turn)
        return None

    async def _exchange(
        self,
        operation: Operation,
        outgoing: PreparedRequest,
        token: Secret | None,
        local: LoopState,
        history: History,
        deadline: float,
    ) -> Answer | Failed:
        """Wait for a turn, and send one request; what goes wrong is returned, not raised."""
        if token is None:
            return Failed(Failure.NOT_SENT, "the token source gave no token in time")
        clock, limit = self._waiting.clock, self.options.timeout
        until = min(deadline, _retry.resend_until(operation, history) - self._slept(history))
        slot = self._slots.slot(operation, token, local.at_once, until)
        answer: Answer | Failed | None = None
        sent = False
        with anyio.move_on_after(deadline - clock() + FENCE) as fence:
            try:
                async with slot:
                    if clock() < until:
                        limit = min(deadline - clock(), self.options.retry.attempt_timeout)
                        fence.deadline = min(fence.deadline, _fence_of(limit))
                        history.note_sending(clock(), self._waiting.today())
                        sent = True
                        answer = await self._connections.exchange(
                            local, outgoing, token, limit, clock
                        )
                    else:
                        answer = Failed(Failure.NOT_SENT, "no time was left to send it")
            except NoSlotError as error:
                return Failed(Failure.NEVER_SENT, "no slot in time", slot_in=error.wait)
        if answer is None:
            failure = Failure.AMBIGUOUS if sent else Failure.NOT_SENT
            return Failed(failure, f"no answer within {round(limit, 2):g} s")
        # Beyond the fence: what a quota store makes of an answer must not cost the answer.
        history.next_slot_in = await slot.report(answer, deadline=deadline)
        return answer

    def _result(self, call: Call[T], answer: Answer, token: Secret, history: History) -> T | Failed:
        if 200 <= answer.status < 300:
            try:
                envelope = _wire.envelope_of(answer)
                history.answered_at = _wire.timestamp(envelope.get("timestamp"))
                _wire.check_object(envelope["data"], call.object_id)
                return decode(envelope["data"], call.into)
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


def _fence_of(limit: float) -> float:
    """Return when a try is given up that has *limit* seconds, on the event loop's clock.

    To find an address, and to agree on TLS, each have a time-out of their own. They say that
    nothing was sent, and the fence could not.
    """
    connecting = 2 * min(CONNECT_TIMEOUT, limit)
    return anyio.current_time() + connecting + limit + FENCE
