"""The page of faults and switches: what goes wrong, and in which way this sandbox is RMZ."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response

from rmz_async.sandbox.backend import Backend
from rmz_async.sandbox.dashboard.pages import DashboardPages, newest
from rmz_async.sandbox.faults.faults import DeliveryFault, RequestFault
from rmz_async.sandbox.hosted.forms import form_of
from rmz_async.sandbox.hosted.notices import missing
from rmz_async.sandbox.hosted.rendering import sent_to
from rmz_async.sandbox.store.switches import Switches

__all__ = ("FaultRules",)

_PAGE = "/faults"
_STATUSES = {"second_cancel_status": (409, 422), "invalid_fields_status": (422, 400)}


@attrs.frozen
class _Switch:
    """A switch as the form shows it; without choices it is a number."""

    name: str
    value: object
    choices: tuple[object, ...] = ()


class FaultRules:
    """Shows, adds and removes the rules of faults, and sets switches."""

    def __init__(self, backend: Backend, pages: DashboardPages) -> None:
        self._faults = backend.faults
        self._switches = backend.store.switches
        self._pages = pages
        self._seed = backend.seed

    async def show(self, request: Request) -> Response:
        """Answer ``GET /faults``."""
        return self._pages.page(
            request,
            "faults.html",
            seed=repr(self._seed),
            kinds=(RequestFault, DeliveryFault),
            rules=self._faults.rules,
            injected=newest(self._faults.injected),
            switches=[self._shown(field) for field in attrs.fields(Switches)],
        )

    async def add(self, request: Request) -> Response:
        """Answer ``POST /faults``: let something go wrong from now on."""
        form = await form_of(request)
        try:
            self._faults.add(
                form.get("fault", ""),
                form.get("on") or "*",
                times=_integer("times", form["times"]) if form.get("times") else None,
                chance=_number("percent", form.get("percent") or "100") / 100,
                after_effect="after_effect" in form,
                seconds=_number("seconds", form.get("seconds") or "1"),
            )
        except ValueError as problem:
            return self._pages.with_problem(_PAGE, str(problem))
        return sent_to(_PAGE)

    async def remove(self, request: Request) -> Response:
        """Answer ``POST /faults/{number}/remove``."""
        number = request.path_params["number"]
        rule = next((rule for rule in self._faults.rules if rule.number == number), None)
        if rule is None:
            raise missing(request)
        self._faults.remove(rule)
        return sent_to(_PAGE)

    async def clear(self, _: Request) -> Response:
        """Answer ``POST /faults/clear``."""
        self._faults.clear()
        return sent_to(_PAGE)

    async def set_switches(self, request: Request) -> Response:
        """Answer ``POST /switches``: set those that the form names."""
        form = await form_of(request)
        try:
            values = self._read(form)
            # The copy validates all values, so that no switch is set if one of them is wrong.
            attrs.evolve(self._switches, **values)
        except ValueError as problem:
            return self._pages.with_problem(_PAGE, str(problem))
        for name, value in values.items():
            setattr(self._switches, name, value)
        return sent_to(_PAGE)

    def _shown(self, field: attrs.Attribute[Any]) -> _Switch:
        value = getattr(self._switches, field.name)
        match value:
            case bool():
                return _Switch(field.name, value, (field.default, not field.default))
            case StrEnum():
                return _Switch(field.name, value, tuple(type(value)))
            case _:
                return _Switch(field.name, value, _STATUSES.get(field.name, ()))

    def _read(self, form: Mapping[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for field in attrs.fields(Switches):
            if field.name in form:
                current = getattr(self._switches, field.name)
                values[field.name] = _value(field.name, current, form[field.name])
        return values


def _value(name: str, current: object, sent: str) -> object:
    """Read *sent* as what the switch holds now.

    Raises:
        ValueError: *sent* is no such value.
    """
    match current:
        case bool():
            return sent == "True"
        case float():
            seconds = _number(name, sent)
            if abs(seconds) <= 366 * 24 * 3_600:
                return seconds
            raise ValueError(f"{name} takes seconds up to a year's, not {sent}")
        case int():
            return _integer(name, sent)
        case _:
            return sent


def _number(name: str, sent: str) -> float:
    try:
        return float(sent)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {sent!r}") from None


def _integer(name: str, sent: str) -> int:
    try:
        return int(sent)
    except ValueError:
        raise ValueError(f"{name} must be an integer, not {sent[:40]!r}") from None
