"""The one way to RMZ: authorise, wait for a slot, send, retry, settle.

What a failure means and what to do next is decided in :mod:`rmz_async._calls.retry`; what the bytes
mean, in :mod:`rmz_async._calls.wire`. This module does what they say.
"""

from __future__ import annotations

import logging
import time
from copy import copy
from typing import Any, Generic, TypeVar

import anyio

from rmz_async._calls import retry as _retry
from rmz_async._calls import wire as _wire
from rmz_async._calls.call import Call, Failed, Settlement, Waiting, error_of
from rmz_async._calls.retry import Budget, Evidence, Failure, History, Step
from rmz_async._calls.token import Secret
from rmz_async._calls.wire import Answer, UnreadableBodyError
from rmz_async._decoding.converter import decode
from rmz_async._http.client import Connections
from rmz_async._http.exchange import CONNECT_TIMEOUT, PreparedRequest, headers_for
from rmz_async._pacing.line import NoSlotError
from rmz_async._pacing.slots import Slots
from rmz_async.errors import ConnectionFailedError, OutcomeUnknownError, RMZError
from rmz_async.operations import Repeat
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
    """Makes calls over connections, within the options of one client.

    Attributes:
        options: How long a call may take, how often it may be attempted, and where it is sent.
        connections: What requests go over.
        waiting: The clock, and how to sleep.
        slots: The gates before each request.
        budget: How many retries the client has left.
    """

    def __init__(
        self, connections: Connections, options: Options, waiting: Waiting | None = None
    ) -> None:
        self.options = options
        self.connections = connections
        self.waiting = Waiting() if waiting is None else waiting
        self.slots = Slots(options.pacing, self.waiting)
        self.budget = Budget()
        self._headers = headers_for(options.base_url)

    def with_options(self, options: Options) -> Transport:
        """Return a transport over the same connections."""
        transport = copy(self)
        transport.options = options
        transport.slots = self.slots.with_pacing(options.pacing)
        return transport

    async def aclose(self) -> None:
        """Close the connections, for all copies."""
        await self.connections.aclose()

    async def call(self, call: Call[T]) -> T:
        """Make *call*, retry it if that is safe, and return its decoded answer.

        Raises:
            RMZError: As its tree says.
        """
        return await self.begin(call).run()

    def begin(self, call: Call[T]) -> Execution[T]:
        """Return *call*, ready to run."""
        return Execution(self, call, self.prepare(call), self.deadline())

    def deadline(self) -> float:
        """Return when a call must be over that begins now; seconds, monotonic."""
        return self.waiting.clock() + self.options.timeout

    def prepare(self, call: Call[Any]) -> PreparedRequest:
        """Return the request that every attempt of *call* sends."""
        # RMZ recognizes a retried order by its bytes, so the caller's objects are read only once.
        path = _wire.target(call.operation, call.object_id, call.query)
        return PreparedRequest(
            call.operation.method,
            self.options.base_url + path,
            self._headers,
            _wire.encode_body(call.body),
            dedicated=call.operation.repeat is Repeat.ONCE,
        )


