"""The fixtures as a user's own tests get them, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
PLUGINS = (
    "anyio.pytest_plugin",
    "pytest_asyncio.plugin",
    "xdist.plugin",
    "pytest_rmz",
    "no:cacheprovider",
)

ASYNC_TESTS = """
    import pytest

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(request):
        return request.param

    seen = []

    @pytest.mark.anyio
    @pytest.mark.parametrize("_", range(2))
    async def test_each_test_has_a_store_of_its_own(rmz_sandbox, rmz_client, _):
        assert rmz_sandbox not in seen
        seen.append(rmz_sandbox)
        await rmz_client.subscriptions.pause(501)
        number = await rmz_sandbox.subscribe()
        assert (await rmz_client.subscriptions.get(number)).grants_access
"""


def settings(folder: Path, code: str) -> list[str]:
    """Write *code* as a file of tests, and return the options that leave the project's out."""
    (folder / "test_shop.py").write_text(dedent(code), encoding="utf-8")
    (folder / "pytest.ini").write_text(
        # The oldest pytest warns, in a process that has the plugin already.
        "[pytest]\nfilterwarnings =\n error\n ignore:Module already imported\n"
        "asyncio_default_fixture_loop_scope = function\n",
        encoding="utf-8",
    )
    plugins = [f"-p{name}" for name in PLUGINS]
    return [*plugins, "-c", str(folder / "pytest.ini"), str(folder)]


