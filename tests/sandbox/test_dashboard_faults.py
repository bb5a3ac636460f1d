from __future__ import annotations

import re

import attrs
import httpx
import pytest

from rmz_async.sandbox import ChargeAt, DeliveryFault, RequestFault, Sandbox, Switches

pytestmark = pytest.mark.anyio

RULE = {"on": "POST */extend", "times": "2", "percent": "50", "seconds": "3"}


async def test_the_page_has_each_fault_and_the_seed(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The seed can be copied into a test."""
    page = (await browser.get("/faults")).text
    for fault in (*RequestFault, *DeliveryFault):
        assert f"<option>{fault}</option>" in page
    assert f"Sandbox(seed=&#39;{sandbox.seed}&#39;)" in page


async def test_a_fault_is_made_listed_and_removed_by_clicks(
    browser: httpx.AsyncClient, api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Each rule has a button of its own."""
    form = {**RULE, "percent": "100", "fault": "bad_gateway", "after_effect": "1"}
    for _ in range(2):
        assert (await browser.post("/faults", data=form)).headers["location"] == "/faults"
    first, second = sandbox.faults.rules
    assert (first.on, first.times, first.chance, first.after_effect) == (form["on"], 2, 1, True)
    assert (first.fault, first.seconds) == (RequestFault.BAD_GATEWAY, 3)
    assert (await api.post("/subscriptions/501/extend", json={"days": 7})).status_code == 502
    page = (await browser.get("/faults")).text
    assert '<code dir="ltr">POST /subscriptions/501/extend</code>' in page
    assert "100%" in page
    await browser.post(f"/faults/{second.number}/remove")
    assert sandbox.faults.rules == [first]
    assert (await browser.post(f"/faults/{second.number}/remove")).status_code == 404
    await browser.post("/faults/clear")
    assert sandbox.faults.rules == []
    assert "Nothing goes wrong." in (await browser.get("/faults")).text


async def test_a_field_that_is_left_empty_has_its_default(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """A rule then holds for everything, always."""
    await browser.post("/faults", data={"fault": "drop"})
    (rule,) = sandbox.faults.rules
    assert (rule.on, rule.times, rule.chance, rule.after_effect) == ("*", None, 1, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"fault": "explode"},
        {"times": "none"},
        {"times": "0"},
        {"percent": "150"},
        {"percent": "nan"},
        {"seconds": "-1"},
        {"seconds": "inf"},
    ],
)
async def test_a_rule_that_cannot_be_says_why(
    browser: httpx.AsyncClient, sandbox: Sandbox, wrong: dict[str, str]
) -> None:
    """The message is on the page that opens next, and nothing was added."""
    answer = await browser.post("/faults", data={"fault": "reset", **RULE, **wrong})
    page = await browser.get(answer.headers["location"])
    assert 'role="alert"' in page.text
    assert sandbox.faults.rules == []


async def test_each_switch_is_on_the_page_with_its_default_first(
    browser: httpx.AsyncClient,
) -> None:
    """A switch that is added later appears by itself."""
    page = (await browser.get("/faults")).text
    for field in attrs.fields(Switches):
        default = getattr(Switches(), field.name)
        shown = rf'name="{field.name}"[^>]*?(?: value="([^"]+)"[^>]*|><option selected)>'
        found = re.search(shown, page)
        assert found is not None, field.name
        if found[1]:
            assert float(found[1]) == default


async def test_switches_are_set_together(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """Numbers, words and truth; those that the form leaves out stay."""
    sent = {
        "replica_lag": "2.5",
        "past_due_is_active": "True",
        "canceled_may_resume": "False",
        "second_cancel_status": "422",
        "times": "offset",
    }
    await browser.post("/switches", data=sent)
    switches = sandbox.switches
    assert switches.replica_lag == 2.5
    assert switches.past_due_is_active is True
    assert switches.canceled_may_resume is False
    assert switches.second_cancel_status == 422
    assert switches.times == "offset"
    assert switches.charge_at == "three_days_before"


@pytest.mark.parametrize(
    "wrong", [{"second_cancel_status": "418"}, {"times": "roman"}, {"replica_lag": "nan"}]
)
async def test_one_wrong_switch_keeps_the_others_as_they_are(
    browser: httpx.AsyncClient, sandbox: Sandbox, wrong: dict[str, str]
) -> None:
    """The page says which value is wrong."""
    answer = await browser.post("/switches", data={"unknown_keys": "True", **wrong})
    assert 'role="alert"' in (await browser.get(answer.headers["location"])).text
    assert sandbox.switches == Switches()


@pytest.mark.parametrize(
    ("path", "field", "sent", "reason"),
    [
        ("/faults", "times", "1.5", "times must be an integer, not '1.5'"),
        ("/faults", "times", "9" * 5_000, "times must be an integer, not '999"),
        ("/faults", "percent", "half", "percent must be a number, not 'half'"),
        ("/faults", "seconds", "x", "seconds must be a number, not 'x'"),
        ("/switches", "replica_lag", "x", "replica_lag must be a number, not 'x'"),
        ("/switches", "replica_lag", "1e9", "replica_lag takes seconds up to a year"),
        ("/switches", "second_cancel_status", "x", "second_cancel_status must be an integer"),
    ],
)
async def test_a_refusal_names_the_field(
    browser: httpx.AsyncClient, path: str, field: str, sent: str, reason: str
) -> None:
    form = {**RULE, "fault": "latency", field: sent} if path == "/faults" else {field: sent}
    answer = await browser.post(path, data=form)

    assert httpx.URL(answer.headers["location"]).params["problem"].startswith(reason)


async def test_an_open_page_follows_a_switch(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """The switch may have been set by another page, or by a test."""

    def version(page: str) -> str:
        return str(re.findall(r"seen=(\w+)", page)[0])

    before = version((await browser.get("/faults")).text)
    assert version((await browser.get("/faults")).text) == before
    sandbox.switches.charge_at = ChargeAt.PERIOD_END
    assert version((await browser.get("/faults")).text) != before
