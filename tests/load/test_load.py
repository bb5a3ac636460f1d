"""A part of the proof for each run of the tests, and that the proof would see what is wrong."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rmz_async.webhooks import EventType, sample, sign
from rmz_sync.webhooks import Receiver
from tests.load import kills, mutants
from tests.load.databases import SQLiteDatabase, add_row
from tests.load.deliveries import SECRETS, crowd
from tests.load.victims import HANDLERS


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """The logs as they were before."""
    yield
    logging.disable(logging.NOTSET)


def test_no_mutant_is_accepted_and_no_signed_one_is_lost() -> None:
    tally = mutants.play(seed=7, count=1_000, signed=200)

    assert (tally.forged, tally.signed) == (1_000, 200)
    assert not tally.wrong
    assert set(tally.kinds) == {*mutants.CHANGES, *mutants.SIGNATURES}


def test_a_seed_makes_the_same_crowd_again() -> None:
    sent = crowd(seed=3, count=400)

    assert sent == crowd(seed=3, count=400)
    assert sent != crowd(seed=4, count=400)
    assert sum(one.key is None for one in sent) == 20
    assert len({one.key for one in sent} - {None}) == 340


def test_an_effect_that_is_lost_doubled_or_unknown_is_counted(tmp_path: Path) -> None:
    database = SQLiteDatabase(tmp_path)
    database.create(1.0)
    with database.transaction() as cursor:
        for key in ("twice", "twice", "strange"):
            add_row(database, cursor, "effects", key, HANDLERS[0])
    tally = kills.Tally()

    kills.compare(database, {"twice", "never"}, [], tally)

    assert (tally.doubled, tally.unknown) == (1, 1)
    # The handler had its effect for one of two events.
    assert tally.lost == 2 * len(HANDLERS) - 1


def test_time_in_which_nobody_could_write_makes_nobody_late(tmp_path: Path) -> None:
    database = SQLiteDatabase(tmp_path)
    database.create(1.0)
    database.rows("INSERT INTO takeovers VALUES (10, 15)")
    tally = kills.Tally(kills=Counter())

    kills.compare(database, set(), [(9.0, 12.0), (14.0, 14.5), (16.0, 17.0)], tally)

    assert tally.late == pytest.approx(2.5)


def test_a_signed_event_whose_id_is_half_a_character_is_stored(tmp_path: Path) -> None:
    """RMZ would deliver it again and again, and switch the webhook off."""
    body = sample(EventType.SUBSCRIPTION_RENEWED, event_id="?").replace(b'"?"', b'"\\ud800"')
    receiver = Receiver(secrets=SECRETS, inbox=f"sqlite:///{tmp_path / 'inbox.db'}")

    ack = receiver.receive(body, {"Signature": sign(body, SECRETS[0])})
    receiver.close()

    assert ack.status == 200
