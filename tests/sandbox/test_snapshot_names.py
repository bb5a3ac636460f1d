"""The names of snapshots: each stands for one, and a wrong one is answered with the right ones."""

from __future__ import annotations

import pytest

from rmz_async.sandbox import Sandbox, SnapshotError, Store
from tests.sandbox.conftest import ManualClock


@pytest.mark.parametrize("name", ["", " a", "-a", "a/b", "a" * 65, "a\n"])
def test_a_name_that_no_page_could_link_to_is_refused(name: str) -> None:
    """The rule stands in the message."""
    with pytest.raises(SnapshotError, match="1 to 64 letters, digits"):
        Sandbox(state=Store()).snapshots.save(name)


def test_an_unknown_name_is_answered_with_those_that_there_are() -> None:
    """For each call that takes a name."""
    snapshots = Sandbox(state=Store()).snapshots
    with pytest.raises(SnapshotError, match="no snapshot 'x'; there are: none"):
        snapshots.restore("x")
    snapshots.save("after-trial")
    for call in (snapshots.restore, snapshots.diff, snapshots.delete, snapshots.get):
        with pytest.raises(SnapshotError, match="no snapshot 'x'; there are: 'after-trial'"):
            call("x")


def test_a_snapshot_can_be_listed_and_deleted(clock: ManualClock) -> None:
    """A second save under a name takes the place of the first."""
    sandbox = Sandbox(clock=clock, state=Store())
    sandbox.snapshots.save("a")
    sandbox.snapshots.save("b")
    clock.advance(days=1)
    again = sandbox.snapshots.save("a")
    assert [one.name for one in sandbox.snapshots.list()] == ["a", "b"]
    assert sandbox.snapshots.get("a") is again
    assert repr(again) == "<Snapshot 'a' at 2025-06-02 12:00:00 UTC>"
    sandbox.snapshots.delete("a")
    assert [one.name for one in sandbox.snapshots.list()] == ["b"]
