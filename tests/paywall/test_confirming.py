"""A customer comes back from the checkout, and the query alone proves nothing."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import attrs
import pytest
from django.utils.datastructures import MultiValueDict
from itsdangerous import URLSafeTimedSerializer
from multidict import MultiDict
from starlette.datastructures import QueryParams
from werkzeug.datastructures import MultiDict as FlaskDict

import rmz_async
from rmz_async import (
    ConfigurationError,
    InvalidRequestError,
    MissingExtraError,
    Paywall,
    RateLimitError,
    ServerError,
)
from rmz_async.models import SubscriptionProduct, Variant
from rmz_async.paywall import Confirmed, NotFound, NotYet, Policy, Source
from rmz_async.paywall.outcomes import SomeoneElses
from rmz_async.sandbox import Sandbox
from tests.paywall.scripted import START, ScriptedRMZ, subscription
from tests.seams import Purchase, answers_over

pytestmark = pytest.mark.anyio

SECRET = "an-example-secret-0123456789"
PLAN = rmz_async.Plan(
    product_id=102,
    variant_id=15,
    slug="pro-plan",
    name=None,
    duration="annually",
    price=None,
    trial_days=0,
)


def django_query(text: str) -> Any:
    """Make the class below Django's ``QueryDict``, which itself needs the settings of a project."""
    name, _, value = text.partition("=")
    return MultiValueDict({name: [value]})


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ in which Noura has just paid."""
    scripted = ScriptedRMZ()
    scripted.set(subscription(created_at=START))
    return scripted


async def link(rmz: ScriptedRMZ, user: str = "noura", secret: Any = SECRET, **options: Any) -> str:
    """Return the query with which a customer comes back from a signed checkout."""
    answers = answers_over(rmz, state_secret=secret, **options)
    session = await answers.start(
        user,
        Purchase(
            product_id=102,
            variant_id=15,
            customer=1,
            success_url="https://app.example/ok?a=%20b&a=c#top",
            cancel_url="https://app.example/no",
        ),
    )
    address, _, fragment = session.checkout_url.partition("#")
    assert address.startswith("https://app.example/ok?a=%20b&a=c&rmz-state=")
    assert fragment == "top"
    return f"{address}&rmz-subscription-id=501"


async def test_a_purchase_is_confirmed_and_remembered(rmz: ScriptedRMZ) -> None:
    """The next check costs no request."""
    answers = answers_over(rmz, policy=Policy(product_ids=frozenset({102})))

    outcome = await answers.confirm("rmz-subscription-id=501", "noura", 8)

    assert isinstance(outcome, Confirmed)
    assert outcome
    assert outcome.subscription.id == 501
    known = answers.memory.fresh("noura")
    assert known is not None
    assert (known.granted, known.source) == (True, Source.CACHE)
    assert rmz.asked == []


@pytest.mark.parametrize(
    "query",
    [
        "?rmz-subscription-id=501",
        "https://app.example/ok?x=1&rmz-subscription-id=501",
        {"rmz-subscription-id": "501"},
        {"rmz-subscription-id": ["501"]},
        {"rmz-subscription-id": 501},
        QueryParams("rmz-subscription-id=501"),
        MultiDict([("rmz-subscription-id", "501")]),
        FlaskDict([("rmz-subscription-id", "501")]),
        django_query("rmz-subscription-id=501"),
    ],
)
async def test_a_query_may_come_from_any_framework(rmz: ScriptedRMZ, query: Any) -> None:
    """The values are the same."""
    assert await answers_over(rmz).confirm(query, "noura", 8)


@pytest.mark.parametrize(
    "query",
    [
        "",
        {},
        MultiDict([("other", "1")]),
        "rmz-subscription-id=",
        "rmz-subscription-id=501&rmz-subscription-id=501",
        "rmz-subscription-id=501&rmz-subscription-id=502",
        "rmz-subscription-id=&rmz-subscription-id=501",
        QueryParams("rmz-subscription-id=501&rmz-subscription-id=501"),
        MultiDict([("rmz-subscription-id", "501"), ("rmz-subscription-id", "501")]),
        "rmz-subscription-id=%20501",
        "rmz-subscription-id=0",
        "rmz-subscription-id=-5",
        "rmz-subscription-id=0501",
        "rmz-subscription-id=٥٠١",
        "rmz-subscription-id=501/cancel",
        "rmz-subscription-id=9223372036854775808",
        "rmz-subscription-id=" + "9" * 5000,
        {"rmz-subscription-id": True},
    ],
)
async def test_a_query_without_one_usable_id_leads_nowhere(rmz: ScriptedRMZ, query: Any) -> None:
    """RMZ is not asked."""
    assert await answers_over(rmz).confirm(query, "noura", 8) == NotFound(reason="no_id")
    assert rmz.got == []


@pytest.mark.parametrize("owner", ["sami", "noura\ud800", None])
async def test_the_subscription_of_somebody_else_grants_nothing(
    rmz: ScriptedRMZ, owner: str | None
) -> None:
    """Anyone can type another id, also one that was bought without a user."""
    bought = subscription(user="x", created_at=START)
    object.__setattr__(bought, "external_customer_id", owner)
    rmz.set(bought)
    answers = answers_over(rmz)

    outcome = await answers.confirm("rmz-subscription-id=501", "noura", 8)

    assert outcome == SomeoneElses()
    assert not outcome
    assert answers.memory.fresh("noura") is None


async def test_the_largest_id_of_a_database_is_an_id(rmz: ScriptedRMZ) -> None:
    """RMZ's column has 64 bits, one of them for the sign."""
    largest = 2**63 - 1

    await answers_over(rmz).confirm(f"rmz-subscription-id={largest}", "noura", 8)

    assert rmz.got == [largest]


