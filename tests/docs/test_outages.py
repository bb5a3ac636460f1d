"""The lines that "When RMZ is down" prints, and its table."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from rmz_async.paywall import Access, OnOutage, PaywallDouble, Reason
from tests.docs.pages import ROOT, Page

PAGE = "docs/outages.md"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
END = NOON + timedelta(minutes=30)

# The user who asks, and after how many minutes of the outage.
ASKERS = {
    "A payer whose last answer is younger than `hard`": ("payer", 14),
    "A payer whose last answer is older, up to `max_stale`": ("payer", 359),
    "A payer whose last answer is older than `max_stale`": ("payer", 361),
    "Anyone whose `until` has passed": ("ending", 31),
    "A user who was refused, up to 5 seconds ago": ("refused", 0),
    "A user who was refused earlier, or who is unknown": ("refused", 1),
}


def word_of(access: Access) -> str:
    if access.granted:
        return "in"
    return "refused" if access.certain else "cannot say"


def test_the_page_prints_what_it_says(page: Page) -> None:
    page.run()

    assert page.printed == [
        "10 True active stale",
        "60 True active stale",
        "361 False unavailable api",
        "False False unavailable",
        "True",
        "False ConnectionFailedError 1",
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("asker", ASKERS)
async def test_the_table_says_who_gets_in(asker: str) -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    (row,) = re.findall(rf"(?m)^\| {re.escape(asker)} \| (.*) \|$", text)
    user, minutes = ASKERS[asker]

    answers: list[Access] = []
    for on_outage in (OnOutage.KEEP_KNOWN, OnOutage.DENY, OnOutage.ALLOW):
        paywall = PaywallDouble(on_outage=on_outage, now=NOON)
        paywall.grant("payer")
        paywall.grant("ending", until=END)
        await paywall.check_many(["payer", "ending", "refused"])
        paywall.outage()
        paywall.as_of(NOON + timedelta(minutes=minutes))
        answers.append(await paywall.check(user))

    assert [word_of(access) for access in answers] == row.split(" | ")
    assert all(
        access.reason is Reason.OUTAGE_ALLOWED
        for access in answers
        if access.granted and not access.certain
    )
