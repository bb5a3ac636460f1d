"""OpenFeature: with its own provider in memory, and with this project's over the paywall."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any

from rmz_async.integrations.openfeature import paywall_provider
from tests.bench.rivals.contender import FLAG, PAYER, PLANS, STRANGER, Contender, library
from tests.bench.rivals.ours import blocking_paywall

NAME = f"OpenFeature {version('openfeature-sdk')}"


def in_memory() -> Contender:
    """Return a client whose flag is evaluated by a function of ours, as its provider wants it."""
    provider_library = library("openfeature.provider.in_memory_provider")
    details = library("openfeature.flag_evaluation").FlagResolutionDetails

    def evaluate(flag: Any, context: Any) -> Any:
        variant = "on" if context.attributes["plan"] == PLANS[PAYER] else "off"
        return details(value=flag.variants[variant], variant=variant)

    flag = provider_library.InMemoryFlag(
        "off", {"on": True, "off": False}, context_evaluator=evaluate
    )
    return _contender(
        provider_library.InMemoryProvider({FLAG: flag}),
        "memory",
        "`get_boolean_value`, its own provider in memory",
    )


def over_the_paywall() -> Contender:
    """Return a client whose flag is the paywall's answer."""
    client, paywall = blocking_paywall()
    return _contender(
        paywall_provider(paywall, {FLAG: []}),
        "paywall",
        "`get_boolean_value`, `paywall_provider` over `rmz_sync.Paywall`",
        client.close,
    )


def _contender(provider: Any, domain: str, call: str, close: Any = bool) -> Contender:
    api = library("openfeature.api")
    context = library("openfeature.evaluation_context").EvaluationContext
    api.set_provider_and_wait(provider, domain)
    client = api.get_client(domain)

    def asked(user: str) -> partial[bool]:
        described = context(targeting_key=user, attributes={"plan": PLANS[user]})
        return partial(client.get_boolean_value, FLAG, False, described)

    return Contender(
        name=NAME, call=call, payer=asked(PAYER), stranger=asked(STRANGER), close=close
    )
