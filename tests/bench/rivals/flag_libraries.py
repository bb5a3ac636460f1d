"""LaunchDarkly, Unleash and GrowthBook: a flag that a rule turns on for users of a plan.

The context of each user is made beforehand, and nothing is sent about an answer, so that the rule
alone is measured.
"""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from importlib.metadata import version
from typing import Any

from tests.bench.rivals.contender import FLAG, PAYER, PLANS, STRANGER, Contender, library

# The discard port of this machine: a connection there would be refused immediately.
NOWHERE = "http://127.0.0.1:9/api"


def launchdarkly() -> Contender:
    """Return the client with flags from its source for tests, and events switched off."""
    client_library = library("ldclient")
    source = library("ldclient.integrations.test_data").TestData.data_source()
    flag = source.flag(FLAG).boolean_flag().on(True).fallthrough_variation(False)
    source.update(flag.if_match("plan", PLANS[PAYER]).then_return(True))
    config = client_library.Config(
        "sdk-key", update_processor_class=source, send_events=False, diagnostic_opt_out=True
    )
    client = client_library.LDClient(config, start_wait=5)

    def asked(user: str) -> partial[bool]:
        context = client_library.Context.builder(user).set("plan", PLANS[user]).build()
        return partial(client.variation, FLAG, context, False)

    return Contender(
        name=f"LaunchDarkly {version('launchdarkly-server-sdk')}",
        call="`variation`, one rule",
        payer=asked(PAYER),
        stranger=asked(STRANGER),
        close=client.close,
    )


def unleash() -> Contender:
    """Return the client with flags from a dictionary, and metrics switched off."""
    folder = tempfile.TemporaryDirectory()
    cache = library("UnleashClient.cache").FileCache("rmz-bench", directory=folder.name)
    is_pro = {"contextName": "plan", "operator": "IN", "values": [PLANS[PAYER]]}
    strategy = {"name": "default", "parameters": {}, "constraints": [is_pro]}
    feature = {"name": FLAG, "type": "permission", "enabled": True, "strategies": [strategy]}
    cache.bootstrap_from_dict({"version": 2, "features": [feature]})
    client = library("UnleashClient").UnleashClient(
        NOWHERE, "rmz-bench", cache=cache, disable_metrics=True, disable_registration=True
    )
    client.initialize_client(fetch_toggles=False)

    def asked(user: str) -> partial[bool]:
        context = {"userId": user, "properties": {"plan": PLANS[user]}}
        return partial(client.is_enabled, FLAG, context)

    def close() -> None:
        client.destroy()
        folder.cleanup()

    return Contender(
        name=f"Unleash {version('UnleashClient')}",
        call="`is_enabled`, one constraint",
        payer=asked(PAYER),
        stranger=asked(STRANGER),
        close=close,
    )


FEATURES = {
    FLAG: {"defaultValue": False, "rules": [{"condition": {"plan": PLANS[PAYER]}, "force": True}]}
}


def growthbook() -> Contender:
    """Return one evaluator for each user, as its page has it for each request."""
    evaluator = library("growthbook").GrowthBook
    evaluators = {
        user: evaluator(attributes={"id": user, "plan": plan}, features=FEATURES)
        for user, plan in PLANS.items()
    }

    def close() -> None:
        for each in evaluators.values():
            each.destroy()

    return Contender(
        name=f"GrowthBook {version('growthbook')}",
        call="`GrowthBook.is_on`, one rule",
        payer=partial(evaluators[PAYER].is_on, FLAG),
        stranger=partial(evaluators[STRANGER].is_on, FLAG),
        close=close,
    )


def async_growthbook(loop: asyncio.AbstractEventLoop) -> Contender:
    """Return the async client, which its page recommends for servers."""
    growthbook_library = library("growthbook")

    async def opened() -> Any:
        client = growthbook_library.GrowthBookClient(growthbook_library.Options())
        await client.set_payload({"features": FEATURES})
        return client

    client = loop.run_until_complete(opened())

    def asked(user: str) -> partial[object]:
        context = growthbook_library.UserContext(attributes={"id": user, "plan": PLANS[user]})
        return partial(client.is_on, FLAG, context)

    return Contender(
        name=f"GrowthBook {version('growthbook')}",
        call="`GrowthBookClient.is_on`, awaited",
        payer=asked(PAYER),
        stranger=asked(STRANGER),
        is_async=True,
        close=lambda: loop.run_until_complete(client.close()),
    )