async def test_a_purchase_that_grants_nothing_says_why(rmz: ScriptedRMZ) -> None:
    """Another product, or an old link."""
    other = answers_over(rmz, policy=Policy(product_ids=frozenset({7})))
    query = "rmz-subscription-id=501"
    assert await other.confirm(query, "noura", 8) == NotFound(reason="other_product")

    answers = answers_over(rmz)
    rmz.set(subscription(status="expired", created_at=START - timedelta(days=400)))
    assert await answers.confirm(query, "noura", 8) == NotFound(reason="over")
    rmz.set(subscription(status="expired"))
    assert await answers.confirm(query, "noura", 8) == NotFound(reason="over")
    rmz.set()
    outcome = await answers.confirm(query, "noura", 8)
    assert outcome == NotFound(reason="no_subscription")
    assert not outcome
    assert rmz.slept == []


async def test_a_signed_link_is_waited_for(rmz: ScriptedRMZ) -> None:
    """A replica that lags shows the subscription a moment later."""
    query = await link(rmz)
    rmz.set()
    answers = answers_over(rmz, state_secret=SECRET)
    rmz.meanwhile = lambda: rmz.set(subscription(created_at=START)) if len(rmz.got) == 3 else None

    assert isinstance(await answers.confirm(query, "noura", 8), Confirmed)
    assert rmz.slept == [0.5, 1.0]


@pytest.mark.parametrize(("wait", "last"), [(5, 1.5), (4, 0.5)])
async def test_the_whole_wait_is_used(rmz: ScriptedRMZ, wait: int, last: float) -> None:
    """A replica that has caught up just before its end is met by a last look."""
    query = await link(rmz)
    rmz.set()
    answers = answers_over(rmz, state_secret=SECRET)
    rmz.meanwhile = lambda: rmz.set(subscription(created_at=START)) if rmz.seconds >= 4 else None

    assert isinstance(await answers.confirm(query, "noura", wait), Confirmed)
    assert rmz.slept == [0.5, 1.0, 2.0, last]


async def test_the_wait_for_a_purchase_is_bounded(rmz: ScriptedRMZ) -> None:
    """Afterwards the page may ask again."""
    query = await link(rmz)
    rmz.set(subscription(status="expired", created_at=START))
    answers = answers_over(rmz, state_secret=SECRET)
    assert await answers.confirm(query, "noura", 8) == NotYet(retry_after=3)
    rmz.set()

    outcome = await answers.confirm(query, "noura", 8)

    assert outcome == NotYet(retry_after=3)
    assert not outcome
    assert sum(rmz.slept) <= 16


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (ServerError("down", status=503), 3),
        (RateLimitError("slow down", status=429, retry_after=20), 20),
        (RateLimitError("slow down", status=429, retry_after=0), 1),
    ],
)
async def test_an_outage_is_no_refusal(
    rmz: ScriptedRMZ, failure: rmz_async.RMZError, seconds: int
) -> None:
    """The customer is asked to wait."""
    rmz.failure = failure

    outcome = await answers_over(rmz).confirm("rmz-subscription-id=501", "noura", 8)

    assert outcome == NotYet(retry_after=seconds)
    assert rmz.slept == []


@pytest.mark.parametrize(
    ("age", "outcome"), [(3599, NotYet(retry_after=3)), (3600, NotFound(reason="over"))]
)
async def test_a_subscription_may_become_active_until_it_is_an_hour_old(
    rmz: ScriptedRMZ, age: int, outcome: NotYet | NotFound
) -> None:
    """Afterwards, its status is what has become of it."""
    rmz.set(subscription(status="expired", created_at=START - timedelta(seconds=age)))

    assert await answers_over(rmz).confirm("rmz-subscription-id=501", "noura", 0) == outcome


async def test_a_copied_link_is_refused(rmz: ScriptedRMZ) -> None:
    """Also one that was altered, that is old, or that has no signature."""
    query = await link(rmz)
    answers = answers_over(rmz, state_secret=SECRET)

    assert await answers.confirm(query, "sami", 8) == SomeoneElses()
    altered = NotFound(reason="link_altered")
    assert await answers.confirm("rmz-subscription-id=501", "noura", 8) == altered
    assert await answers.confirm(query.replace("rmz-state=", "rmz-state=x"), "noura", 8) == altered
    assert await answers.confirm(query + "&rmz-state=x", "noura", 8) == altered
    assert rmz.got == []


