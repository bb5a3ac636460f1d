"""Snapshots over HTTP and on the dashboard."""

from __future__ import annotations

import json

import httpx
import pytest

from rmz_async.sandbox import Sandbox, Status
from rmz_async.sandbox.snapshots.file import decoded

PATH = "http://127.0.0.1/sandbox/snapshots"


@pytest.mark.anyio
async def test_other_languages_save_restore_and_compare(
    sandbox: Sandbox, api: httpx.AsyncClient
) -> None:
    """By name, with the API's token."""
    saved = (await api.put(f"{PATH}/after-trial")).json()
    assert saved == {"name": "after-trial", "now": sandbox.clock.now().isoformat()}
    await api.post("/subscriptions/501/pause")
    await api.put(f"{PATH}/b")
    sandbox.state.subscriptions[502].auto_renew = False
    changes = (await api.get(f"{PATH}/after-trial/diff", params={"with": "b"})).json()
    assert {
        "object": "subscriptions",
        "id": 501,
        "field": "status",
        "before": "active",
        "after": "paused",
    } in changes
    assert [one for one in changes if one["id"] == 502] == []
    (change,) = (await api.get(f"{PATH}/b/diff")).json()
    assert (change["id"], change["before"], change["after"]) == (502, True, False)
    assert (await api.post(f"{PATH}/after-trial/restore")).json() == saved
    assert sandbox.state.subscriptions[501].status is Status.ACTIVE
    assert [one["name"] for one in (await api.get(PATH)).json()] == ["after-trial", "b"]
    content = await api.get(f"{PATH}/b")
    assert decoded(content.content).tables["subscriptions"].rows[501].status is Status.PAUSED
    assert (await api.delete(f"{PATH}/b")).status_code == 204
    assert (await api.get(f"{PATH}/b")).status_code == 422


@pytest.mark.anyio
async def test_a_file_is_sent_to_another_sandbox(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    """By the name in the address, and larger than other bodies may be; also to a world."""
    await api.post("/subscriptions/501/pause")
    sandbox.state.subscriptions[502].metadata = {"note": "x" * 2_000_000}
    await api.put(f"{PATH}/paused")
    content = (await api.get(f"{PATH}/paused")).content
    world = sandbox.world("gw0")
    headers = {"Authorization": f"Bearer {world.token}"}
    below = "http://127.0.0.1/worlds/gw0/sandbox/snapshots/received"
    answer = await api.put(below, content=content, headers=headers)
    assert answer.json()["name"] == "received"
    world.snapshots.restore("received")
    assert world.state.subscriptions[501].status is Status.PAUSED
    refused = await api.put(f"{PATH}/other", content=b'{"format": "x"}')
    assert refused.status_code == 422
    assert '"format" is not' in refused.json()["message"]


@pytest.mark.anyio
async def test_a_colleagues_file_is_opened_on_the_page(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """By the name in it; a file of another kind is refused with the reason."""
    sandbox.snapshots.save("after trial")
    content = (await browser.get("/snapshots/after trial")).content
    sandbox.snapshots.delete("after trial")
    await browser.post("/snapshots/file", files={"file": ("mine.json", content)})
    assert [one.name for one in sandbox.snapshots.list()] == ["after trial"]
    answers = [
        await browser.post("/snapshots/file", files={"file": ("x", b"x")}),
        await browser.post("/snapshots/file", data={"file": "no file"}),
    ]
    for answer in answers:
        page = await browser.get(answer.headers["location"])
        assert "this is no snapshot of a sandbox" in page.text


@pytest.mark.anyio
async def test_the_page_compares_values_as_people_read_them(
    sandbox: Sandbox, api: httpx.AsyncClient, browser: httpx.AsyncClient
) -> None:
    sandbox.snapshots.save("before")
    await api.post("/subscriptions/501/pause")
    page = (await browser.get("/snapshots", params={"first": "before"})).text

    assert "<bdi>—</bdi></td><td><bdi>2025-06-01 12:00:00</bdi>" in page
    assert "None" not in page


@pytest.mark.anyio
async def test_a_stranger_gets_no_snapshot(sandbox: Sandbox, browser: httpx.AsyncClient) -> None:
    """A file has the webhooks' secrets in it."""
    sandbox.snapshots.save("a")
    for method, path in (("GET", ""), ("GET", "/a"), ("PUT", "/b"), ("POST", "/a/restore")):
        assert (await browser.request(method, f"{PATH}{path}")).status_code == 401
    assert len(sandbox.snapshots.list()) == 1


@pytest.mark.anyio
async def test_a_refusal_is_the_one_of_python(sandbox: Sandbox, api: httpx.AsyncClient) -> None:
    """A name that there is not, or cannot be."""
    answer = await api.post(f"{PATH}/x/restore")
    assert answer.status_code == 422
    assert answer.json()["message"] == "there is no snapshot 'x'; there are: none"
    assert (await api.put(f"{PATH}/-x")).status_code == 422


@pytest.mark.anyio
async def test_the_page_saves_restores_compares_and_deletes(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """Each by a click; a difference is a row of a table."""
    assert "No snapshot was saved yet" in (await browser.get("/snapshots")).text
    await browser.post("/snapshots", data={"name": "after trial", "do": "save"})
    sandbox.state.subscriptions[501].status = Status.PAUSED
    del sandbox.state.subscriptions[502]
    page = (await browser.get("/snapshots", params={"first": "after trial"})).text
    assert "subscriptions 501" in page
    assert "paused" in page
    assert "Removed" in page
    await browser.post("/snapshots", data={"name": "b"})
    page = (await browser.get("/snapshots?first=after+trial&second=b")).text
    assert page.count("selected") == 2
    assert "Nothing differs" in (await browser.get("/snapshots?first=b")).text
    await browser.post("/snapshots", data={"name": "after trial", "do": "restore"})
    assert sandbox.state.subscriptions[501].status is Status.ACTIVE
    file = await browser.get("/snapshots/after%20trial")
    assert json.loads(file.content)["name"] == "after trial"
    assert file.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''after%20trial.json"
    )
    await browser.post("/snapshots", data={"name": "after trial", "do": "delete"})
    assert [one.name for one in sandbox.snapshots.list()] == ["b"]


@pytest.mark.anyio
async def test_the_page_shows_why_something_cannot_be_done(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """In the sandbox's own words."""
    refused = await browser.post("/snapshots", data={"name": "-", "do": "save"})
    assert "1 to 64 letters" in (await browser.get(refused.headers["location"])).text
    unknown = await browser.get("/snapshots?first=x")
    assert "there is no snapshot" in (await browser.get(unknown.headers["location"])).text
    assert (await browser.get("/snapshots/x")).status_code == 404
    assert (await browser.post("/snapshots", data={"do": "burn"})).status_code == 404


@pytest.mark.anyio
async def test_an_open_page_hears_of_a_snapshot(
    sandbox: Sandbox, browser: httpx.AsyncClient
) -> None:
    """Each save, restore and deletion changes what the page would show."""
    seen: list[str] = []

    async def look() -> None:
        text = (await browser.get("/snapshots")).text
        seen.append(text.partition("/live?seen=")[2].partition('"')[0])

    await look()
    sandbox.snapshots.save("a")
    await look()
    sandbox.snapshots.restore("a")
    await look()
    sandbox.snapshots.delete("a")
    await look()
    assert len(set(seen)) == 4
