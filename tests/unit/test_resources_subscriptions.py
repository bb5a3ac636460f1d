from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rmz_async import InvalidRequestError, Page, PhoneNumber, Subscription, operations
from rmz_async._calls.outcome import Evidence, Window
from rmz_async.models import SubscriptionLookup
from rmz_async.resources.subscriptions import Subscriptions

pytestmark = pytest.mark.anyio

END = datetime(2026, 2, 1, tzinfo=UTC)
BAD_IDS: list[Any] = [0, -1, True, "501", 501.0, None, "../store", 2**63]


def subscription(**fields: Any) -> Subscription:
    """Subscription 501, active unless the test says otherwise."""
    known: dict[str, Any] = {"id": 501, "status": "active", **fields}
    return Subscription(**known)


async def test_get_reads_by_id(recorder: Any) -> None:
    """A subscription is read by its id."""
    found = await recorder.make(Subscriptions).get(501)

    call = recorder.only
    assert found is recorder.answer
    assert (call.operation, call.returns) == (operations.SUBSCRIPTIONS_GET, Subscription)
    assert (call.object_id, call.query, call.body, call.settlement) == (501, {}, None, None)


@pytest.mark.parametrize("method", ["get", "cancel", "pause", "unpause"])
@pytest.mark.parametrize("subscription_id", BAD_IDS)
async def test_bad_ids_are_refused(recorder: Any, method: str, subscription_id: object) -> None:
    """An id that could change the address is refused by name, and nothing is sent."""
    with pytest.raises(InvalidRequestError, match=rf"^subscriptions\.{method} was not") as caught:
        await getattr(recorder.make(Subscriptions), method)(subscription_id)

    assert caught.value.errors == {"id": ("must be a positive integer",)}
    assert recorder.calls == []


@pytest.mark.parametrize("subscription_id", BAD_IDS)
async def test_an_extension_refuses_a_bad_id(recorder: Any, subscription_id: object) -> None:
    """An extension is checked too."""
    with pytest.raises(InvalidRequestError, match=r"^subscriptions\.extend was not sent: id must"):
        await recorder.make(Subscriptions).extend(subscription_id, days=7)

    assert recorder.calls == []


async def test_list_sends_nothing_by_itself(recorder: Any) -> None:
    """A list is asked for when it is walked."""
    pager = recorder.make(Subscriptions).list()

    assert recorder.calls == []
    await pager.first()
    call = recorder.only
    assert (call.operation, call.returns) == (operations.SUBSCRIPTIONS_LIST, Page[Subscription])
    assert (call.object_id, call.body, call.settlement) == (None, None, None)
    assert call.query == {
        "page": 1,
        "customerEmail": None,
        "customerPhone": None,
        "customerCountryCode": None,
    }