class Execution(Generic[T]):
    """One call from its first attempt to its end.

    Args:
        transport: Whose connections, slots and options the call uses.
        call: What to do.
        prepared: What each attempt sends.
        deadline: When the call must be over; seconds, monotonic.
        history: What earlier attempts ended in; nothing if left out.

    Attributes:
        history: What the attempts ended in so far.
    """

    def __init__(
        self,
        transport: Transport,
        call: Call[T],
        prepared: PreparedRequest,
        deadline: float,
        history: History | None = None,
    ) -> None:
        self.history = History() if history is None else history
        self._transport = transport
        self._call = call
        self._operation = call.operation
        self._prepared = prepared
        self._deadline = deadline
        self._waiting = transport.waiting

    async def run(self) -> T:
        """Attempt the call until its outcome is known or nothing more may be done.

        Raises:
            RMZError: As its tree says.
        """
        self._loop_state = self._transport.connections.open()
        while True:
            self.history.attempts += 1
            result = await self._attempt_guarded()
            if not isinstance(result, Failed):
                if self.history.attempts == 1:
                    self._transport.budget.earn()
                return result
            step = _retry.next_step(
                self._operation,
                result.failure,
                self.history,
                self._transport.options.retry,
                can_settle=self._call.settlement is not None,
            )
            wait = self._wait_after(result)
            evidence = None
            if step is Step.SETTLE and self._call.settlement is not None:
                await self._waiting.sleep(min(wait, SETTLE_GRACE / 2))
                wait = 0.0
                evidence, found = await self._read_back(
                    self._call.settlement, self._deadline + SETTLE_GRACE
                )
                by_another = _retry.may_be_by_another(self._operation, result.failure, self.history)
                if evidence is Evidence.APPLIED and not by_another:
                    logger.warning("%s: settled by reading back: applied", self._operation.name)
                    return self._call.settlement.answer(found)
                if evidence is Evidence.NOT_APPLIED and self._may_resend(result):
                    step = Step.REPEAT
            self.history.note_failure(result.failure)
            if not (
                step is Step.REPEAT
                and self._is_in_time(wait)
                and self._transport.budget.spend(result.failure)
            ):
                raise self._given_up(result, evidence)
            logger.info("%s: repeated in %.1f s (%s)", self._operation.name, wait, result.reason)
            await self._waiting.sleep(wait)

    def cut_off(self) -> RMZError:
        """Return the verdict on a call that somebody stops from outside; any thread may ask.

        ``OutcomeUnknownError`` if the call may have been applied, else ``ConnectionFailedError``.
        """
        failure = Failure.AMBIGUOUS if self.history.under_way else Failure.NOT_SENT
        reason = "cut off, because this client was closed or its loop ended"
        return self._given_up(Failed(failure, reason), None)

    def _wait_after(self, failed: Failed) -> float:
        policy = self._transport.options.retry
        if failed.error is not None and failed.error.retry_after is not None:
            return max(failed.error.retry_after, self.history.next_slot_in or 0.0)
        wait = _retry.backoff(policy, self.history.attempts, self._waiting.draw)
        return max(wait, _retry.REFUSED_WAIT) if failed.failure is Failure.REFUSED else wait

    def _may_resend(self, failed: Failed) -> bool:
        policy, now = self._transport.options.retry, self._waiting.clock() + self._suspended_for()
        return _retry.may_resend(self._operation, failed.failure, self.history, policy, now)

    def _is_in_time(self, wait: float) -> bool:
        at = self._waiting.clock() + wait
        late = _retry.is_too_late(self._operation, self.history, at + self._suspended_for())
        return at < self._deadline and not late

    def _suspended_for(self) -> float:
        """Return the seconds since the first attempt for which the machine was suspended.

        The monotonic clock stands still meanwhile, and RMZ's clock does not.
        """
        history = self.history
        if history.first_sent is None or history.sent_at is None:
            return 0.0
        passed = (self._waiting.today() - history.sent_at).total_seconds()
        return max(0.0, passed - (self._waiting.clock() - history.first_sent))

    def _given_up(self, failed: Failed, evidence: Evidence | None) -> RMZError:
        error = error_of(self._call, failed, self.history, evidence)
        if isinstance(error, OutcomeUnknownError):
            vars(error)["_resolver"] = self._resolve
        return error

    async def _read_back(
        self, settlement: Settlement[R, Any], deadline: float
    ) -> tuple[Evidence, R | None]:
        read = settlement.read
        reading = Execution(self._transport, read, self._transport.prepare(read), deadline)
        try:
            found = await reading.run()
        except Exception as error:  # noqa: BLE001 - a token source raises what it likes
            name, reason = read.operation.name, type(error).__name__
            logger.warning("%s: could not be read back: %s", name, reason)
            return Evidence.UNREAD, None
        assert self.history.first_sent is not None  # or there would be nothing to settle
        elapsed = self._waiting.clock() - self.history.first_sent
        # A calendar that was put right meanwhile looks like a machine that was suspended.
        moments = (elapsed, elapsed + self._suspended_for())
        first, second = (
            settlement.judge(found, _retry.earliest(reading.history.answered_at, seconds))
            for seconds in moments
        )
        return first if first is second else Evidence.UNCLEAR, found

    async def _resolve(self, error: OutcomeUnknownError) -> T:
        """Find out later what could not be found out in time; *error* is raised if it cannot."""
        self._transport.connections.open()
        rule, now = self._operation.repeat, self._waiting.clock() + self._suspended_for()
        if rule is Repeat.HARMLESS:
            return await self._again(History()).run()
        if rule is Repeat.DEDUPED and not _retry.is_too_late(self._operation, self.history, now):
            again = History(
                failures=[Failure.AMBIGUOUS],
                first_sent=self.history.first_sent,
                sent_at=self.history.sent_at,
            )
            return await self._again(again).run()
        if self._call.settlement is None:
            raise error.with_traceback(None)
        evidence, found = await self._read_back(self._call.settlement, self._transport.deadline())
        # A call that was cut off in its first attempt has no failure.
        last = self.history.failures[-1] if self.history.failures else Failure.AMBIGUOUS
        by_another = _retry.may_be_by_another(self._operation, last, self.history)
        if evidence is Evidence.APPLIED and not by_another:
            return self._call.settlement.answer(found)
        assert self.history.last_sent is not None  # or its outcome would be known
        if evidence is Evidence.NOT_APPLIED and now - self.history.last_sent >= AT_WORK:
            raise ConnectionFailedError(
                f"{self._operation.name}: it was not applied, and repeating is safe",
                operation=self._operation.name,
                attempts=self.history.attempts,
            )
        # Or each time that it is raised would make its traceback longer.
        raise error.with_traceback(None)

    def _again(self, history: History) -> Execution[T]:
        transport = self._transport
        return Execution(transport, self._call, self._prepared, transport.deadline(), history)

    async def _attempt_guarded(self) -> T | Failed:
        try:
            return await self._attempt()
        except Exception as error:
            # A token source or a quota store raised it: it must not hide an earlier attempt.
            if self._operation.repeat is Repeat.SAFE or not self.history.ambiguous:
                raise
            return Failed(Failure.NEVER_SENT, f"{type(error).__name__} before it was sent again")

    async def _attempt(self) -> T | Failed:
        began = self._waiting.clock()
        tokens = self._transport.connections.tokens
        token = tokens.current or await self._renewed(None)
        answer = await self._exchange(token)
        if isinstance(answer, Answer) and answer.status == 401 and tokens.renewable:
            # Refused before anything was done: even what may be sent once only can be sent again.
            self.history.under_way = False
            token = await self._renewed(token)
            answer = await self._exchange(token)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "%s %s: %s, try %d, %.3f s",
                self._operation.method,
                self._operation.path,
                answer.status if isinstance(answer, Answer) else answer.reason,
                self.history.attempts,
                self._waiting.clock() - began,
            )
        if isinstance(answer, Failed):
            return answer
        assert token is not None  # or nothing would have been sent
        return self._result(answer, token)

    async def _renewed(self, refused: Secret | None) -> Secret | None:
        """Ask for another token; None if the source did not give one in time."""
        with anyio.move_on_after(self._deadline - self._waiting.clock()):
            return await self._transport.connections.tokens.renew(
                refused, self._loop_state.token_turn
            )
        return None

    async def _exchange(self, token: Secret | None) -> Answer | Failed:
        """Wait for a slot, and send one request; what goes wrong is returned, not raised."""
        if token is None:
            return Failed(Failure.NOT_SENT, "the token source gave no token in time")
        options = self._transport.options
        clock, limit = self._waiting.clock, options.timeout
        resend_until = _retry.resend_until(self._operation, self.history)
        until = min(self._deadline, resend_until - self._suspended_for())
        slot = self._transport.slots.slot(self._operation, token, self._loop_state.at_once, until)
        answer: Answer | Failed | None = None
        sent = False
        with anyio.move_on_after(self._deadline - clock() + FENCE) as fence:
            try:
                async with slot:
                    if clock() < until:
                        limit = min(self._deadline - clock(), options.retry.attempt_timeout)
                        fence.deadline = min(fence.deadline, _fence_of(limit))
                        self.history.note_sending(clock(), self._waiting.today())
                        sent = True
                        answer = await self._transport.connections.exchange(
                            self._loop_state, self._prepared, token, limit, clock
                        )
                    else:
                        answer = Failed(Failure.NOT_SENT, "no time was left to send it")
            except NoSlotError as error:
                return Failed(Failure.NEVER_SENT, "no slot in time", slot_in=error.wait)
        if answer is None:
            failure = Failure.AMBIGUOUS if sent else Failure.NOT_SENT
            return Failed(failure, f"no answer within {round(limit, 2):g} s")
        # Beyond the fence: what a quota store makes of an answer must not cost the answer.
        self.history.next_slot_in = await slot.report(answer, deadline=self._deadline)
        return answer

    def _result(self, answer: Answer, token: Secret) -> T | Failed:
        if 200 <= answer.status < 300:
            try:
                envelope = _wire.envelope_of(answer)
                self.history.answered_at = _wire.timestamp(envelope.get("timestamp"))
                _wire.check_object(envelope["data"], self._call.object_id)
                return decode(envelope["data"], self._call.into)
            except UnreadableBodyError as error:
                failure, reason = Failure.AMBIGUOUS, str(error)
            except ValueError as error:
                failure, reason = Failure.UNREADABLE, str(error)
        else:
            failure, reason = _wire.failure_of(answer), ""
        shown = Answer(answer.status, answer.headers, token.hidden_in(answer.body))
        if reason:
            return Failed(failure, reason, _wire.unexpected(self._operation, shown, reason))
        sent = tuple(self._call.body or ())
        answered = _wire.error_of(self._operation, shown, sent=sent, now=time.time())
        return Failed(failure, f"RMZ answered {answer.status}", answered)


def _fence_of(limit: float) -> float:
    """Return when a try is given up that has *limit* seconds, on the event loop's clock.

    To find an address, and to agree on TLS, each have a time-out of their own. They say that
    nothing was sent, and the fence could not.
    """
    connecting = 2 * min(CONNECT_TIMEOUT, limit)
    return anyio.current_time() + connecting + limit + FENCE
