"""Keys of events that each database stores as they are, and tells apart."""

from __future__ import annotations

import pytest

from tests.seams import storable

HALVES = [chr(0xD800), chr(0xDBFF), chr(0xDC00), chr(0xDFFF)]


@pytest.mark.parametrize("key", ["", "evt_1", "é" * 500, "\x01", "\ud7ff\ue000", "evt 1\n"])
def test_a_key_that_every_database_stores_stays_as_it_is(key: str) -> None:
    assert storable(key) == key


@pytest.mark.parametrize("key", ["e" * 501, "evt\0", *HALVES, f"evt_{HALVES[0]}"])
def test_a_key_that_a_database_would_refuse_becomes_a_digest(key: str) -> None:
    """No other key has the same."""
    digest = storable(key)

    assert len(digest) == 64
    assert digest not in {storable(key + "x"), storable("x" + key)}
    digest.encode()


def test_the_digest_of_a_key_stays_the_same_in_later_versions() -> None:
    """Else a delivery that comes again after an update would take effect again."""
    digest = "4f6751a1d0be7e3429fed6297c56984aa718fe44aaf1519ac61c6ea5ef921618"

    assert storable("evt\0") == digest