async def test_the_filters_of_a_list(recorder: Any) -> None:
    """Filters go under RMZ's names, with every page."""
    pager = recorder.make(Subscriptions).list(
        customer_email="a@b.sa",
        customer_phone="051 234 5678",
        customer_country_code=966,
        page=3,
    )
    await pager.first()

    assert recorder.only.query == {
        "page": 3,
        "customerEmail": "a@b.sa",
        "customerPhone": "512345678",
        "customerCountryCode": "966",
    }


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"page": 0}, "page"),
        ({"page": True}, "page"),
        ({"customer_email": ""}, "customerEmail"),
        ({"customer_email": "a"}, "customerEmail"),
        ({"customer_phone": "1234"}, "customerPhone"),
        ({"customer_phone": ""}, "customerPhone"),
        ({"customer_phone": "1" * 16}, "customerPhone"),
        ({"customer_phone": 512345678}, "customerPhone"),
        ({"customer_country_code": ""}, "customerCountryCode"),
        ({"customer_country_code": "+"}, "customerCountryCode"),
        ({"customer_country_code": "966123"}, "customerCountryCode"),
        ({"customer_country_code": 9.66}, "customerCountryCode"),
    ],
)
async def test_faults_of_a_list(recorder: Any, filters: dict[str, Any], field: str) -> None:
    """Filters are checked when the list is made: an empty one would give everybody's."""
    with pytest.raises(InvalidRequestError, match=r"^subscriptions\.list was not sent") as caught:
        recorder.make(Subscriptions).list(**filters)

    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({"external_customer_id": "usr_1"}, {"external_customer_id": "usr_1"}),
        ({"email": "a@b.sa"}, {"email": "a@b.sa"}),
        (
            {"phone": PhoneNumber(country_code="+966", phone="512345678")},
            {"phone": "512345678", "country_code": "966"},
        ),
        (
            {"email": "a@b.sa", "product_id": 7, "include_inactive": True},
            {"email": "a@b.sa", "product_id": 7, "include_inactive": True},
        ),
        ({"email": "a@b.sa", "include_inactive": False}, {"email": "a@b.sa"}),
    ],
)
async def test_lookup_asks_only_for_given_names(
    recorder: Any, given: dict[str, Any], query: dict[str, Any]
) -> None:
    """A single name of the customer is enough; a name that is not given is not asked for."""
    found = await recorder.make(Subscriptions).lookup(**given)

    call = recorder.only
    assert found is recorder.answer
    assert (call.operation, call.returns) == (operations.SUBSCRIPTIONS_LOOKUP, SubscriptionLookup)
    assert (call.object_id, call.body, call.settlement) == (None, None, None)
    assert {name: value for name, value in call.query.items() if value is not None} == query


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "external_customer_id"),
        ({"product_id": 7}, "external_customer_id"),
        ({"include_inactive": True}, "external_customer_id"),
        ({"external_customer_id": ""}, "external_customer_id"),
        ({"external_customer_id": "x" * 192}, "external_customer_id"),
        ({"external_customer_id": 5}, "external_customer_id"),
        ({"email": ""}, "email"),
        ({"email": "x" * 190 + "@y"}, "email"),
        ({"phone": PhoneNumber(country_code="966", phone="1234")}, "phone"),
        ({"phone": PhoneNumber(country_code="9661234", phone="51234")}, "country_code"),
        ({"phone": "512345678"}, "phone"),
        ({"email": "a@b.sa", "product_id": 0}, "product_id"),
        ({"email": "a@b.sa", "product_id": "7"}, "product_id"),
        ({"email": "a@b.sa", "include_inactive": "false"}, "include_inactive"),
    ],
)
async def test_a_lookup_without_a_proper_user_is_refused(
    recorder: Any, given: dict[str, Any], field: str
) -> None:
    """A lookup without a user, or with a wrong one, would find another user's subscriptions."""
    with pytest.raises(InvalidRequestError, match=r"^subscriptions\.lookup was not") as caught:
        await recorder.make(Subscriptions).lookup(**given)

    assert list(caught.value.errors) == [field]
    assert recorder.calls == []


def test_a_lookup_of_nobody_names_the_three_ways(recorder: Any) -> None:
    """The refusal names the three ways to name a customer."""
    with pytest.raises(InvalidRequestError, match="external_customer_id or email or phone must be"):
        recorder.make(Subscriptions).lookup().send(None)


CHANGES: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("cancel", {}, operations.SUBSCRIPTIONS_CANCEL, {"effective": "end_of_period"}),
    (
        "cancel",
        {"effective": "end_of_period"},
        operations.SUBSCRIPTIONS_CANCEL,
        {"effective": "end_of_period"},
    ),
    (
        "cancel",
        {"effective": "immediate"},
        operations.SUBSCRIPTIONS_CANCEL,
        {"effective": "immediate"},
    ),
    ("pause", {}, operations.SUBSCRIPTIONS_PAUSE, None),
    ("unpause", {}, operations.SUBSCRIPTIONS_UNPAUSE, None),
    ("extend", {"days": 7}, operations.SUBSCRIPTIONS_EXTEND, {"days": 7, "months": None}),
    ("extend", {"months": 2}, operations.SUBSCRIPTIONS_EXTEND, {"days": None, "months": 2}),
]


