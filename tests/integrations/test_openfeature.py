"""RMZ in OpenFeature, with the SDK itself, on asyncio and on trio, and without await."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import (  # pyright: ignore[reportMissingTypeStubs] - this part of the SDK is typed, and does not say so
    EvaluationContext,
)
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason

import rmz_async
import rmz_sync.paywall
from rmz_async import ConfigurationError, Plan
from rmz_async.integrations.openfeature import paywall_provider
from rmz_async.paywall import PaywallDouble
from rmz_async.sandbox import Sandbox
from tests.paywall.scripted import START

pytestmark = pytest.mark.anyio

FLAGS = {"any": [], "pro": ["pro-plan"]}
NOURA = EvaluationContext("noura")

Evaluate: TypeAlias = Callable[..., Awaitable[FlagEvaluationDetails[bool]]]


@pytest.fixture
def double() -> PaywallDouble:
    """A paywall whose answers are set by hand."""
    return PaywallDouble(now=START)


@pytest.fixture(autouse=True)
def domain() -> Iterator[None]:
    """Leave no provider to other tests."""
    yield
    api.clear_providers()


def client_of(paywall: Any, flags: Any = FLAGS) -> OpenFeatureClient:
    """Return a client whose flags a paywall evaluates."""
    api.set_provider_and_wait(paywall_provider(paywall, flags=flags))
    return api.get_client()


@pytest.fixture
def evaluate(double: PaywallDouble) -> Evaluate:
    """Evaluate a flag of a user; the user's default is True, unlike a refusal."""
    client = client_of(double)

    async def evaluate(
        key: str = "any", context: EvaluationContext | None = NOURA, default: bool = True
    ) -> FlagEvaluationDetails[bool]:
        return await client.get_boolean_details_async(key, default, context)

    return evaluate


async def test_a_flag_is_on_for_a_subscriber(double: PaywallDouble, evaluate: Evaluate) -> None:
    """The metadata says why, and until when."""
    double.grant("noura")

    details = await evaluate(default=False)

    assert (details.value, details.variant) == (True, "granted")
    assert details.reason == Reason.TARGETING_MATCH
    assert details.flag_metadata == {
        "reason": "active",
        "source": "api",
        "checked_at": START.isoformat(),
        "until": (START + timedelta(days=30)).isoformat(),
    }


async def test_a_flag_is_off_for_a_stranger(evaluate: Evaluate) -> None:
    details = await evaluate()

    assert (details.value, details.variant) == (False, "refused")
    assert details.flag_metadata["reason"] == "no_subscription"
    assert "until" not in details.flag_metadata


async def test_an_answer_from_memory_is_cached(double: PaywallDouble, evaluate: Evaluate) -> None:
    double.grant("noura")
    await evaluate()

    assert (await evaluate()).reason == Reason.CACHED


async def test_an_old_answer_is_stale(double: PaywallDouble, evaluate: Evaluate) -> None:
    """RMZ cannot be asked, and the user was known to pay."""
    double.grant("noura")
    await evaluate()
    double.outage()
    double.as_of(START + timedelta(hours=1))

    details = await evaluate()

    assert (details.value, details.reason) == (True, Reason.STALE)


@pytest.mark.parametrize("default", [True, False])
async def test_the_default_is_used_if_the_paywall_cannot_say(
    double: PaywallDouble, evaluate: Evaluate, default: bool
) -> None:
    double.outage()

    details = await evaluate(default=default)

    assert (details.value, details.reason) == (default, Reason.ERROR)
    assert details.error_code == ErrorCode.GENERAL
    assert details.error_message == "the paywall cannot say: unavailable"


async def test_an_outage_that_lets_everybody_in_is_a_fallback() -> None:
    """Nothing is known of the user."""
    double = PaywallDouble(on_outage="allow")
    double.outage()

    details = await client_of(double).get_boolean_details_async("pro", False, NOURA)

    assert (details.value, details.reason) == (True, Reason.DEFAULT)
    assert details.flag_metadata["reason"] == "outage_allowed"


async def test_a_flag_of_a_product_is_on_for_its_subscribers_only(
    double: PaywallDouble, evaluate: Evaluate
) -> None:
    double.grant("noura", slug="pro-plan")
    double.grant("sami", slug="starter")

    assert (await evaluate("pro")).value is True
    refused = await evaluate("pro", EvaluationContext("sami"))
    assert (refused.value, refused.flag_metadata["reason"]) == (False, "other_product")


async def test_a_product_that_cannot_be_read_is_no_refusal(
    double: PaywallDouble, evaluate: Evaluate
) -> None:
    double.grant("noura", slug=None)

    details = await evaluate("pro")

    assert (details.value, details.error_code) == (True, ErrorCode.GENERAL)


