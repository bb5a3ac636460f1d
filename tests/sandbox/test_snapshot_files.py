"""Snapshots in files: a colleague's sandbox goes on from there, or says why it does not."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from rmz_async.sandbox import (
    CheckoutSession,
    OrderCheckout,
    OrderLine,
    Quote,
    Sandbox,
    SnapshotError,
    Store,
)
from rmz_async.sandbox.snapshots.file import decoded, encoded
from tests.sandbox.conftest import ManualClock, Receiver

HOOK = "http://127.0.0.1/hooks"
LIVE = "7|" + "a1B2c3D4" * 5


async def a_full_sandbox(clock: ManualClock, receiver: Receiver) -> Sandbox:
    """Return one with something of every kind."""
    sandbox = Sandbox(clock=clock, seed=7)
    sandbox.add_webhook(HOOK, app=receiver, tries=3)
    sandbox.switches.replica_lag = 60
    receiver.status = 500
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(
        transport=transport, base_url=sandbox.base_url, headers=headers
    ) as api:
        portal = await api.post("/portal-sessions", json={"customer": {"id": 4501}})
        await api.post(portal.json()["data"]["url"])
        await api.post("/subscriptions/501/pause")
        await api.post("/subscriptions/508/extend", json={"days": 3})
        await api.post("/orders", content=b"\xff", headers={"Content-Type": "application/json"})
        await api.get("/subscriptions/lookup", params={"email": "ahmed@example.com"})
        sandbox.faults.add("reorder", times=1)
        await api.post("/subscriptions/509/pause")
        sandbox.faults.add("server_error", "GET *", times=2, chance=0.5)
        for _ in range(4):
            await api.get("/subscriptions/501")
    await sandbox.delivered()
    session = CheckoutSession(
        id="cs_1",
        key="K",
        product_id=102,
        variant_id=15,
        customer_id=4501,
        success_url="https://app.example/ok",
        cancel_url="https://app.example/no",
        expires_at=sandbox.clock.now(),
        metadata={"خطة": "pro"},
    )
    sandbox.state.checkout_sessions[session.key] = session
    sandbox.state.products[101].metadata = {"rate": Decimal("1.50"), "list": [1, {"a": None}]}
    return sandbox


@pytest.fixture(scope="module")
def full_file() -> bytes:
    """A file with something of every kind."""

    async def make() -> bytes:
        async with await a_full_sandbox(ManualClock(), Receiver()) as sandbox:
            return encoded(sandbox.snapshots.save("full"))

    return anyio.run(make)


@pytest.mark.anyio
async def test_a_file_holds_everything_that_a_snapshot_holds(
    clock: ManualClock, receiver: Receiver, tmp_path: Path, anyio_backend: str
) -> None:
    """Written and read, nothing differs; another sandbox goes on as the first would."""
    sandbox = await a_full_sandbox(clock, receiver)
    path = tmp_path / "after trial.json"
    sandbox.snapshots.save("after-trial")
    sandbox.snapshots.save_file(path, "after-trial")
    sandbox.snapshots.load_file(path, "again")
    assert sandbox.snapshots.diff("after-trial", "again") == ()
    # The bytes show what no comparison shows.
    first, again = (sandbox.snapshots.get(name) for name in ("after-trial", "again"))
    content = json.loads(encoded(first))
    assert json.loads(encoded(again)) == {**content, "name": "again"}

    async with Sandbox(clock=clock) as other:
        other.add_webhook(HOOK, app=Receiver())
        loaded = other.snapshots.load_file(path)
        other.snapshots.restore(loaded.name)
        await other.advance(days=30)
        async with sandbox:
            receiver.status = 200
            await sandbox.advance(days=30)
            assert other.ledger == sandbox.ledger
            assert other.deliveries == sandbox.deliveries
            assert dict(other.state.subscriptions) == dict(sandbox.state.subscriptions)


@pytest.mark.anyio
async def test_a_file_is_json_that_people_can_read(
    clock: ManualClock, receiver: Receiver, tmp_path: Path, anyio_backend: str
) -> None:
    """Its form and version, names in their own letters, and only what is not usual."""
    sandbox = await a_full_sandbox(clock, receiver)
    path = tmp_path / "state.json"
    sandbox.snapshots.save_file(path)
    await sandbox.aclose()
    text = path.read_text("utf-8")
    content = json.loads(text)
    assert (content["format"], content["version"]) == ("rmz-sandbox-snapshot", 1)
    assert content["tables"]["subscriptions"]["501"]["status"] == "paused"
    assert content["tables"]["customers"]["4502"]["first_name"] == "نورة"
    assert "نورة" in text
    assert "is_banned" not in content["tables"]["customers"]["4502"]
    assert sandbox.token not in text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The file has the webhooks' secrets in it."""
    path = tmp_path / "state.json"
    Sandbox(state=Store()).snapshots.save_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing beside it."""
    path = tmp_path / "state.json"
    path.write_text("old")
    sandbox = Sandbox(state=Store())

    def full(_: object, __: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space"):
        sandbox.snapshots.save_file(path)
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("version", 2, "version 2 of its format, and this sandbox reads version 1"),
        ("version", None, "version None of its format"),
        ("format", "other", 'its "format" is not "rmz-sandbox-snapshot"'),
        ("tables/subscriptions/501/status", "actve", "501.*status: must be one of 'trialing'"),
        ("tables/subscriptions/501/statsu", "active", "statsu"),
        ("tables/subscriptions/501/price", 19.99, "price: must be an amount in quotes.*19.99"),
        ("tables/subscriptions/501/price", "NaN", "price: must be an amount in quotes"),
        ("tables/subscriptions/501/price", "a", "price: must be an amount in quotes"),
        ("tables/subscriptions/501/started_at", "soon", "started_at: must be a time with its zone"),
        (
            "tables/subscriptions/501/auto_renew",
            "no",
            "auto_renew: must be true or false, not 'no'",
        ),
        ("tables/subscriptions/501/customer_id", True, "customer_id: must be an integer"),
        ("tables/subscriptions/501/external_customer_id", 5, "must be a string, not 5"),
        ("tables/other", {}, "unknown: tables.other"),
        ("tables", [], "tables: must be an object"),
        ("tables", None, "tables: must be an object"),
        ("tables/products", [], "tables.products: must be an object"),
        ("ids", [1], "ids: must be an object"),
        ("other", {}, "unknown: other"),
        ("switches/replica_lag", "1", "switches.replica_lag: must be a number, not '1'"),
        ("switches/second_cancel_status", 400, "second_cancel_status"),
        ("webhooks/0/url", "http://example.com/", "loopback"),
        ("webhooks/0/secret", "short", "at least 16 characters"),
        ("faults/rules/1/fault", "explode", "there is no fault 'explode'"),
        ("ledger/0/object_id", None, "must be an integer or a string, not None"),
        ("courier/log/0/body", 7, "must be a string, or an object with the key base64"),
        ("courier/log/0/body", {"base64": "?"}, "must be a string, or an object with"),
        ("messages/0/text", f"token {LIVE}", "may belong to a real store"),
    ],
)
def test_a_file_with_a_wrong_value_is_refused_by_field_and_rule(
    full_file: bytes, tmp_path: Path, path: str, value: object, message: str
) -> None:
    """The snapshots are as before."""
    content = json.loads(full_file)
    walk: Any = content
    *way, last = path.split("/")
    for step in way:
        walk = walk[int(step) if isinstance(walk, list) else step]
    walk[last] = value
    file = tmp_path / "state.json"
    file.write_text(json.dumps(content), "utf-8")
    sandbox = Sandbox(state=Store())
    with pytest.raises(SnapshotError, match=message) as refusal:
        sandbox.snapshots.load_file(file)
    assert LIVE not in str(refusal.value)
    assert str(file) in str(refusal.value)
    assert sandbox.snapshots.list() == ()


def _without_ledger(content: dict[str, Any]) -> None:
    del content["ledger"]


def _many_wrong(content: dict[str, Any]) -> None:
    for number in range(501, 511):
        content["tables"]["subscriptions"][str(number)]["status"] = "x"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_without_ledger, "has no ledger"), (_many_wrong, r"\(and 7 more\)")],
)
def test_a_file_that_lacks_a_part_is_refused(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None], message: str
) -> None:
    """A long list of problems is cut short."""
    file = tmp_path / "state.json"
    sandbox = Sandbox()
    sandbox.snapshots.save_file(file)
    content = json.loads(file.read_bytes())
    spoil(content)
    file.write_text(json.dumps(content), "utf-8")
    with pytest.raises(SnapshotError, match=message):
        sandbox.snapshots.load_file(file)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "[" * 100_000, "\udc80"])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    """JSON or not."""
    file = tmp_path / "state.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SnapshotError, match="this is no snapshot of a sandbox"):
        Sandbox(state=Store()).snapshots.load_file(file)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    """As for any other file."""
    with pytest.raises(FileNotFoundError):
        Sandbox(state=Store()).snapshots.load_file(tmp_path / "missing.json")


def test_webhooks_beyond_loopback_need_a_permission_of_the_reader(tmp_path: Path) -> None:
    """The writer of the file cannot give it."""
    sandbox = Sandbox(state=Store())
    sandbox.add_webhook("http://shop:8000/", beyond_loopback=True)
    sandbox.snapshots.save_file(tmp_path / "state.json")
    with pytest.raises(SnapshotError, match="webhook 1 may lead to another machine"):
        sandbox.snapshots.load_file(tmp_path / "state.json")
    loaded = sandbox.snapshots.load_file(tmp_path / "state.json", "a", beyond_loopback=True)
    assert loaded.webhooks[0].url == "http://shop:8000/"


def test_a_wrong_name_is_refused_before_the_snapshot_is_kept(tmp_path: Path) -> None:
    """The file itself may have been edited."""
    sandbox = Sandbox(state=Store())
    sandbox.snapshots.save_file(tmp_path / "state.json")
    with pytest.raises(SnapshotError, match="1 to 64 letters"):
        sandbox.snapshots.load_file(tmp_path / "state.json", "a/b")
    assert sandbox.snapshots.list() == ()


def test_an_order_that_waits_is_the_same_after_a_round_trip() -> None:
    """Exact prices, lines in lines, and options as they were."""
    sandbox = Sandbox(state=Store())
    line = OrderLine(product_id=1, quantity=2, price=Decimal("1.10"), options={"a": Decimal("2.0")})
    sandbox.state.order_checkouts["k"] = OrderCheckout(
        id=1,
        key="k",
        quote=Quote(lines=(line,)),
        created_from="app.example",
        created_at=sandbox.clock.now(),
    )
    snapshot = sandbox.snapshots.save("a")
    again = decoded(encoded(snapshot))
    assert again.tables["order_checkouts"].rows == snapshot.tables["order_checkouts"].rows
