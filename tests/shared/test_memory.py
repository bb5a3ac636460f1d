"""The requests of the last minute of which one process knows, for when Redis does not answer."""

from __future__ import annotations

from rmz_async.redis._memory import ServerMemory


def test_only_the_request_that_was_not_sent_is_forgotten() -> None:
    """Those before it and after it still count."""
    memory = ServerMemory()
    for at in (10.0, 11.0, 12.0):
        memory.record(f"{at}:mine", at)

    memory.forget("11.0:")

    assert memory.times(13.0) == [10.0, 12.0]


def test_a_single_request_of_a_moment_is_forgotten() -> None:
    """Two requests of the same moment count twice, and the other one was sent."""
    memory = ServerMemory()
    memory.record("10.0:one", 10.0)
    memory.record("10.0:two", 10.0)

    memory.forget("10.0:")

    assert memory.report(13.0) == [3.0, "10.0:two"]


def test_a_request_of_which_nothing_is_known_is_not_forgotten() -> None:
    """Redis may have counted it for longer than this process has."""
    memory = ServerMemory()
    memory.record("10.0:mine", 10.0)

    memory.forget("11.0:")

    assert memory.times(13.0) == [10.0]