async def test_a_flag_of_a_plan_is_on_for_its_subscribers_only() -> None:
    """RMZ names the plan of each subscription, and the double does not."""
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        plans = await rmz.plans()
        number = await sandbox.subscribe(external_customer_id="noura")
        subscription = await rmz.subscriptions.get(number)
        assert subscription.variant is not None
        theirs = plans.variant(subscription.variant.id or 0)
        other = next(plan for plan in plans if plan.variant_id != theirs.variant_id)
        flags = {"theirs": [theirs], "other": [other], "either": [other, theirs.slug]}
        client = client_of(rmz_async.Paywall(rmz), flags)

        seen = {key: await client.get_boolean_value_async(key, False, NOURA) for key in flags}

    assert seen == {"theirs": True, "other": False, "either": True}


async def test_a_plan_that_cannot_be_read_is_no_refusal(double: PaywallDouble) -> None:
    plan = Plan(
        product_id=1,
        variant_id=2,
        slug="pro-plan",
        name=None,
        duration="monthly",
        price=None,
        trial_days=0,
    )
    double.grant("noura", slug="starter")
    client = client_of(double, {"plan": [plan]})

    details = await client.get_boolean_details_async("plan", True, NOURA)

    assert (details.value, details.error_code) == (True, ErrorCode.GENERAL)


async def test_a_flag_that_is_not_listed_is_not_found(evaluate: Evaluate) -> None:
    details = await evaluate("prro")

    assert (details.value, details.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)


@pytest.mark.parametrize("context", [None, EvaluationContext(), EvaluationContext("")])
async def test_the_user_must_be_the_targeting_key(
    evaluate: Evaluate, context: EvaluationContext | None
) -> None:
    details = await evaluate("any", context)

    assert (details.value, details.error_code) == (True, ErrorCode.TARGETING_KEY_MISSING)


async def test_a_user_of_no_valid_form_is_an_invalid_context(evaluate: Evaluate) -> None:
    """RMZ takes 191 characters."""
    details = await evaluate("any", EvaluationContext("x" * 192))

    assert (details.value, details.error_code) == (True, ErrorCode.INVALID_CONTEXT)


@pytest.mark.parametrize(
    ("kind", "default"), [("string", "off"), ("integer", 7), ("float", 0.5), ("object", {})]
)
async def test_all_flags_are_boolean(double: PaywallDouble, kind: str, default: Any) -> None:
    client = client_of(double)

    for details in (
        getattr(client, f"get_{kind}_details")("any", default, NOURA),
        await getattr(client, f"get_{kind}_details_async")("any", default, NOURA),
    ):
        assert (details.value, details.error_code) == (default, ErrorCode.TYPE_MISMATCH)


def test_a_paywall_that_is_awaited_says_how_to_evaluate(double: PaywallDouble) -> None:
    details = client_of(double).get_boolean_details("any", True, NOURA)

    assert (details.value, details.error_code) == (True, ErrorCode.GENERAL)
    assert "get_boolean_value_async" in str(details.error_message)


@pytest.fixture
def blocking() -> Iterator[rmz_sync.paywall.PaywallDouble]:
    """A paywall for code that cannot await."""
    with rmz_sync.paywall.PaywallDouble(now=START) as double:
        double.grant("noura")
        yield double


def test_a_blocking_paywall_is_evaluated_without_await(
    blocking: rmz_sync.paywall.PaywallDouble,
) -> None:
    client = client_of(blocking)

    assert client.get_boolean_value("any", False, NOURA) is True
    assert client.get_boolean_value("any", True, EvaluationContext("sami")) is False
    invalid = client.get_boolean_details("any", True, EvaluationContext("x" * 192))
    assert (invalid.value, invalid.error_code) == (True, ErrorCode.INVALID_CONTEXT)
    missing = client.get_boolean_details("any", True)
    assert missing.error_code == ErrorCode.TARGETING_KEY_MISSING


async def test_a_blocking_paywall_is_evaluated_by_await_too(
    blocking: rmz_sync.paywall.PaywallDouble,
) -> None:
    """The event loop is not blocked meanwhile."""
    assert await client_of(blocking).get_boolean_value_async("any", False, NOURA) is True


@pytest.mark.parametrize("wanted", ["pro-plan", [""], [102]])
def test_a_flag_that_nothing_sensible_turns_on_is_refused(
    double: PaywallDouble, wanted: Any
) -> None:
    """A string alone is a list of letters."""
    with pytest.raises(ConfigurationError, match="flags: pro must be"):
        paywall_provider(double, flags={"pro": wanted})