@pytest.mark.parametrize(("method", "given", "operation", "body"), CHANGES)
async def test_each_change_has_its_own_path_and_body(
    recorder: Any, method: str, given: dict[str, Any], operation: Any, body: Any
) -> None:
    """Each change goes to its own path, on the object named, with its own body."""
    found = await getattr(recorder.make(Subscriptions), method)(501, **given)

    call = recorder.only
    assert found is recorder.answer
    assert (call.operation, call.returns) == (operation, Subscription)
    assert (call.object_id, call.query, call.body) == (501, {}, body)


# A subscription as it is found afterwards, and whether the change would have made it so.
FOUND: list[tuple[str, dict[str, Any], dict[str, Any], bool]] = [
    ("cancel", {}, {"cancel_at_period_end": True}, True),
    ("cancel", {}, {"cancel_at_period_end": False}, False),
    ("cancel", {}, {"cancel_at_period_end": None}, False),
    ("cancel", {}, {"status": "canceled"}, False),
    ("cancel", {"effective": "immediate"}, {"status": "canceled"}, True),
    ("cancel", {"effective": "immediate"}, {"cancel_at_period_end": True}, False),
    ("cancel", {"effective": "immediate"}, {"status": "expired"}, False),
    ("pause", {}, {"status": "paused"}, True),
    ("pause", {}, {"status": "active"}, False),
    ("pause", {}, {"status": "frozen"}, False),
    ("unpause", {}, {"status": "active"}, True),
    ("unpause", {}, {"status": "paused"}, False),
    ("unpause", {}, {"status": "past_due"}, False),
]
SINCE = datetime(2026, 1, 15, tzinfo=UTC)
BEFORE = SINCE - timedelta(seconds=601)
WINDOW = Window(since=SINCE, until=SINCE + timedelta(seconds=60))


@pytest.mark.parametrize(("method", "given", "found", "as_wanted"), FOUND)
async def test_only_the_change_itself_shows_that_it_was_applied(
    recorder: Any, method: str, given: dict[str, Any], found: dict[str, Any], as_wanted: bool
) -> None:
    """The same object is read back, and only the change itself is taken for it."""
    await getattr(recorder.make(Subscriptions), method)(501, **given)

    settlement = recorder.only.settlement
    changed = subscription(**found, updated_at=SINCE)
    assert settlement.compare(changed, WINDOW) is (
        Evidence.APPLIED if as_wanted else Evidence.UNCLEAR
    )
    assert settlement.result(changed) is changed
    assert settlement.read.operation is operations.SUBSCRIPTIONS_GET
    assert settlement.read.object_id == 501
    assert settlement.read.returns is Subscription
    assert settlement.read.settlement is None


@pytest.mark.parametrize(("method", "given", "found", "as_wanted"), FOUND)
async def test_an_untouched_subscription_was_not_changed(
    recorder: Any, method: str, given: dict[str, Any], found: dict[str, Any], as_wanted: bool
) -> None:
    """An object last changed long before the call was not changed by it, even if as wanted."""
    await getattr(recorder.make(Subscriptions), method)(501, **given)

    compare = recorder.only.settlement.compare
    assert compare(subscription(**found, updated_at=BEFORE), WINDOW) is Evidence.NOT_APPLIED


@pytest.mark.parametrize(("updated_at", "window"), [(None, WINDOW), (SINCE, None), (None, None)])
@pytest.mark.parametrize(("method", "given", "found", "as_wanted"), FOUND)
async def test_without_the_time_of_a_change(
    recorder: Any,
    method: str,
    given: dict[str, Any],
    found: dict[str, Any],
    as_wanted: bool,
    updated_at: datetime | None,
    window: Window | None,
) -> None:
    """The wanted state is enough, but not an active one: it may never have been paused."""
    await getattr(recorder.make(Subscriptions), method)(501, **given)

    compare = recorder.only.settlement.compare
    shown = as_wanted and method != "unpause"
    assert compare(subscription(**found, updated_at=updated_at), window) is (
        Evidence.APPLIED if shown else Evidence.UNCLEAR
    )


@pytest.mark.parametrize("effective", ["", "now", "END_OF_PERIOD", None, True])
async def test_when_a_cancellation_is_effective(recorder: Any, effective: Any) -> None:
    """A misspelt word must not end access at another time than the caller meant."""
    with pytest.raises(InvalidRequestError) as caught:
        await recorder.make(Subscriptions).cancel(501, effective=effective)

    assert caught.value.errors == {"effective": ("must be end_of_period or immediate",)}
    assert recorder.calls == []


