"""Faults: which one hits which request or delivery."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase

import attrs

from rmz_async.sandbox.delivery.log import Parcel

__all__ = ("DeliveryFault", "FaultRule", "Faults", "FaultsState", "RequestFault", "spoiled")

_LONGEST = 366 * 24 * 3_600
# The first time in the body, in the form that webhooks have.
_A_TIME = re.compile(rb'"\d{4}-\d\d-\d\dT[^"]*"')


class RequestFault(StrEnum):
    """A fault of a request to the API."""

    LATENCY = "latency"
    """The answer comes later, in real time."""
    SERVER_ERROR = "server_error"
    """RMZ answers 500 in its own JSON."""
    BAD_GATEWAY = "bad_gateway"
    """A proxy in front of RMZ answers 502 with a page of HTML."""
    RESET = "reset"
    """The connection ends without an answer."""
    TRUNCATED = "truncated"
    """The connection ends in the middle of the answer; the call was carried out."""
    UNAUTHENTICATED = "unauthenticated"
    """The token has expired: 401."""
    PLAN_MISSING = "plan_missing"
    """The store's plan does not include the API: 403."""


class DeliveryFault(StrEnum):
    """A fault of a delivery."""

    DUPLICATE = "duplicate"
    """The event comes twice, under one request id."""
    REORDER = "reorder"
    """The event comes after the one that follows it."""
    DELAY = "delay"
    """The event comes later, by the sandbox's clock."""
    DROP = "drop"
    """The event never comes."""
    BAD_SIGNATURE = "bad_signature"
    """The signature does not fit."""
    UNSIGNED = "unsigned"
    """The signature is missing."""
    UNREADABLE_FIELD = "unreadable_field"
    """A time in the body cannot be read, and the signature fits."""


@attrs.define(kw_only=True)
class FaultRule:
    """The condition under which a fault happens.

    Attributes:
        on: Which requests, as ``POST /subscriptions/*/extend``, or which events, as
            ``subscription.*``; ``*`` stands for anything.
        times: How often it happens at most; None for always.
        chance: How likely it is each time, 0 to 1.
        after_effect: Whether the call is carried out first; for a request that is answered in
            RMZ's place.
        seconds: How long a latency or a delay lasts.
        number: Distinguishes the rules of a sandbox; 1 for the first.
    """

    fault: RequestFault | DeliveryFault
    on: str = "*"
    times: int | None = None
    chance: float = 1.0
    after_effect: bool = False
    seconds: float = 1.0
    number: int = 0


@attrs.frozen(kw_only=True)
class FaultsState:
    """The faults at one moment; no rule of it may change.

    Attributes:
        added: How many rules there were until then.
        met: How often each rule has met each request or event.
    """

    rules: tuple[FaultRule, ...]
    injected: tuple[tuple[FaultRule, str], ...]
    seed: int | str
    added: int
    met: tuple[tuple[int, str, int], ...]


class Faults:
    """The rules in force; the first that fits decides.

    Chance looks at the rule, at what may be spoiled, and at how often that came before. So a seed
    repeats the faults of each call, in whatever order calls that are made together arrive.

    Args:
        seed: Decides what is left to chance.
    """

    def __init__(self, seed: int | str) -> None:
        self._seed = seed
        self._added = 0
        self._met: Counter[tuple[int, str]] = Counter()
        self.rules: list[FaultRule] = []
        self.injected: list[tuple[FaultRule, str]] = []

    def add(
        self,
        fault: RequestFault | DeliveryFault | str,
        on: str = "*",
        *,
        times: int | None = None,
        chance: float = 1.0,
        after_effect: bool = False,
        seconds: float = 1.0,
    ) -> FaultRule:
        """Let *fault* happen from now on; see `FaultRule` for the rest.

        Returns:
            The rule, for `remove`.

        Raises:
            ValueError: There is no such fault, *chance* is not from 0 to 1, *times* is below 1, or
                *seconds* are not from 0 to a year's.
        """
        if not 0 <= chance <= 1:
            raise ValueError(f"chance must be from 0 to 1, not {chance}")
        if times is not None and times < 1:
            raise ValueError(f"times must be 1 or more, or None for always, not {times}")
        if not 0 <= seconds <= _LONGEST:
            raise ValueError(f"seconds must be from 0 to {_LONGEST}, not {seconds}")
        self._added += 1
        rule = FaultRule(
            fault=_fault(fault),
            on=on,
            times=times,
            chance=chance,
            after_effect=after_effect,
            seconds=seconds,
            number=self._added,
        )
        self.rules.append(rule)
        return rule

    def keep(self) -> FaultsState:
        """Return the rules in force, and what they have spoiled."""
        rules, injected = _copied(self.rules, self.injected)
        return FaultsState(
            rules=rules,
            injected=injected,
            seed=self._seed,
            added=self._added,
            met=tuple((number, name, count) for (number, name), count in self._met.items()),
        )

    def put_back(self, state: FaultsState) -> None:
        """Replace the rules by those of another moment."""
        self.rules[:], self.injected[:] = _copied(state.rules, state.injected)
        self._seed, self._added = state.seed, state.added
        self._met = Counter({(number, name): count for number, name, count in state.met})

    def remove(self, rule: FaultRule) -> None:
        """Let a fault happen no more."""
        self.rules.remove(rule)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self.rules.clear()

    def for_request(self, method: str, path: str) -> FaultRule | None:
        """Return the rule that hits a request; *path* has no base path and no query."""
        return self._pick(RequestFault, f"{method} {path}")

    def for_delivery(self, event: str) -> FaultRule | None:
        """Return the rule that hits a delivery of *event*."""
        return self._pick(DeliveryFault, event)

    def _pick(self, kind: type[StrEnum], name: str) -> FaultRule | None:
        for rule in self.rules:
            fits = isinstance(rule.fault, kind) and fnmatchcase(name, rule.on)
            if fits and rule.times != 0 and self._happens(rule, name):
                rule.times = None if rule.times is None else rule.times - 1
                self.injected.append((rule, name))
                return rule
        return None

    def _happens(self, rule: FaultRule, name: str) -> bool:
        if rule.chance in (0, 1):
            return rule.chance == 1
        self._met[rule.number, name] += 1
        draw = f"{self._seed}/{rule.number}/{name}/{self._met[rule.number, name]}"
        chance = random.Random(draw)  # noqa: S311 - nothing secret depends on it
        return chance.random() < rule.chance


def spoiled(parcel: Parcel) -> Parcel:
    """Return *parcel* with a time that is none, as MySQL writes a missing one."""
    body = _A_TIME.sub(b'"0000-00-00 00:00:00"', parcel.body, count=1)
    return attrs.evolve(parcel, body=body)


def _fault(name: str) -> RequestFault | DeliveryFault:
    for kind in (RequestFault, DeliveryFault):
        if name in list(kind):
            return kind(name)
    known = ", ".join([*RequestFault, *DeliveryFault])
    raise ValueError(f"there is no fault {name!r}; there are {known}")


def _copied(
    rules: Iterable[FaultRule], injected: Iterable[tuple[FaultRule, str]]
) -> tuple[tuple[FaultRule, ...], tuple[tuple[FaultRule, str], ...]]:
    """Return copies of both; a rule that is in both has one copy."""
    rules, injected = tuple(rules), tuple(injected)
    copies = {id(rule): attrs.evolve(rule) for rule in (*rules, *(rule for rule, _ in injected))}
    return (
        tuple(copies[id(rule)] for rule in rules),
        tuple((copies[id(rule)], name) for rule, name in injected),
    )
