"""A call from its first attempt to its end: authorise, wait for a slot, send, retry, settle.

:mod:`rmz_async._calls.retry` decides what follows a failure, :mod:`rmz_async._calls.wire` what the
bytes mean, and :mod:`rmz_async._calls.verdict` which error the caller gets. This module does what
they say.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import anyio

from rmz_async._calls import retry as _retry
from rmz_async._calls import verdict as _verdict
from rmz_async._calls import wire as _wire
from rmz_async._calls.call import Call, Settlement
from rmz_async._calls.outcome import Answer, Evidence, Failed, Failure, History
from rmz_async._calls.retry import Decision, Step
from rmz_async._calls.token import Secret
from rmz_async._http.request import CONNECT_TIMEOUT, PreparedRequest
from rmz_async._http.upload_body import UploadBody
from rmz_async._pacing.line import NoSlotError
from rmz_async.errors import UNCLEAR_CALL, OutcomeUnknownError, RMZError
from rmz_async.operations import RetryRule

if TYPE_CHECKING:
    from rmz_async._transport import Transport

T = TypeVar("T")
R = TypeVar("R")

logger = logging.getLogger("rmz_async")

# Seconds by which an attempt is cut off later than by httpx's own time-outs, which begin again with
# each byte.
TIMEOUT_SLACK = 0.1

# Seconds by which a read-back may outlast the call's deadline: a known outcome is worth the wait.
SETTLE_GRACE = 10.0


class UnclearCall(Generic[T]):
    """A call that may have been applied, as its error keeps it: plain data, and no client.

    Attributes:
        call: The call.
        prepared: The request that was sent, without the token.
        base_url: The API's address at that time.
        history: The attempts so far.
    """

    def __init__(
        self, *, call: Call[T], prepared: PreparedRequest, base_url: str, history: History
    ) -> None:
        self.call: Final = call
        self.prepared: Final = prepared
        self.base_url: Final = base_url
        self.history: Final = history


class Execution(Generic[T]):
    """Runs a call from its first attempt to its end.

    Args:
        transport: The call uses its connections, slots and options.
        call: The call.
        prepared: The request that each attempt sends; made of the call if left out.
        history: The results of earlier attempts.
        deadline: When the call must be over; seconds, monotonic. By the client's options, or the
            upload's, if left out.

    Attributes:
        history: The results of the attempts so far.
        deadline: When the call must be over; seconds, monotonic.
    """

    def __init__(
        self,
        transport: Transport,
        call: Call[T],
        *,
        prepared: PreparedRequest | None = None,
        history: History | None = None,
        deadline: float | None = None,
    ) -> None:
        self.history: History = History() if history is None else history
        self._transport = transport
        self._call = call
        self._operation = call.operation
        self._policy = transport.options.retry
        self._clock = transport.clock
        if deadline is None:
            upload = call.upload
            timeout = transport.options.timeout if upload is None else upload.timeout
            deadline = self._clock.clock() + timeout
        self.deadline: float = deadline
        if prepared is None:
            # Made once, because RMZ recognizes a retried order by its bytes.
            path = _wire.target(call.operation, call.object_id, call.query)
            prepared = PreparedRequest(
                call.operation.method,
                transport.options.base_url + path,
                transport.headers,
                b"" if call.body is None else _wire.encode_body(call.body),
                dedicated=call.operation.retry is RetryRule.ONCE,
                upload=None if call.upload is None else UploadBody(call.upload),
                silence=transport.options.retry.attempt_timeout,
            )
        self._prepared = prepared

    async def run(self) -> T:
        """Attempt the call until its outcome is known or nothing more may be done.

        Raises:
            RMZError: See the tree in `rmz_async.errors`.
        """
        self._loop_state = self._transport.connections.open()
        while True:
            self.history.attempts += 1
            result = await self._attempt()
            if not isinstance(result, Failed):
                if self.history.attempts == 1:
                    self._transport.budget.earn()
                return result
            decision = self._decide(result)
            may_retry, wait = decision.step is Step.RETRY, decision.wait
            evidence, settlement = None, self._call.settlement
            if decision.step is Step.READ_BACK and settlement is not None:
                evidence, found = await self._settle(settlement, decision, result.failure)
                if _verdict.shows_success(self._operation, result.failure, self.history, evidence):
                    logger.warning("%s: settled by reading back: applied", self._operation.name)
                    return settlement.result(found)
                in_time = self._clock.clock() < decision.send_before
                may_retry = evidence is Evidence.NOT_APPLIED and decision.may_resend and in_time
                wait = 0.0
            self.history.note_failure(result.failure)
            may_retry = may_retry and self._prepared.can_be_sent
            if not (may_retry and self._transport.budget.spend(result.failure)):
                raise self._given_up(result, evidence)
            logger.info("%s: retried in %.1f s (%s)", self._operation.name, wait, result.reason)
            await self._clock.sleep(wait)

    def cut_off(self, reason: str) -> RMZError:
        """Return the verdict on a call that is stopped from outside; any thread may ask.

        Args:
            reason: Why the call is stopped, in a few words.

        Returns:
            ``OutcomeUnknownError`` if the call may have been applied, else
            ``ConnectionFailedError``.
        """
        failure = Failure.AMBIGUOUS if self.history.under_way else Failure.NOT_SENT
        return self._given_up(Failed(failure, reason), None)

    def _decide(self, failed: Failed) -> Decision:
        now = self._clock.clock()
        self.history.note_end(failed.failure, now)
        return _retry.decide(
            self._operation,
            failed,
            self.history,
            self._policy,
            can_settle=self._call.settlement is not None,
            now=now,
            deadline=self.deadline,
            suspended=self.suspended_for(),
            draw=self._clock.draw,
        )

    def suspended_for(self) -> float:
        """Return the seconds since the first attempt for which the machine was suspended.

        The monotonic clock stands still meanwhile, and RMZ's clock does not.
        """
        history = self.history
        if history.first_sent is None or history.sent_at is None:
            return 0.0
        passed = (self._clock.today() - history.sent_at).total_seconds()
        return max(0.0, passed - (self._clock.clock() - history.first_sent))

    def _given_up(self, failed: Failed, evidence: Evidence | None) -> RMZError:
        error = _verdict.error_for(self._call, failed, self.history, evidence)
        if isinstance(error, OutcomeUnknownError):
            vars(error)[UNCLEAR_CALL] = UnclearCall(
                call=self._call,
                prepared=self._prepared,
                base_url=self._transport.options.base_url,
                history=self.history,
            )
        return error

    async def _settle(
        self, settlement: Settlement[R, Any], decision: Decision, failure: Failure
    ) -> tuple[Evidence, R | None]:
        """Read the object back, again if a replica may lag, until nothing more is learned in time.

        Args:
            settlement: How to see whether the change was applied.
            decision: The next step when that is seen.
            failure: The result of the current attempt.
        """
        # The last look begins in the first half of the grace, so that its answer has the other.
        half = SETTLE_GRACE / 2
        looks, until = 0, self.deadline + half
        wait = min(decision.wait, half)
        while True:
            await self._clock.sleep(wait)
            caught_up_at = _retry.caught_up_at(self.history, self._policy)
            seen = await self.read_back(
                settlement,
                failure,
                self.deadline + SETTLE_GRACE,
                caught_up=self._clock.clock() >= caught_up_at,
            )
            looks, now = looks + 1, self._clock.clock()
            next_wait = _retry.next_look(
                looks, decision, self.history, self._policy, now=now, until=until
            )
            evidence, _ = seen
            if evidence is not Evidence.UNSEEN or next_wait is None:
                return seen
            wait = next_wait

    async def read_back(
        self,
        settlement: Settlement[R, Any],
        failure: Failure,
        deadline: float,
        *,
        caught_up: bool,
    ) -> tuple[Evidence, R | None]:
        """Read the object back once, and return what it shows of the change.

        Args:
            settlement: How to see whether the change was applied.
            failure: The result of the last attempt.
            deadline: When the read must be over; seconds, monotonic.
            caught_up: Whether a replica has surely caught up by now.
        """
        read = settlement.read
        reading = self._transport.execution(self._transport, read, deadline=deadline)
        try:
            found = await reading.run()
        except Exception as error:  # noqa: BLE001 - a token source may raise any error
            name, reason = read.operation.name, type(error).__name__
            logger.warning("%s: could not be read back: %s", name, reason)
            return Evidence.UNREAD, None
        assert self.history.first_sent is not None  # or there would be nothing to settle
        elapsed = self._clock.clock() - self.history.first_sent
        answered_at = reading.history.answered_at
        evidence = settlement.compare(found, _verdict.window(answered_at, elapsed))
        # A machine that was suspended cannot be told from a calendar that was set meanwhile, so the
        # object must show the same for both.
        longer = _verdict.window(answered_at, elapsed + self.suspended_for())
        if settlement.compare(found, longer) is not evidence:
            return Evidence.UNCLEAR, found
        explained = settlement.explains(found)
        return _verdict.weigh(evidence, failure, caught_up=caught_up, explained=explained), found

    async def _attempt(self) -> T | Failed:
        self.history.status = None
        began = self._clock.clock()
        tokens = self._transport.connections.tokens
        try:
            token = tokens.current or await self._renewed(None)
            answer = await self._exchange(token)
            if (
                tokens.renewable
                and self._prepared.can_be_sent
                and isinstance(answer, Answer)
                and _wire.refuses_token(answer)
            ):
                # RMZ has refused the token before it began the request: even a dedicated request
                # may be sent again.
                self.history.under_way = False
                token = await self._renewed(token)
                answer = await self._exchange(token)
            if logger.isEnabledFor(logging.DEBUG):
                self._log(answer, began)
            if isinstance(answer, Failed):
                return answer
            self.history.status = answer.status
            assert token is not None  # or nothing would have been sent
            read = _wire.read(self._call, answer, token, today=self._clock.today)
        except Exception as error:
            # An error of a token source or a quota store must not hide an earlier attempt.
            if self._operation.retry is RetryRule.SAFE or not self.history.ambiguous:
                raise
            return Failed(Failure.NEVER_SENT, f"{type(error).__name__} before it was sent again")
        result, self.history.answered_at = read
        return result

    def _log(self, answer: Answer | Failed, began: float) -> None:
        logger.debug(
            "%s %s: %s, attempt %d, %.3f s",
            self._operation.method,
            self._operation.path,
            answer.status if isinstance(answer, Answer) else answer.reason,
            self.history.attempts,
            self._clock.clock() - began,
        )

    async def _renewed(self, refused: Secret | None) -> Secret | None:
        """Ask for another token; None if the source did not give one in time."""
        with anyio.move_on_after(self.deadline - self._clock.clock()):
            return await self._transport.connections.tokens.renew(
                refused, self._loop_state.token_lock
            )
        return None

    async def _exchange(self, token: Secret | None) -> Answer | Failed:
        """Wait for a slot, and send one request; a failure is returned, not raised."""
        if token is None:
            return Failed(Failure.NOT_SENT, "the token source gave no token in time")
        clock, until = self._clock.clock, self.deadline
        if self.history.ambiguous:
            resend_until = _retry.resend_until(
                self._operation, self.history, self._policy, ambiguous=True
            )
            until = min(until, resend_until - self.suspended_for())
        slot = self._transport.slots.slot(
            self._operation, token, self._loop_state.concurrency, until
        )
        answer: Answer | Failed | None = None
        # The limit that the failure names if no slot comes before the deadline.
        limit = self._transport.options.timeout
        with anyio.move_on_after(self.deadline - clock() + TIMEOUT_SLACK) as cut_off:
            try:
                async with slot:
                    if clock() >= until:
                        answer = Failed(Failure.NOT_SENT, "no time was left to send it")
                    else:
                        answer_timeout = self._transport.options.answer_timeout
                        if answer_timeout is not None and self.history.attempts == 1:
                            self.deadline = min(self.deadline, clock() + answer_timeout)
                        limit = self.deadline - clock()
                        if self._call.upload is None:
                            # An upload may take all the time there is, as long as bytes move.
                            limit = min(limit, self._policy.attempt_timeout)
                        # The connection and the TLS handshake have a time-out each, whose errors
                        # say that nothing was sent. The scope, which cannot say so of the caller's
                        # own HTTP client, comes after them.
                        latest = anyio.current_time() + 2 * min(CONNECT_TIMEOUT, limit) + limit
                        cut_off.deadline = min(cut_off.deadline, latest + TIMEOUT_SLACK)
                        self.history.note_sending(clock(), self._clock.today())
                        answer = await self._transport.connections.exchange(
                            self._prepared, token, limit, clock, self.history
                        )
            except NoSlotError as error:
                return Failed(Failure.NEVER_SENT, "no slot in time", slot_in=error.wait)
        if answer is None:
            seconds = f"within {round(limit, 2):g} s"
            if self.history.under_way:
                return Failed(Failure.AMBIGUOUS, f"no answer {seconds}")
            return Failed(Failure.NOT_SENT, f"not sent {seconds}")
        # Called outside of the scope: a slow quota store must not cost the answer.
        self.history.next_slot_in = await slot.report(answer, deadline=self.deadline)
        return answer
