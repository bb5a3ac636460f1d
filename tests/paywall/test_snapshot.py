"""The known payers in a file, for a process that starts while RMZ cannot be asked."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from rmz_async import ConfigurationError, ConnectionFailedError, EventType, ServerError
from rmz_async.paywall import Policy, Reason, Source
from tests.paywall.events import event
from tests.paywall.scripted import ScriptedRMZ, subscription
from tests.seams import Setting, paywall_over, replace

pytestmark = pytest.mark.anyio

DOWN = ServerError("RMZ is down", status=503)


@pytest.fixture
def rmz() -> ScriptedRMZ:
    """An RMZ in which Noura pays."""
    scripted = ScriptedRMZ()
    scripted.set(subscription(metadata={"plan": "pro"}))
    return scripted


async def write(rmz: ScriptedRMZ, path: Path) -> None:
    """Let a process learn of a payer and of a stranger, and end."""
    async with paywall_over(rmz, snapshot=path) as paywall:
        await paywall.check("noura")
        await paywall.check("sami")


@pytest.mark.parametrize("keep", [True, False])
async def test_a_process_that_starts_in_an_outage_knows_its_payers(
    rmz: ScriptedRMZ, tmp_path: Path, keep: bool
) -> None:
    """Payers come in, and nobody else does."""
    path = tmp_path / "payers"
    async with paywall_over(rmz, snapshot=path, keep_subscriptions=keep) as paywall:
        await paywall.check("noura")
        await paywall.check("sami")
    rmz.failure = DOWN
    rmz.later(1800)

    async with paywall_over(rmz, snapshot=path) as paywall:
        assert await paywall.ready()
        known = await paywall.check("noura")
        assert (known.granted, known.source) == (True, Source.SNAPSHOT)
        assert (known.subscription is not None) is keep
        assert [grant.reason for grant in known.grants] == [Reason.ACTIVE] * keep
        assert (await paywall.check("sami")).reason is Reason.UNAVAILABLE


async def test_a_restart_forgets_no_event(rmz: ScriptedRMZ, tmp_path: Path) -> None:
    """RMZ could not be asked when the event came, and the next process asks."""
    path = tmp_path / "payers"
    async with paywall_over(rmz, snapshot=path) as paywall:
        await paywall.check("noura")
        rmz.failure = DOWN
        rmz.later(1)
        with pytest.raises(ConnectionFailedError):
            await paywall.feed(event(EventType.SUBSCRIPTION_CANCELED, "canceled"))
    rmz.failure = None
    rmz.set(subscription(status="canceled"))

    async with paywall_over(rmz, snapshot=path) as paywall:
        assert (await paywall.check("noura")).reason is Reason.CANCELED


async def test_a_fresh_snapshot_costs_no_request(rmz: ScriptedRMZ, tmp_path: Path) -> None:
    """A restart does not ask for everybody again."""
    await write(rmz, tmp_path / "payers")
    rmz.later(30)

    async with paywall_over(rmz, snapshot=tmp_path / "payers") as paywall:
        assert (await paywall.check("noura")).source is Source.SNAPSHOT
    assert rmz.asked == ["noura", "sami"]


async def test_what_is_known_better_is_kept(rmz: ScriptedRMZ, tmp_path: Path) -> None:
    """A paywall that was used before it is entered does not go back to the file."""
    await write(rmz, tmp_path / "payers")
    paywall = paywall_over(rmz, snapshot=tmp_path / "payers")
    await paywall.check("noura")

    async with paywall:
        assert (await paywall.check("noura")).source is Source.CACHE


async def test_only_the_owner_reads_the_snapshot(rmz: ScriptedRMZ, tmp_path: Path) -> None:
    """The file names customers; nothing else is left beside it."""
    await write(rmz, tmp_path / "payers")

    assert stat.S_IMODE((tmp_path / "payers").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["payers"]


async def test_a_snapshot_of_another_policy_is_left_out(
    rmz: ScriptedRMZ, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its grants may be none under the new rules."""
    await write(rmz, tmp_path / "payers")
    rmz.failure = DOWN

    other = Policy(product_ids=frozenset({7, 8}))
    async with paywall_over(rmz, snapshot=tmp_path / "payers", policy=other) as paywall:
        assert (await paywall.check("noura")).granted is False
    assert "another version, store or policy" in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: text.replace('"checked_at"', '"checked"'),
        lambda text: text.replace("+00:00", ""),
        lambda text: text.replace('+00:00", "checked_at"', '", "checked_at"'),
        lambda text: text.replace('"reported_at": null', '"reported_at": "2026-01-01T00:00:00"'),
        lambda text: text + "[" * 100_000,
        lambda text: text.replace('"user": "noura"', '"user": 5'),
        lambda text: text.replace('"active"', '"of_old"', 1),
        lambda text: text.split("\n")[0] + "\n[]",
        lambda _: "",
    ],
)
async def test_a_damaged_snapshot_is_left_out(
    rmz: ScriptedRMZ,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[str], str],
) -> None:
    """The paywall works without it, and says so."""
    path = tmp_path / "payers"
    await write(rmz, path)
    path.write_text(damage(path.read_text("utf-8")), "utf-8")
    rmz.failure = DOWN

    async with paywall_over(rmz, snapshot=path) as paywall:
        assert (await paywall.check("noura")).granted is False
    assert "is left out" in caplog.text


async def test_a_snapshot_that_cannot_be_written_is_logged(
    rmz: ScriptedRMZ, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The paywall goes on."""
    async with paywall_over(rmz, snapshot=tmp_path / "no" / "payers") as paywall:
        assert (await paywall.check("noura")).granted

    assert "cannot be written" in caplog.text


async def test_the_snapshot_is_written_now_and_then(
    rmz: ScriptedRMZ, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is killed leaves one behind."""
    replace(monkeypatch, Setting.SNAPSHOT_EVERY, 0.01)
    path = tmp_path / "payers"
    async with paywall_over(rmz, snapshot=path) as paywall:
        await paywall.check("noura")
        with anyio.fail_after(30):
            while not path.exists() or len(path.read_text("utf-8").splitlines()) < 2:
                await anyio.lowlevel.checkpoint()

    assert json.loads(path.read_text("utf-8").splitlines()[1])["user"] == "noura"


@pytest.mark.parametrize("path", ["", ".", "/", 5])
def test_a_snapshot_at_no_file_is_refused(rmz: ScriptedRMZ, path: Any) -> None:
    """An unset variable would end the background when the file is written, a minute later."""
    with pytest.raises(ConfigurationError, match=r"^snapshot: must be the path of a file"):
        paywall_over(rmz, snapshot=path)
