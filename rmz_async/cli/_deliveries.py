"""Deliveries that ``rmz listen`` has taken, ready to be printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from rmz_async.cli._printing import shown
from rmz_async.cli._wording import text
from rmz_async.errors import ConfigurationError, PayloadError, SignatureError
from rmz_async.webhooks import diagnose, verify
from rmz_async.webhooks._secrets import Keys
from rmz_async.webhooks.events import Event

MOST_BYTES = 1024 * 1024
_STORED, _REFUSED = 200, 401


@attrs.frozen(kw_only=True)
class ShownDelivery:
    """A delivery, as it is printed.

    Attributes:
        at: When it came; UTC.
        refused: Whether RMZ did not sign it.
        title: The event's name, or that the delivery is refused.
        parts: The rest of its line.
        advice: The mistakes that explain a refusal.
        document: The same as JSON, without personal data.
        body: The content as a string.
    """

    at: datetime
    refused: bool
    title: str
    parts: Sequence[str] = ()
    advice: Sequence[str] = ()
    document: dict[str, object]
    body: str


class Deliveries:
    """Verifies deliveries, and keeps them until they are printed.

    Raises:
        ConfigurationError: There is none, or a secret breaks a rule.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ConfigurationError(
                text("RMZ_WEBHOOK_SECRETS: set it to the secrets of your webhooks")
            )
        Keys(secrets).check()
        self.count: int = 0
        self._secrets = secrets
        self._new: list[ShownDelivery] = []
        self._keys: set[str] = set()

    def new(self) -> list[ShownDelivery]:
        """Return the deliveries since the last call."""
        found, self._new = self._new, []
        return found

    def take(self, body: bytes, headers: Iterable[tuple[str, str]], at: datetime) -> int:
        """Verify a delivery, and return the status of the answer."""
        self.count += 1
        pairs = list(headers)
        readable = body.decode(errors="backslashreplace")
        document: dict[str, object] = {"received_at": at.isoformat().replace("+00:00", "Z")}
        try:
            event = verify(body, pairs, secrets=self._secrets)
        except SignatureError as error:
            reasons = diagnose(body, pairs, secrets=self._secrets)
            came = ShownDelivery(
                at=at,
                refused=True,
                title=text("refused"),
                parts=(str(error),),
                advice=reasons,
                document={**document, "refused": str(error), "reasons": reasons},
                body=readable,
            )
        except PayloadError as error:
            came = ShownDelivery(
                at=at,
                refused=False,
                title=text("unreadable"),
                parts=(str(error),),
                document={**document, "unreadable": str(error)},
                body=readable,
            )
        else:
            came = self._seen(event, document, at, readable)
        self._new.append(came)
        return _REFUSED if came.refused else _STORED

    def _seen(
        self, event: Event, document: dict[str, object], at: datetime, readable: str
    ) -> ShownDelivery:
        again = event.dedupe_key in self._keys
        self._keys.add(event.dedupe_key)
        about = _about(event)
        secret = (event.secret_index or 0) + 1
        parts = [shown(value) for value in about.values() if value is not None]
        parts.append(text("secret %(number)s", number=secret))
        if again:
            parts.append(text("again"))
        return ShownDelivery(
            at=at,
            refused=False,
            title=shown(event.event),
            parts=parts,
            document={
                **document,
                "event": event.event,
                "event_id": event.event_id,
                "dedupe_key": event.dedupe_key,
                **about,
                "secret": secret,
                "again": again,
            },
            body=readable,
        )


def _about(event: Event) -> dict[str, object]:
    if event.subscription is not None:
        found = event.subscription
        return {
            "subscription": found.id,
            "status": found.status,
            "user": found.external_customer_id,
            "period_end": found.current_period_end,
        }
    if event.order is not None:
        return {"order": event.order.id, "total": event.order.total}
    return {}
