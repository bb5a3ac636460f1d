"""``rmz doctor`` beside a real PostgreSQL and a real Redis."""

from __future__ import annotations

import json
import threading

import pytest
import redis
from sqlalchemy import make_url

from rmz_async.cli import main
from rmz_async.sandbox import Served
from rmz_async.webhooks.inbox.opening import open_inbox
from tests.redis_server import redis_server
from tests.seams import Setting, replace
from tests.webhooks.postgres import locked, new_schema

PASSWORD = "s3cretpassword"


def found(capsys: pytest.CaptureFixture[str], check: str, *words: str) -> dict[str, str]:
    """Return what ``rmz doctor`` says of one part; no password is in it."""
    main(["doctor", "--json", *words])
    output = capsys.readouterr()
    assert PASSWORD not in output.out + output.err
    (one,) = (each for each in json.loads(output.out)["checks"] if each["check"] == check)
    finding: dict[str, str] = one
    return finding


def test_an_inbox_on_postgresql_is_looked_at(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    address = new_schema()
    missing = found(capsys, "inbox", "--inbox", address)
    assert missing["text"] == "the tables are not there"
    assert "rmz webhooks create" in missing["advice"]

    inbox = open_inbox(address)
    inbox.create()
    inbox.close()
    assert found(capsys, "inbox", "--inbox", address)["state"] == "ok"

    nobody = make_url(address).set(username="nobody", password=PASSWORD)
    unknown = found(capsys, "inbox", "--inbox", nobody.render_as_string(hide_password=False))
    assert unknown["state"] == "failed"
    assert "password" in unknown["advice"]


def test_a_database_that_does_not_answer_keeps_nobody_waiting(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = new_schema()
    inbox = open_inbox(address)
    inbox.create()
    inbox.close()
    replace(monkeypatch, Setting.DOCTOR_PATIENCE, 0.1)

    with locked(address, "rmz_tasks"):
        late = found(capsys, "inbox", "--inbox", address)
        (waiting,) = (each for each in threading.enumerate() if each.name == "rmz doctor")
        assert waiting.daemon
    waiting.join()

    assert (late["state"], late["text"]) == ("failed", "no answer in time")


def test_a_redis_with_a_password_is_looked_at(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_server() as server:
        with redis.Redis.from_url(server.url) as administrator:
            administrator.config_set("requirepass", PASSWORD)

        monkeypatch.setenv("REDIS_URL", server.url.replace("unix://", f"unix://:{PASSWORD}@"))
        assert found(capsys, "redis")["state"] == "ok"

        monkeypatch.setenv("REDIS_URL", server.url.replace("unix://", f"unix://:{PASSWORD}x@"))
        refused = found(capsys, "redis")
        assert refused["state"] == "failed"
        assert "password" in refused["advice"]

        server.kill()
        assert found(capsys, "redis")["state"] == "failed"
