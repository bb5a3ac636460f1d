"""The known payers in a file, for a process that starts while RMZ cannot be asked."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any

import attrs

from rmz_async._decoding.converter import from_dict
from rmz_async.errors import ConfigurationError
from rmz_async.models import Subscription
from rmz_async.paywall.access import Access, Reason, Source
from rmz_async.paywall.policy import Policy

__all__ = ("Snapshot", "rules_of", "snapshot_at")

logger: logging.Logger = logging.getLogger("rmz_async.paywall")

VERSION = 1


@attrs.frozen
class Snapshot:
    """A file with one line for each payer.

    The file holds personal data, and only its owner may read it.

    Attributes:
        path: The path of the file.
        rules: The store and the policy; a file that was written under others is not read.
    """

    path: Path
    rules: str

    def write(self, answers: Iterable[tuple[str, Access, datetime | None]]) -> None:
        """Replace the file; a reader sees the old one or the new one, never a part.

        Args:
            answers: Each user, the answer, and when an event has reported a change since.

        Raises:
            OSError: The file cannot be written.
        """
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(json.dumps({"version": VERSION, "rules": self.rules}) + "\n")
                file.writelines(json.dumps(_row(*answer)) + "\n" for answer in answers)
            new.replace(self.path)
        finally:
            new.unlink(missing_ok=True)

    def read(self) -> list[tuple[str, Access, datetime | None]]:
        """Return the payers in the file; none if there is no file, or if it cannot be used."""
        try:
            with self.path.open(encoding="utf-8") as file:
                return list(self._rows(file))
        except FileNotFoundError:
            return []
        # The errors of damaged lines: JSON, a missing key, a wrong type, an unknown reason, and
        # brackets without an end.
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            logger.warning(
                "The paywall's snapshot cannot be used, and is left out: %s", type(error).__name__
            )
            return []

    def _rows(self, lines: Iterable[str]) -> Iterator[tuple[str, Access, datetime | None]]:
        rows = iter(lines)
        header = json.loads(next(rows, "{}"))
        if header != {"version": VERSION, "rules": self.rules}:
            logger.warning(
                "The paywall's snapshot is of another version, store or policy, and is left out"
            )
            return
        for line in rows:
            yield _read(json.loads(line))


def snapshot_at(path: str | PathLike[str] | None, store: str, policy: Policy) -> Snapshot | None:
    """Return the snapshot at a path; None if there is no path.

    Raises:
        ConfigurationError: The path names no file.
    """
    if path is None:
        return None
    # A caller without a type checker may pass anything, and an unset variable may be "".
    try:
        file = Path(path)
    except TypeError:
        file = Path()
    if not file.name:
        raise ConfigurationError("snapshot: must be the path of a file")
    return Snapshot(file, rules_of(store, policy))


def rules_of(store: str, policy: Policy) -> str:
    """Return a string that differs if a store or a policy does."""
    products = None if policy.product_ids is None else sorted(policy.product_ids)
    return f"{store} {products} {attrs.evolve(policy, product_ids=None)}"


def _row(user: str, access: Access, reported: datetime | None) -> dict[str, Any]:
    until, subscription = access.until, access.subscription
    return {
        "user": user,
        "reason": access.reason.value,
        "until": None if until is None else until.isoformat(),
        "checked_at": access.checked_at.isoformat(),
        "reported_at": None if reported is None else reported.isoformat(),
        "subscription": None if subscription is None else subscription.to_dict(),
        "others": [each.to_dict() for each in access.others],
        "complete": access.complete,
    }


def _read(row: dict[str, Any]) -> tuple[str, Access, datetime | None]:
    until, subscription = row["until"], row["subscription"]
    access = Access(
        granted=True,
        reason=Reason(row["reason"]),
        until=None if until is None else _moment(until),
        subscription=None if subscription is None else from_dict(Subscription, subscription),
        checked_at=_moment(row["checked_at"]),
        source=Source.SNAPSHOT,
        # An earlier version kept one subscription of each payer.
        others=tuple(from_dict(Subscription, each) for each in row.get("others", ())),
        complete=bool(row.get("complete")),
    )
    if not isinstance(row["user"], str):
        raise TypeError("user is no string")
    reported = row.get("reported_at")
    return row["user"], access, None if reported is None else _moment(reported)


def _moment(written: str) -> datetime:
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError("a time has no zone")
    return moment
