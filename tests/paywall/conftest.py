"""An RMZ for the tests of the paywall."""

from __future__ import annotations

import pytest

from tests.paywall.scripted import ScriptedRMZ, subscription


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ in which Noura pays."""
    scripted = ScriptedRMZ()
    scripted.set(subscription())
    return scripted
