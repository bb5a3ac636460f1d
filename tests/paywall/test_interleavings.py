"""A customer who has paid is let in, in whatever order redirect, webhooks and page views come."""

from __future__ import annotations

import pytest

from tests.paywall.interleavings import problems_of, story_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("part", range(4))
async def test_a_redirect_lets_the_customer_in_and_nobody_refuses_afterwards(part: int) -> None:
    """The long form is ``nox -s interleavings``."""
    seeds = range(part * 15, part * 15 + 15)

    wronged = {seed: found for seed in seeds if (found := await problems_of(story_of(seed)))}

    assert wronged == {}