@pytest.mark.parametrize(
    "bought",
    [
        {"product": SubscriptionProduct(id=103)},
        {"variant": Variant(id=14)},
    ],
)
async def test_a_link_leads_to_the_plan_that_was_started_only(
    rmz: ScriptedRMZ, bought: dict[str, Any]
) -> None:
    """The customer has typed the number of another subscription of theirs."""
    query = await link(rmz)
    rmz.set(attrs.evolve(subscription(created_at=START), **bought))
    answers = answers_over(rmz, state_secret=SECRET)

    assert await answers.confirm(query, "noura", 8) == NotFound(reason="other_plan")
    assert answers.memory.fresh("noura") is None


@pytest.mark.parametrize("variant", [None, Variant(id=None), Variant(id=15)])
async def test_a_plan_that_rmz_leaves_out_is_no_reason_to_refuse(
    rmz: ScriptedRMZ, variant: Variant | None
) -> None:
    """The customer has paid."""
    query = await link(rmz)
    rmz.set(attrs.evolve(subscription(created_at=START), product=None, variant=variant))

    assert await answers_over(rmz, state_secret=SECRET).confirm(query, "noura", 8)


async def test_a_state_of_another_version_is_refused(rmz: ScriptedRMZ) -> None:
    """The signature is genuine."""
    signer = URLSafeTimedSerializer(SECRET, salt="rmz.paywall.state")
    for signed in ("a digest", 5, ["a digest", 102]):
        query = f"rmz-subscription-id=501&rmz-state={signer.dumps(signed)}"
        outcome = await answers_over(rmz, state_secret=SECRET).confirm(query, "noura", 8)
        assert outcome == NotFound(reason="link_altered")


async def test_an_old_secret_is_accepted_while_it_is_listed(rmz: ScriptedRMZ) -> None:
    """So that a secret can be changed without refusing anybody."""
    query = await link(rmz)
    new = "another-secret-0123456789"

    assert await answers_over(rmz, state_secret=[new, SECRET]).confirm(query, "noura", 8)
    newer = await link(rmz, secret=[new, SECRET])
    assert await answers_over(rmz, state_secret=[new]).confirm(newer, "noura", 8)
    assert not await answers_over(rmz, state_secret=[new]).confirm(query, "noura", 8)


@pytest.mark.parametrize("secret", ["", "short", [], ["long-enough-0123456789", 5]])
def test_a_weak_secret_is_refused_and_not_shown(rmz: ScriptedRMZ, secret: Any) -> None:
    """The message names the rule."""
    with pytest.raises(ConfigurationError, match=r"^state_secret: .* 16 or more") as caught:
        answers_over(rmz, state_secret=secret)
    assert str(caught.value).endswith("more characters")
    assert "0123456789" not in str(caught.value)


async def test_the_shortest_secret_signs_and_the_address_does_not_show_the_user(
    rmz: ScriptedRMZ,
) -> None:
    """A digest of whole bytes stands for the user."""
    query = await link(rmz, secret="0123456789abcdef")
    payload = query.partition("rmz-state=")[2].partition(".")[0]

    digest, *plan = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert b"noura" not in bytes.fromhex(digest)
    assert plan == [102, 15]


def test_signing_needs_an_extra(rmz: ScriptedRMZ, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the command."""
    monkeypatch.setitem(__import__("sys").modules, "itsdangerous", None)
    with pytest.raises(MissingExtraError, match=r'^state_secret needs .* "rmz\[paywall\]"$'):
        answers_over(rmz, state_secret=SECRET)


async def test_a_user_must_have_a_name(rmz: ScriptedRMZ) -> None:
    """An empty one would match a subscription without one."""
    with pytest.raises(InvalidRequestError):
        await answers_over(rmz).confirm("rmz-subscription-id=501", "", 8)
    with pytest.raises(InvalidRequestError):
        await link(rmz, "")


async def test_a_paid_checkout_is_confirmed_in_one_request() -> None:
    """Against a whole RMZ: the plan by its name, the page, the redirect, and the next check."""
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        plans = await rmz.plans()
        paywall = Paywall(rmz, product_ids=[102], state_secret=SECRET)
        assert not await paywall.check("usr_new")
        session = await paywall.start(
            "usr_new",
            plan=plans["pro-plan", "annually"],
            customer=4501,
            success_url="https://app.example/ok",
            cancel_url="https://app.example/no",
        )
        number = await sandbox.pay(session.checkout_url)
        [signed] = [
            one.success_url
            for one in sandbox.state.checkout_sessions.values()
            if one.external_customer_id == "usr_new"
        ]
        before = len(sandbox.requests)

        outcome = await paywall.confirm(f"{signed}&rmz-subscription-id={number}", user="usr_new")

        assert isinstance(outcome, Confirmed)
        assert await paywall.check("usr_new")
        assert len(sandbox.requests) == before + 1
