"""Worlds: many sandboxes behind one address, with no leak between them."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import anyio
import httpx
import pytest

from rmz_async.sandbox import Sandbox, Store, WorldError
from rmz_async.sandbox.worlds import token_of_world
from tests.sandbox.conftest import Receiver

PAGES = (
    "/",
    "/subscriptions",
    "/subscriptions/501",
    "/customers",
    "/orders",
    "/requests",
    "/deliveries",
    "/webhooks",
    "/faults",
    "/calls",
    "/snapshots",
    "/messages",
    "/reference",
)


def caller(sandbox: Sandbox) -> httpx.AsyncClient:
    """Call the API of a sandbox, or of a world, with its token."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(sandbox.app),
        base_url=sandbox.base_url,
        headers={"Authorization": f"Bearer {sandbox.token}"},
    )


@pytest.mark.anyio
async def test_a_world_is_made_on_first_use(browser: httpx.AsyncClient, sandbox: Sandbox) -> None:
    """By a look at it, or by a call below it; in process it is the same one."""
    shown = (await browser.get("/worlds/gw0")).json()
    await browser.get("/worlds/gw1/")
    assert list(sandbox.worlds) == ["gw0", "gw1"]
    world = sandbox.world("gw0")
    assert shown == {
        "name": "gw0",
        "base_url": "http://127.0.0.1/worlds/gw0/shawarma",
        "token": world.token,
        "dashboard": "http://127.0.0.1/worlds/gw0/",
        "seed": "tests/gw0",
        "now": sandbox.clock.now().isoformat(),
    }
    assert world.base_url == shown["base_url"]
    assert (await browser.get("/worlds.json")).json()[0] == shown


def test_a_world_begins_with_the_rows_that_the_sandbox_was_given() -> None:
    """Only with those: a store belongs to the sandbox that it was given to."""
    state = {"products": {102: {"trial_days": 14}}}
    sandbox = Sandbox(state=state)
    sandbox.state.products[103].trial_days = 7
    world = sandbox.world("gw0")
    assert world.state.products[102].trial_days == 14
    assert world.state.products[103].trial_days == 0
    assert 102 in Sandbox(state=Store()).world("gw0").state.products


@pytest.mark.anyio
async def test_the_token_of_a_world_follows_from_the_servers(sandbox: Sandbox) -> None:
    """So that a worker who has the one needs no call for the other; each world has its own."""
    tokens = {name: sandbox.world(name).token for name in ("gw0", "gw1")}
    assert tokens["gw0"] != tokens["gw1"]
    assert Sandbox(token=sandbox.token).world("gw0").token == tokens["gw0"]
    assert tokens["gw0"] == token_of_world(sandbox.token, "gw0")
    async with caller(sandbox.world("gw0")) as api:
        assert (await api.get("/store")).status_code == 200
        for other in (sandbox.token, tokens["gw1"]):
            answer = await api.get("/store", headers={"Authorization": f"Bearer {other}"})
            assert answer.status_code == 401


@pytest.mark.anyio
async def test_each_world_has_clock_faults_webhooks_and_snapshots_of_its_own(
    sandbox: Sandbox, receiver: Receiver
) -> None:
    """The actions of one are not seen by the other, nor by the server itself."""
    one, other = sandbox.world("one"), sandbox.world("other")
    one.add_webhook("http://127.0.0.1/hooks", app=receiver)
    one.faults.add("server_error")
    one.snapshots.save("a")
    await one.advance(days=400)
    assert receiver.bodies
    for untouched in (other, sandbox):
        async with caller(untouched) as api:
            assert (await api.get("/subscriptions/501")).status_code == 200
        assert untouched.clock.now() < one.clock.now()
        assert not untouched.webhooks
        assert not untouched.ledger
        assert not untouched.snapshots.list()