@pytest.mark.parametrize("given", [{"days": 1}, {"days": 365}, {"months": 1}, {"months": 24}])
async def test_the_shortest_and_longest_extensions_are_sent(
    recorder: Any, given: dict[str, int]
) -> None:
    """1 to 365 days or 1 to 24 months."""
    await recorder.make(Subscriptions).extend(501, **given)

    assert {**given, "days": given.get("days"), "months": given.get("months")} == (
        recorder.only.body
    )


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({}, {"days": ("or months must be given, and not both",)}),
        ({"days": None, "months": None}, {"days": ("or months must be given, and not both",)}),
        ({"days": 7, "months": 1}, {"days": ("or months must be given, and not both",)}),
        ({"days": 0, "months": 0}, {"days": ("or months must be given, and not both",)}),
        *(
            ({"days": days}, {"days": ("must be an integer from 1 to 365",)})
            for days in (0, -1, 366, True, "7", 7.0)
        ),
        *(
            ({"months": months}, {"months": ("must be an integer from 1 to 24",)})
            for months in (0, -1, 25, True, "1", 1.0)
        ),
    ],
)
async def test_an_extension_needs_exactly_one_length_in_its_range(
    recorder: Any, given: Any, errors: Any
) -> None:
    """Exactly one length, in its range."""
    with pytest.raises(InvalidRequestError, match=r"^subscriptions\.extend was not") as caught:
        await recorder.make(Subscriptions).extend(501, **given)

    assert caught.value.errors == errors
    assert recorder.calls == []


async def test_an_extension_by_id_cannot_be_settled(recorder: Any) -> None:
    """Without knowing what it was, nothing shows whether a period was extended."""
    await recorder.make(Subscriptions).extend(501, days=7)

    assert recorder.only.settlement is None


async def test_an_extension_without_an_end_cannot_be_settled(recorder: Any) -> None:
    """A subscription that was read without the end of its period shows nothing either."""
    await recorder.make(Subscriptions).extend(subscription(), days=7)

    assert recorder.only.settlement is None
    assert recorder.only.object_id == 501


@pytest.mark.parametrize(
    ("given", "days"), [({"days": 7}, 7), ({"months": 1}, 30), ({"months": 2}, 60)]
)
async def test_an_extension_of_what_was_read(
    recorder: Any, given: dict[str, int], days: int
) -> None:
    """The new end is the old one and the days, a month being 30; nothing else is taken for it."""
    await recorder.make(Subscriptions).extend(subscription(current_period_end=END), **given)

    call = recorder.only
    expected = END + timedelta(days=days)
    assert call.object_id == 501
    assert call.settlement.read.object_id == 501
    for end, evidence in {
        expected: Evidence.APPLIED,
        END: Evidence.NOT_APPLIED,
        expected + timedelta(days=days): Evidence.UNCLEAR,
        expected + timedelta(seconds=1): Evidence.UNCLEAR,
        None: Evidence.UNCLEAR,
    }.items():
        assert call.settlement.compare(subscription(current_period_end=end), None) is evidence


async def test_a_renewal_is_not_taken_for_an_extension(recorder: Any) -> None:
    """If another period has begun, its end says nothing of an extension."""
    before = subscription(current_period_start=SINCE, current_period_end=END)
    await recorder.make(Subscriptions).extend(before, days=7)

    compare = recorder.only.settlement.compare
    for start, evidence in {SINCE: Evidence.APPLIED, END: Evidence.UNCLEAR}.items():
        after = subscription(current_period_start=start, current_period_end=END + timedelta(days=7))
        assert compare(after, None) is evidence


async def test_the_id_of_what_was_read_is_checked(recorder: Any) -> None:
    """A subscription that a caller built wrongly is refused too."""
    with pytest.raises(InvalidRequestError):
        await recorder.make(Subscriptions).extend(subscription(id=0), days=7)

    assert recorder.calls == []
