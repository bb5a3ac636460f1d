from __future__ import annotations

import io
import json
import os
import runpy
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import rmz_async
from rmz_async.cli import main
from rmz_async.errors import (
    ConnectionFailedError,
    OutcomeUnknownError,
    PacingError,
    ServerError,
)
from rmz_async.models import Subscription
from rmz_async.sandbox import Served
from tests.cli.conftest import TOKEN, printed, status
from tests.cli.local_server import local_server
from tests.seams import Setting, replace


def answer_with(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let somebody type *text*."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_a_payer_is_let_in(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys, "access", "usr_abc123", "--language", "en")

    assert "yes" in output
    assert "is active." in output


def test_the_reason_can_be_arabic(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    answer = json.loads(printed(capsys, "access", "usr_abc123", "--json", "--language", "ar"))

    assert "نشط" in answer["text"]
    assert answer["until"].endswith("Z")


def test_each_subscription_that_lets_a_user_in_is_listed(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = json.loads(printed(capsys, "access", "usr_abc123", "--json"))

    (grant,) = answer["grants"]
    assert grant["subscription"] == answer["subscription"] == 501
    assert (grant["reason"], grant["until"]) == (answer["reason"], answer["until"])
    assert grant["product"] == "pro-plan"


def test_a_user_whose_name_is_written_alike_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """RMZ's database may ignore the case of letters; the paywall does not."""
    subscription = {"id": 501, "status": "active", "external_customer_id": "usr_ABC123"}
    data = {"count": 1, "has_active": True, "subscriptions": [subscription]}
    answer = {"message": None, "data": data, "api": "rmz.shawarma", "timestamp": 1767225600}
    with local_server(lambda *_: (200, json.dumps(answer).encode())) as url:
        monkeypatch.setenv("RMZ_BASE_URL", url)
        assert main(["access", "usr_abc123"]) == 1
        assert main(["access", "usr_ABC123"]) == 0
    capsys.readouterr()


def test_an_unknown_user_is_refused(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", "nobody", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["until"] is None


@pytest.mark.parametrize("cause", ["no sandbox", "no token", "another token", "a failure"])
def test_no_failure_says_that_a_user_has_no_access(
    served: Served, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    """A script that shuts users out by the code 1 would shut out payers while RMZ is down."""
    match cause:
        case "no sandbox":
            monkeypatch.setenv("RMZ_BASE_URL", "http://127.0.0.1:1/shawarma")
        case "no token":
            monkeypatch.delenv("RMZ_API_TOKEN")
        case "another token":
            monkeypatch.setenv("RMZ_API_TOKEN", "1|another")
        case _:
            served.sandbox.faults.add("server_error")
    assert main(["access", "usr_abc123"]) == 3


def test_numbers_out_of_range_are_refused_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in ("list --limit 0", "extend 501 --days 366", "extend 501 --months 25"):
        assert main(["subscriptions", *words.split()]) == 2


@pytest.mark.parametrize("given", [(), ("--days", "3", "--months", "1")])
def test_an_extension_takes_days_or_months(
    capsys: pytest.CaptureFixture[str], given: tuple[str, ...]
) -> None:
    assert main(["subscriptions", "extend", "501", "--dry-run", *given]) == 2
    assert "--days or --months" in capsys.readouterr().err


def test_another_product_lets_nobody_in(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", "usr_abc123", "--product-id", "104", "--csv"]) == 1
    assert "other_product" in capsys.readouterr().out


def test_a_walk_is_one_json_line_an_item(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(capsys, "subscriptions", "list", "--json", "--limit", "20").splitlines()

    assert len({json.loads(line)["id"] for line in lines}) == 20


@pytest.mark.parametrize("kind", ["subscriptions", "orders", "products"])
def test_a_list_has_comma_separated_values(
    served: Served, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    heading, *rows = printed(capsys, kind, "list", "--csv", "--limit", "2").splitlines()

    assert heading.startswith("id,")
    assert len(rows) == 2


def test_a_walk_ends_with_the_list(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(printed(capsys, "products", "list", "--csv").splitlines()) > 15


def test_one_order_is_a_table(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    number = printed(capsys, "orders", "list", "--csv", "--limit", "1").splitlines()[1]
    number = number.partition(",")[0]

    assert number in printed(capsys, "orders", "get", number)


def test_a_customer_is_looked_up(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert "501" in printed(capsys, "subscriptions", "lookup", "usr_abc123")


def test_a_customer_is_looked_up_by_phone(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "501" in printed(capsys, "subscriptions", "lookup", "--phone", "512345678")


def test_a_subscription_is_extended_by_months(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    def end() -> datetime:
        shown = json.loads(printed(capsys, "subscriptions", "get", "501", "--json"))
        return datetime.fromisoformat(shown["current_period_end"])

    before = end()
    printed(capsys, "subscriptions", "extend", "501", "--months", "2", "--yes")

    assert end() - before == timedelta(days=60)


@pytest.mark.parametrize("output", [(), ("--csv",), ("--json",)])
def test_plans_are_listed_by_name(
    served: Served, capsys: pytest.CaptureFixture[str], output: tuple[str, ...]
) -> None:
    (line,) = (
        line
        for line in printed(capsys, "plans", *output).splitlines()
        if "pro-plan" in line and "annually" in line
    )

    assert "199.99" in line
    assert "15" in line


def test_a_dry_run_changes_nothing(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("subscriptions", "cancel", "501", "--effective", "immediate", "--dry-run")

    assert json.loads(printed(capsys, *words))["fields"] == {"effective": "immediate"}
    assert status(capsys) == "active"


def test_a_change_is_sent_after_a_yes(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, "y\n")
    printed(capsys, "subscriptions", "pause", "501")
    assert status(capsys) == "paused"

    printed(capsys, "subscriptions", "unpause", "501", "--yes")
    assert status(capsys) == "active"


def test_the_question_before_a_change_is_arabic_and_so_may_be_the_answer(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, "نعم\n")

    assert main(["subscriptions", "pause", "501", "--language", "ar"]) == 0

    question = capsys.readouterr().err
    assert "الاشتراك \u2068501\u2069" in question
    assert "\u2068pause\u2069" in question
    assert status(capsys) == "paused"


def test_a_change_is_not_sent_without_a_yes(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, "\n")

    assert main(["subscriptions", "extend", "501", "--days", "3"]) == 1
    assert "nothing was sent" in capsys.readouterr().err


def test_an_unknown_outcome_has_a_code_of_its_own(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise OutcomeUnknownError("lost")

    monkeypatch.setattr("rmz_async.resources.subscriptions.Subscriptions.pause", lost)

    assert main(["subscriptions", "pause", "501", "--yes"]) == 4
    assert "rmz subscriptions get 501" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("found", "code", "words", "waits"),
    [
        (["applied"], 0, "was applied", 0),
        ([OutcomeUnknownError("not yet"), "applied"], 0, "was applied", 1),
        ([ConnectionFailedError("not applied")], 1, "may be sent again", 0),
        ([OutcomeUnknownError("lost"), ServerError("down")], 4, "subscriptions get 501", 1),
    ],
)
def test_a_change_of_unknown_outcome_is_read_back(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    found: list[Exception | str],
    code: int,
    words: str,
    waits: int,
) -> None:
    waited: list[float] = []

    async def lost(*_: object) -> None:
        raise OutcomeUnknownError("lost")

    async def resolve(rmz: rmz_async.Client, _: object) -> Subscription:
        answer = found.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return await rmz.subscriptions.get(501)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("rmz_async.resources.subscriptions.Subscriptions.pause", lost)
    monkeypatch.setattr("rmz_async.Client.resolve", resolve)
    replace(monkeypatch, Setting.CLI_SLEEP, sleep)

    assert main(["subscriptions", "pause", "501", "--yes"]) == code

    output = capsys.readouterr()
    assert words in output.err
    assert ("usr_abc123" in output.out) == (code == 0)
    # A minute for RMZ's work, 30 seconds for a replica that lags, and one for its margin.
    assert waited == [91.0] * waits
    assert not found


def test_an_extension_whose_answer_is_lost_is_read_back(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(printed(capsys, "subscriptions", "get", "501", "--json"))
    served.sandbox.faults.add("reset", on="POST */extend", times=1, after_effect=True)

    words = ("subscriptions", "extend", "501", "--days", "3", "--yes", "--json")
    after = json.loads(printed(capsys, *words))

    ends = [datetime.fromisoformat(each["current_period_end"]) for each in (before, after)]
    assert ends[1] - ends[0] == timedelta(days=3)


def test_an_error_is_one_line_without_the_token(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["subscriptions", "get", "99"]) == 1

    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "s3cretlocal" not in message


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing() -> None:
        raise PacingError("no slot")

    replace(monkeypatch, Setting.CLI_APPLICATION, failing)

    with pytest.raises(PacingError):
        main(["--debug"])


def test_a_wrong_command_line_is_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["subscriptions", "get", "x"]) == 2


def test_help_is_there_without_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    assert "subscriptions" in printed(capsys, "--help")


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
def test_a_token_is_read_from_a_file_of_its_owner_only(
    served: Served,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    monkeypatch.delenv("RMZ_API_TOKEN")
    monkeypatch.setenv("RMZ_API_TOKEN_FILE", str(file))

    file.chmod(0o644)
    assert main(["subscriptions", "get", "501"]) == 1
    assert "chmod 600" in capsys.readouterr().err

    file.chmod(0o600)
    assert main(["subscriptions", "get", "501"]) == 0

    file.unlink()
    assert main(["subscriptions", "get", "501"]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_the_sandbox_reads_its_own_words(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "501" in printed(capsys, "sandbox", "list", "subscriptions")


def test_the_help_of_the_sandbox_says_how_it_was_called(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["sandbox", "--help"])

    output = capsys.readouterr().out
    assert output.startswith("usage: rmz sandbox ")
    assert "python -m" not in output


def test_a_missing_extra_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.startswith("rmz_async.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cyclopts", None)

    assert main([]) == 2
    assert "rmz[cli]" in capsys.readouterr().err


def test_a_fault_of_the_program_is_no_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, Setting.CLI_APPLICATION.rpartition(".")[0], None)

    with pytest.raises(ModuleNotFoundError):
        main([])


def test_ctrl_c_ends_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    replace(monkeypatch, Setting.CLI_APPLICATION, interrupted)

    assert main([]) == 130


def test_the_module_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["rmz", "--version"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("rmz_async.cli", run_name="__main__")

    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == rmz_async.__version__
