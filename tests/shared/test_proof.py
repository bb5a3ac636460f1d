"""Short forms of the proof that `run` makes: real processes, and a Redis that is killed."""

from __future__ import annotations

from tests.shared import lease_proof, quota_proof


def test_processes_stay_within_the_minute_while_redis_is_killed() -> None:
    """Each of them says once that Redis is gone, and once that it is back."""
    plan = quota_proof.Plan(seed=1, processes=2, seconds=30.0, dies=10.0, returns=20.0)

    proof = quota_proof.play(plan)

    assert proof.refused == 0
    assert proof.requests > 30
    assert [len(lines) for lines in proof.lost] == [2, 2]


def test_processes_make_one_request_and_outlive_a_kill() -> None:
    """The time is taken in the long form only: here the machine may be busy."""
    plan = lease_proof.Plan(processes=2, askers=50, kills=1, patience=60.0, lease=60.0)

    proof = lease_proof.play(plan)

    assert proof.granted == [100, 100]
    assert proof.requests == [1, 1]
