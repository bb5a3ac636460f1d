"""A client's time, in a process whose tests freeze the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from typing import Any

import pytest

from rmz_async._calls import clock


class FrozenTime(datetime):
    """A class in the place of ``datetime``, which works only while the clock is frozen."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        """Fail, because the clock is not frozen any more."""
        raise IndexError


def test_an_import_under_a_frozen_clock_breaks_no_later_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Libraries that freeze the clock put the right class back into modules, and no further."""
    spec = clock.__spec__
    assert isinstance(spec, ModuleSpec)
    assert spec.loader is not None
    module: Any = module_from_spec(spec)
    with monkeypatch.context() as frozen:
        frozen.setattr("datetime.datetime", FrozenTime)
        spec.loader.exec_module(module)
    module.datetime = datetime

    assert module.Clock().today().tzinfo is UTC
