"""The requests of a minute are used up, and not by those who pay."""

from __future__ import annotations

import pytest

from rmz_async.paywall import Lifetimes, Paywall, Reason, Source
from rmz_async.sandbox import Sandbox

pytestmark = pytest.mark.anyio


async def test_strangers_leave_a_part_of_the_minute_to_payers() -> None:
    """The payer's last answer is too old to be handed out, so that RMZ has to be asked."""
    lifetimes = Lifetimes(soft=1, hard=1, max_stale=1, patience=0.5)
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        paywall = Paywall(rmz, lifetimes=lifetimes)
        assert await paywall.check("usr_abc123")
        number = 0
        while (await paywall.check(f"stranger-{number}")).certain:
            number += 1
        await sandbox.clock.advance(seconds=2)
        assert not (await paywall.check("stranger")).certain

        access = await paywall.check("usr_abc123")

        assert (access.reason, access.source) == (Reason.ACTIVE, Source.API)
        assert {one.status for one in sandbox.requests} == {200}