def run_alone(
    folder: Path, code: str, *options: str, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run *code* as a file of tests in a process of its own, with warnings as errors."""
    start = f"{before}\nimport sys, pytest\nsys.exit(pytest.main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", start, *settings(folder, code), *options],
        cwd=ROOT,
        # The project's other plugins take seconds to start.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def run_here(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., pytest.RunResult]:
    """Run code as a file of tests in this process, which takes no new interpreter."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(code: str, *options: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(*settings(pytester.path, code), *options)

    return run


def test_async_tests_get_a_sandbox_each(run_here: Callable[..., pytest.RunResult]) -> None:
    """On asyncio and on trio."""
    run_here(ASYNC_TESTS).assert_outcomes(passed=4)


def test_workers_of_xdist_get_a_sandbox_each(tmp_path: Path) -> None:
    """In several processes."""
    done = run_alone(tmp_path, ASYNC_TESTS, "-n", "2")

    assert "4 passed" in done.stdout, done.stdout


def test_deliveries_do_not_outlive_an_anyio_test(
    run_here: Callable[..., pytest.RunResult],
) -> None:
    """Even though both tests share an event loop: a receiver that hangs is given up."""
    done = run_here(
        """
        import anyio, pytest

        ended = []

        @pytest.fixture(scope="module")
        def anyio_backend():
            return "asyncio"

        async def hang(scope, receive, send):
            try:
                await anyio.sleep_forever()
            finally:
                ended.append(True)

        @pytest.mark.anyio
        async def test_begins_a_delivery(rmz_sandbox):
            rmz_sandbox.add_webhook("http://localhost/", app=hang)
            rmz_sandbox.emit("subscription.renewed", 501)
            await anyio.wait_all_tasks_blocked()

        @pytest.mark.anyio
        async def test_finds_no_delivery_under_way():
            assert ended == [True]
        """,
    )

    done.assert_outcomes(passed=2)


def test_plain_tests_and_other_plugins_get_a_sandbox(
    run_here: Callable[..., pytest.RunResult],
) -> None:
    """With pytest-asyncio in its strict mode, and with options of the test's own."""
    done = run_here(
        """
        import pytest
        from rmz_async.sandbox import Store

        @pytest.fixture
        def rmz_sandbox_options():
            return {"seed": 7, "state": Store()}

        @pytest.mark.asyncio
        async def test_asyncio(rmz_sandbox, rmz_client):
            assert rmz_sandbox.seed == 7
            assert (await rmz_client.subscriptions.list().first()).items == ()

        def test_plain(rmz_sandbox):
            assert not rmz_sandbox.state.subscriptions
        """,
    )

    done.assert_outcomes(passed=2)


def test_code_that_cannot_await_gets_a_port(
    run_here: Callable[..., pytest.RunResult],
) -> None:
    """More calls than a minute allows take no time, and the clock moves when it is moved."""
    done = run_here(
        """
        def test_sync(rmz_served, rmz_sync_client):
            for _ in range(70):
                rmz_sync_client.subscriptions.get(501)
            before = rmz_served.sandbox.clock.now()
            rmz_served.advance(days=400)
            assert (rmz_served.sandbox.clock.now() - before).days == 400
            assert len(rmz_served.ledger.renewals(501)) == 1
        """,
    )

    done.assert_outcomes(passed=1)


def test_code_that_cannot_await_gets_a_sandbox_without_a_port(
    run_here: Callable[..., pytest.RunResult],
) -> None:
    """The client of a test that asks for no port works in process."""
    done = run_here(
        """
        import pytest

        @pytest.fixture
        def rmz_sandbox_options():
            return {"seed": 7}

        def test_sync(rmz_sync_sandbox, rmz_sync_client):
            for _ in range(70):
                rmz_sync_client.subscriptions.get(501)
            number = rmz_sync_sandbox.subscribe(variant_id=14)
            rmz_sync_sandbox.advance(days=31)
            assert len(rmz_sync_sandbox.ledger.renewals(number)) == 1
            assert rmz_sync_sandbox.sandbox.seed == 7
            assert rmz_sync_sandbox.base_url == "http://127.0.0.1/shawarma"
        """,
    )

    done.assert_outcomes(passed=1)


def test_a_test_acts_as_customer_client_and_clock(
    run_here: Callable[..., pytest.RunResult],
) -> None:
    """Seeded state, a subscription, a payment, time, and assertions about what happened."""
    done = run_here(
        """
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        def rmz_sandbox_options():
            return {"seed": 7, "state": {"products": {102: {"trial_days": 14}}}}

        @pytest.mark.anyio
        async def test_async(rmz_sandbox, rmz_client):
            number = await rmz_sandbox.subscribe(variant_id=14)
            assert rmz_sandbox.state.subscriptions[number].status == "trialing"
            session = await rmz_client.checkout_sessions.create(
                product_id=103, variant_id=20, customer=4501,
                success_url="https://app.example/ok", cancel_url="https://app.example/no",
            )
            assert await rmz_sandbox.pay(session.checkout_url) == number + 1
            rmz_sandbox.snapshots.save("paid")
            await rmz_sandbox.advance(days=14)
            assert len(rmz_sandbox.ledger.of("lifecycle.activated", number)) == 1
            await rmz_client.subscriptions.extend(number, days=3)
            assert len(rmz_sandbox.ledger.extensions(number)) == 1
            rmz_sandbox.requests.assert_none(status=429)
            rmz_sandbox.snapshots.restore("paid")
            assert not rmz_sandbox.ledger.extensions(number)

        def test_sync(rmz_served, rmz_sync_client):
            number = rmz_served.subscribe(variant_id=14, external_customer_id="usr_1")
            session = rmz_sync_client.checkout_sessions.create(
                product_id=103, variant_id=20, customer=4501,
                success_url="https://app.example/ok", cancel_url="https://app.example/no",
            )
            assert rmz_served.pay(session.checkout_url) == number + 1
            rmz_served.advance(days=14)
            assert rmz_sync_client.subscriptions.get(number).status == "active"
            rmz_served.requests.assert_none(status=429)
        """,
    )

    done.assert_outcomes(passed=2)


def test_an_assertion_that_fails_says_what_was_found(
    run_here: Callable[..., pytest.RunResult],
) -> None:
    """The attempts and the requests, and the seed that repeats them."""
    done = run_here(
        """
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        async def refuses(scope, receive, send):
            await send({"type": "http.response.start", "status": 503, "headers": []})
            await send({"type": "http.response.body"})

        @pytest.mark.anyio
        async def test_once(rmz_sandbox):
            rmz_sandbox.add_webhook("http://localhost/", app=refuses, tries=1)
            rmz_sandbox.emit("subscription.renewed", 501)
            await rmz_sandbox.delivered()
            rmz_sandbox.deliveries.assert_once("subscription.renewed", 501)

        @pytest.mark.anyio
        async def test_none(rmz_sandbox, rmz_client):
            await rmz_client.store.get()
            rmz_sandbox.requests.assert_none(status=200)

        def test_state(request):
            from rmz_async.sandbox import Sandbox
            Sandbox(state={"subscriptions": {501: {"status": "actve"}}})
        """,
    )

    done.assert_outcomes(failed=3)
    done.stdout.fnmatch_lines(
        [
            "*subscription.renewed of 501 was accepted 0 time(s) by webhook 1, expected once*",
            "*subscription.renewed of 501 to webhook 1, attempt 1*503*",
            "*Sandbox(seed=*) repeats*",
            "*1 request(s) fit, expected none:*",
            "*GET /store*200*",
            "*state.subscriptions.501.status: must be one of 'trialing'*",
        ],
        consecutive=False,
    )


def test_a_start_of_pytest_imports_no_client_and_no_sandbox(tmp_path: Path) -> None:
    """Tests that do not use the fixtures pay nothing for them."""
    done = run_alone(
        tmp_path,
        """
        import sys

        def test_nothing_is_imported():
            assert "pytest_rmz" in sys.modules
            assert not {"rmz_async", "rmz_sync"} & set(sys.modules)
        """,
    )

    assert "1 passed" in done.stdout, done.stdout


def test_without_the_extra_only_the_tests_that_need_it_fail(tmp_path: Path) -> None:
    """The message has the command that installs it."""
    done = run_alone(
        tmp_path,
        """
        def test_other():
            pass

        def test_shop(rmz_sandbox):
            pass
        """,
        before="import sys; sys.modules['starlette'] = None",
    )

    assert "1 passed, 1 error" in done.stdout, done.stdout
    assert 'pip install "rmz[sandbox]"' in done.stdout


def test_pytest_finds_the_plugin_by_itself() -> None:
    """The entry point's name is the module's, so that ``-p`` loads the module only once."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert project["entry-points"]["pytest11"] == {"pytest_rmz": "pytest_rmz"}
