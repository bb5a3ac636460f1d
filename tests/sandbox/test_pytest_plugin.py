"""The fixtures as a user's own tests get them, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest

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


def run_pytest(
    folder: Path, code: str, *options: str, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run *code* as a file of tests, with warnings as errors and without the project's settings."""
    (folder / "test_shop.py").write_text(dedent(code), encoding="utf-8")
    (folder / "pytest.ini").write_text(
        "[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n",
        encoding="utf-8",
    )
    start = f"{before}\nimport sys, pytest\nsys.exit(pytest.main(sys.argv[1:]))"
    plugins = [f"-p{name}" for name in PLUGINS]
    settings = ["-c", str(folder / "pytest.ini"), str(folder)]
    return subprocess.run(
        [sys.executable, "-c", start, *plugins, *settings, *options],
        cwd=ROOT,
        # The project's other plugins take seconds to start.
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_async_tests_get_a_sandbox_each(tmp_path: Path, options: tuple[str, ...]) -> None:
    """On asyncio and on trio, in one process and in several."""
    done = run_pytest(tmp_path, ASYNC_TESTS, *options)

    assert "4 passed" in done.stdout, done.stdout


def test_deliveries_do_not_outlive_an_anyio_test(tmp_path: Path) -> None:
    """Even though both tests share an event loop: a receiver that hangs is given up."""
    done = run_pytest(
        tmp_path,
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

    assert "2 passed" in done.stdout, done.stdout


def test_plain_tests_and_other_plugins_get_a_sandbox(tmp_path: Path) -> None:
    """With pytest-asyncio in its strict mode, and with options of the test's own."""
    done = run_pytest(
        tmp_path,
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

    assert "2 passed" in done.stdout, done.stdout


def test_code_that_cannot_await_gets_a_port(tmp_path: Path) -> None:
    """More calls than a minute allows take no time, and the clock moves when it is moved."""
    done = run_pytest(
        tmp_path,
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

    assert "1 passed" in done.stdout, done.stdout


def test_a_start_of_pytest_imports_no_client_and_no_sandbox(tmp_path: Path) -> None:
    """Tests that do not use the fixtures pay nothing for them."""
    done = run_pytest(
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
    done = run_pytest(
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
