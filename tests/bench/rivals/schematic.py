"""Schematic: its cache in front of an API, and the engine that evaluates rules locally."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from importlib.metadata import version
from typing import Any

import httpx

from tests.bench.rivals.contender import FLAG, PAYER, PLANS, STRANGER, Contender, library

NAME = f"Schematic {version('schematichq')}"
# Its cache forgets after 5 seconds by default, and would ask its API in the measurement.
ENTRIES, MILLISECONDS = 1000, 3_600_000


def answer(request: httpx.Request) -> httpx.Response:
    """Answer a check as Schematic's API does."""
    user = json.loads(request.content)["user"]["id"]
    decided = {"flag": FLAG, "reason": "matched a rule", "value": PLANS[user] == PLANS[PAYER]}
    return httpx.Response(200, json={"data": decided, "params": {}})


def cached() -> Contender:
    """Return the client; the first answer of each user is in its cache."""
    sdk = library("schematic.client")
    client = sdk.Schematic(
        "key",
        sdk.SchematicConfig(
            httpx_client=httpx.Client(transport=httpx.MockTransport(answer)),
            cache_providers=[sdk.LocalCache(ENTRIES, MILLISECONDS)],
        ),
    )
    return Contender(
        name=NAME,
        call="`check_flag` from its cache",
        payer=partial(client.check_flag, FLAG, None, {"id": PAYER}),
        stranger=partial(client.check_flag, FLAG, None, {"id": STRANGER}),
        close=client.shutdown,
    )


def async_client(http: httpx.AsyncClient) -> Any:
    """Return the async client over an HTTP client that answers in place of the API."""
    sdk = library("schematic.client")
    config = sdk.AsyncSchematicConfig(
        httpx_client=http, cache_providers=[sdk.LocalCache(ENTRIES, MILLISECONDS)]
    )
    return sdk.AsyncSchematic("key", config)


def async_cached(loop: asyncio.AbstractEventLoop) -> Contender:
    """Return the async client; the first answer of each user is in its cache."""

    async def opened() -> Any:
        client = async_client(httpx.AsyncClient(transport=httpx.MockTransport(answer)))
        await client.initialize()
        return client

    client = loop.run_until_complete(opened())
    return Contender(
        name=NAME,
        call="`AsyncSchematic.check_flag` from its cache, awaited",
        payer=partial(client.check_flag, FLAG, None, {"id": PAYER}),
        stranger=partial(client.check_flag, FLAG, None, {"id": STRANGER}),
        is_async=True,
        close=lambda: loop.run_until_complete(client.shutdown()),
    )


def engine(loop: asyncio.AbstractEventLoop) -> Contender:
    """Return the rules engine by itself: the client around it needs a socket to Schematic."""
    engine = library("schematic.datastream").RulesEngineClient()
    loop.run_until_complete(engine.initialize())
    types = library("schematic.types")
    owner = {"account_id": "acct_1", "environment_id": "env_1"}
    plan = {"id": "trt_1", "comparable_type": "string", "entity_type": "user"}
    condition = {
        **owner,
        "id": "cond_1",
        "condition_type": "trait",
        "operator": "eq",
        "resource_ids": [],
        "trait_definition": plan,
        "trait_value": PLANS[PAYER],
    }
    rule = {
        **owner,
        "id": "rule_1",
        "name": FLAG,
        "rule_type": "standard",
        "priority": 1,
        "conditions": [condition],
        "condition_groups": [],
        "value": True,
    }
    flag = types.RulesengineFlag(**owner, id="flag_1", key=FLAG, default_value=False, rules=[rule])

    def asked(user: str) -> partial[Any]:
        traits = [{"value": PLANS[user], "trait_definition": plan}]
        described = types.RulesengineUser(
            **owner, id=user, keys={"id": user}, traits=traits, rules=[]
        )
        return partial(engine.check_flag, flag, None, described)

    return Contender(
        name=NAME,
        call="its local rules engine, one rule",
        payer=asked(PAYER),
        stranger=asked(STRANGER),
        granted=lambda result: bool(result.value),
    )