@pytest.mark.anyio
async def test_two_hundred_worlds_at_once_do_not_mix(anyio_backend: str) -> None:
    """Each does its own mixed calls, and has these effects and no others in its ledger."""
    count = 200
    async with Sandbox(token="1|local", seed=7, throttle=False) as sandbox:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(sandbox.app), base_url="http://127.0.0.1"
        ) as http:

            async def work(number: int) -> None:
                root = f"/worlds/w{number}"
                token = token_of_world("1|local", f"w{number}")
                headers = {"Authorization": f"Bearer {token}"}
                for step in range(number % 3 + 1):
                    path = f"{root}/shawarma/subscriptions/{501 + step}/extend"
                    await http.post(path, headers=headers, json={"days": 1 + number % 7})
                    # Let the others go on in between.
                    await anyio.lowlevel.checkpoint()
                paused = 508 + number % 20
                await http.post(f"{root}/shawarma/subscriptions/{paused}/pause", headers=headers)
                days = {"days": number % 3}
                await http.post(f"{root}/sandbox/clock", headers=headers, json=days)
                made = await http.post(
                    f"{root}/shawarma/portal-sessions",
                    headers=headers,
                    json={"customer": {"id": 4501}},
                )
                assert made.json()["data"]["url"].startswith(f"http://127.0.0.1{root}/s/")

            async with anyio.create_task_group() as tasks:
                for number in range(count):
                    tasks.start_soon(work, number)
        assert len(sandbox.worlds) == count
        assert not sandbox.ledger
        for number in range(count):
            world = sandbox.worlds[f"w{number}"]
            done = Counter(
                (effect.operation, effect.object_id)
                for effect in world.ledger
                if not effect.operation.startswith("lifecycle.")
            )
            expected = Counter(
                {("subscriptions.extend", 501 + step): 1 for step in range(number % 3 + 1)}
            )
            expected["subscriptions.pause", 508 + number % 20] = 1
            expected["portal_sessions.create", 4501] = 1
            assert done == expected
            assert {effect.detail for effect in world.ledger.of("subscriptions.extend")} == {
                world.ledger.extensions(501)[0].detail
            }
            assert (world.clock.now() - sandbox.clock.now()).days in (number % 3, number % 3 - 1)


