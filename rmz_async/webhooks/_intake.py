"""From the bytes of a delivery to what is stored of it, or to the answer without storing it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import cast

import attrs

from rmz_async._calls.refusals import quoted
from rmz_async.errors import ConfigurationError, PayloadError, SignatureError
from rmz_async.webhooks._ack import NOT_CONFIGURED, Ack
from rmz_async.webhooks._comparing import state_of_event
from rmz_async.webhooks._handlers import Handlers, subject_of
from rmz_async.webhooks._headers import Headers
from rmz_async.webhooks._reading import event_of
from rmz_async.webhooks._replaying import UNREADABLE
from rmz_async.webhooks._secrets import CurrentKeys
from rmz_async.webhooks._verifying import origin_of
from rmz_async.webhooks.events import UnknownEvent
from rmz_async.webhooks.inbox.records import Delivery

logger: logging.Logger = logging.getLogger("rmz_async")


@attrs.define(eq=False, repr=False)
class Arrival:
    """A delivery that RMZ has signed.

    Attributes:
        body: The raw body.
        request_id: The delivery's number, which RMZ does not sign.
        secret_index: Which secret fitted.
    """

    body: bytes
    request_id: str | None
    secret_index: int | None
    _handlers: Handlers
    _delivery: Delivery | None = None

    def read(self) -> Delivery:
        """Return what is to be stored; the body is read once."""
        if self._delivery is None:
            try:
                self._delivery = self._to_be_stored()
            except Exception as error:  # noqa: BLE001 - another error would cost those beside it
                reason = str(error) if isinstance(error, PayloadError) else type(error).__name__
                logger.warning("a signed delivery waits in the inbox: %s", reason)
                key = hashlib.sha256(self.body).hexdigest()
                self._delivery = Delivery(
                    key=key, name=UNREADABLE, body=self.body, fault=quoted(reason)
                )
        return self._delivery

    def _to_be_stored(self) -> Delivery:
        event = event_of(self.body, self.request_id, self.secret_index)
        handlers = self._handlers.wanting(event)
        unread = event.fault if isinstance(event, UnknownEvent) and not handlers else None
        return Delivery(
            key=event.dedupe_key,
            name=quoted(event.event),
            body=self.body,
            request_id=event.request_id,
            secret_index=event.secret_index,
            subject=subject_of(event),
            fault=unread,
            handlers=handlers,
            state=state_of_event(event),
        )


class Intake:
    """Verifies deliveries.

    Args:
        keys: The secrets.
        handlers: The handlers.
        allow_unsigned: Accept a delivery without a signature, which anyone can send.
    """

    def __init__(self, keys: CurrentKeys, handlers: Handlers, *, allow_unsigned: bool) -> None:
        self._keys = keys
        self._handlers = handlers
        self._allow_unsigned = allow_unsigned

    def arrival_of(self, body: bytes, headers: Headers | None) -> Arrival | Ack:
        """Return a delivery that RMZ has signed, or the answer to another."""
        if not isinstance(cast("object", body), bytes):
            logger.error("a delivery was not looked at: body must be the raw bytes of the request")
            return NOT_CONFIGURED
        try:
            request_id, secret_index = origin_of(
                body, headers, self._keys.checked(), allow_unsigned=self._allow_unsigned
            )
        except SignatureError as error:
            logger.warning("a delivery was refused: %s", error)
            return Ack(401, "the signature does not match")
        except Exception as error:  # noqa: BLE001 - a callable for the secrets raises what it likes
            # The message of such an error, and its traceback, might show a secret.
            reason = error if isinstance(error, ConfigurationError) else type(error).__name__
            logger.error("a delivery was not looked at: %s", reason)  # noqa: TRY400 - see above
            return NOT_CONFIGURED
        return Arrival(body, request_id, secret_index, self._handlers)


def read_all(arrivals: Sequence[Arrival]) -> None:
    """Read deliveries one after another, which takes half as long as with something in between."""
    for arrival in arrivals:
        arrival.read()
