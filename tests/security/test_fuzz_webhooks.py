from __future__ import annotations

from tests.security.fuzz_webhooks import BODIES, fuzz, outcome, sign


def test_no_forgery_is_accepted() -> None:
    """Among thousands of forgeries none is accepted, and none raises what is not documented."""
    found = fuzz(8_000, seed=1)
    assert found.keys() == {"forged: refused", "signed: not an event", "signed: accepted"}
    assert found["forged: refused"] == 8_000


def test_the_genuine_ones_are_accepted() -> None:
    """The deliveries that the forgeries are made from are accepted."""
    assert {outcome(body, {"Signature": sign(body).upper()}) for body in BODIES} == {"accepted"}