@pytest.mark.anyio
async def test_every_link_of_a_worlds_pages_stays_in_the_world(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """Links, forms, scripts and styles, in all pages that the dashboard has."""
    for page in PAGES:
        answer = await browser.get(f"/worlds/gw0{page}")
        assert answer.status_code == 200, page
        links = re.findall(r'\s(?:href|src|action|sse-connect)="(/[^"]*)"', answer.text)
        assert links
        for link in links:
            assert link.startswith("/worlds/"), (page, link)
    for asset in ("/assets/page.css", "/dashboard-assets/dashboard.css", "/openapi.json"):
        assert (await browser.get(f"/worlds/gw0{asset}")).status_code == 200


@pytest.mark.anyio
async def test_a_customer_pays_and_visits_the_portal_of_a_world(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """Redirects and cookies stay below the world's path."""
    world = sandbox.world("gw0")
    number = await world.subscribe(card="4000000000003220")
    assert number in world.state.subscriptions
    assert number not in sandbox.state.subscriptions
    async with caller(world) as api:
        made = await api.post("/portal-sessions", json={"customer": {"id": 4501}})
    entered = await browser.post(made.json()["data"]["url"])
    assert entered.headers["location"] == "/worlds/gw0/portal/code"
    (cookie,) = [one for one in browser.cookies.jar if one.name == "rmz-portal"]
    assert cookie.path == "/worlds/gw0/portal"
    code = world.state.messages[-1].text.split()[1]
    await browser.post("/worlds/gw0/portal/code", data={"code": code})
    assert (
        f"/worlds/gw0/portal/subscriptions/{number}"
        in (await browser.get("/worlds/gw0/portal")).text
    )


@pytest.mark.anyio
async def test_a_call_that_the_dashboard_makes_stays_in_the_world(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """Its answer's links too."""
    world = sandbox.world("gw0")
    body = '{"customer": {"id": 4501}}'
    form = {"method": "POST", "path": "/portal-sessions", "body": body}
    answer = await browser.post("/worlds/gw0/calls", data=form)
    assert answer.headers["location"].startswith("/worlds/gw0/requests")
    assert b"http://127.0.0.1/worlds/gw0/s/" in world.requests[-1].answer.replace(b"\\/", b"/")


@pytest.mark.anyio
async def test_a_world_is_deleted_with_the_servers_token(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """Its next use makes a new one."""
    await sandbox.world("gw0").subscribe()
    server = {"Authorization": f"Bearer {sandbox.token}"}
    assert (await browser.delete("/worlds/gw0")).status_code == 401
    assert (await browser.delete("/worlds/gw1", headers=server)).status_code == 404
    assert (await browser.delete("/worlds/gw0", headers=server)).status_code == 204
    assert len(sandbox.worlds) == 0
    assert not sandbox.world("gw0").ledger


@pytest.mark.anyio
async def test_the_page_of_worlds_opens_and_deletes_them(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """With the way back from a world, and without worlds in a world."""
    opened = await browser.post("/worlds", data={"name": "gw0"})
    assert opened.headers["location"] == "/worlds/gw0/"
    page = (await browser.get("/worlds")).text
    assert 'href="/worlds/gw0/"' in page
    assert sandbox.world("gw0").token in page
    inside = (await browser.get("/worlds/gw0/")).text
    assert 'href="http://127.0.0.1/worlds">World <bdi>gw0</bdi>' in inside
    assert 'href="/worlds/gw0/worlds"' not in inside
    refused = await browser.post("/worlds", data={"name": "-"})
    assert "begins" in (await browser.get(refused.headers["location"])).text
    for _ in range(2):
        await browser.post("/worlds", data={"name": "gw0", "do": "delete"})
    assert "No world was used yet" in (await browser.get("/worlds")).text


@pytest.mark.anyio
async def test_there_are_as_many_worlds_as_there_may_be(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """The refusal says what to do; those that there are go on."""
    sandbox.worlds.most = 1
    sandbox.world("gw0")
    with pytest.raises(WorldError, match="there are 1 worlds, and no more can be made: delete one"):
        sandbox.world("gw1")
    for path in ("/worlds/gw1", "/worlds/gw1/"):
        answer = await browser.get(path)
        assert answer.status_code == 422
        assert "delete one" in answer.json()["message"]
    assert (await browser.get("/worlds/gw0/")).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["", "-a", ".", "a b", "a" * 65, "ا"])
async def test_a_name_that_an_address_could_not_have_is_refused(
    sandbox: Sandbox, browser: httpx.AsyncClient, name: str
) -> None:
    """The rule stands in the message, and no world is made."""
    with pytest.raises(WorldError, match="1 to 64 letters, digits"):
        sandbox.world(name)
    assert (await browser.get(f"/worlds/{name}/")).status_code in (307, 404, 422)
    assert len(sandbox.worlds) == 0


@pytest.mark.anyio
async def test_a_page_of_a_stranger_makes_no_world(sandbox: Sandbox) -> None:
    """A name that was rebound to this machine shows in ``Host``."""
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://evil.example") as page:
        assert (await page.get("/worlds/gw0/")).status_code == 400
    assert len(sandbox.worlds) == 0


def test_worlds_are_served_on_the_same_port_and_their_clocks_stand_still() -> None:
    """Those that were made before the server began, and those that come later."""
    sandbox = Sandbox()
    before = sandbox.world("before")
    with sandbox.serve(clock_runs=False) as served:
        later = sandbox.world("later")
        for world in (before, later):
            assert world.base_url.startswith(served.base_url.removesuffix("/shawarma"))
            headers = {"Authorization": f"Bearer {world.token}"}
            answer = httpx.get(f"{world.base_url}/store", headers=headers)
            assert answer.status_code == 200
            began = world.clock.now()
            anyio.run(world.clock.advance, timedelta(days=1))
            assert (world.clock.now() - began).days == 1
            world.snapshots.save("a")
    assert later.base_url == "http://127.0.0.1/worlds/later/shawarma"
    with pytest.raises(RuntimeError, match="serve that one"):
        later.serve()


def test_the_clocks_of_worlds_run_while_they_are_served() -> None:
    """As the server's own does."""
    sandbox = Sandbox()
    before = sandbox.world("before")
    with sandbox.serve():
        later = sandbox.world("later")
        assert [one.clock.is_running for one in (before, later)] == [True, True]
    assert [one.clock.is_running for one in (before, later)] == [False, False]


@pytest.mark.anyio
async def test_links_begin_with_the_public_address(anyio_backend: str) -> None:
    """Below the world's path there, too."""
    sandbox = Sandbox()
    sandbox.serve(public_url="http://localhost:9")
    async with caller(sandbox.world("gw0")) as api:
        made = await api.post("/portal-sessions", json={"customer": {"id": 4501}})
    assert made.json()["data"]["url"].startswith("http://localhost:9/worlds/gw0/s/")
