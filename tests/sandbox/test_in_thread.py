from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

import rmz_sync
from rmz_sync.sandbox import Sandbox
from tests.sync.scripts import FORK_WARNING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


def test_code_that_cannot_await_needs_no_port() -> None:
    with Sandbox(seed=7) as sandbox, sandbox.client() as rmz:
        number = sandbox.subscribe()
        rmz.subscriptions.extend(number, days=3)
        sandbox.advance(days=31)

        assert rmz.subscriptions.get(number).grants_access
        assert len(sandbox.ledger.extensions(number)) == 1
        assert repr(sandbox).startswith("<Sandbox seed=7 ")
        assert sandbox.base_url == "http://127.0.0.1/shawarma"


def test_a_sync_client_waits_on_the_sandboxes_clock() -> None:
    """A wait of the client's takes no time."""
    patient = {"pacing": rmz_sync.Pacing(max_wait=90), "timeout": 120}
    with Sandbox() as sandbox, sandbox.client(**patient) as rmz:
        before = sandbox.sandbox.clock.now()
        for _ in range(61):
            rmz.subscriptions.get(501)

        assert (sandbox.sandbox.clock.now() - before).total_seconds() >= 60
        sandbox.requests.assert_none(status=429)


def test_one_thread_alone_touches_the_state() -> None:
    """Calls of several threads, payments and the clock meet in one loop."""
    seen: set[int] = set()

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.add(threading.get_ident())
        await Response(status_code=204)(scope, receive, send)

    with Sandbox(throttle=False) as sandbox, sandbox.client(pacing=None) as rmz:
        sandbox.add_webhook("http://127.0.0.1/hooks", app=note)
        before = len(sandbox.state.subscriptions)

        def act(_: int) -> int:
            number = sandbox.subscribe()
            rmz.subscriptions.pause(number)
            sandbox.advance(seconds=1)
            return number

        with ThreadPoolExecutor(6) as threads:
            numbers = list(threads.map(act, range(12)))
        sandbox.wait_delivered()

        assert len(set(numbers)) == 12
        assert len(sandbox.state.subscriptions) == before + 12
        for number in numbers:
            assert len(sandbox.ledger.of("subscriptions.pause", number)) == 1
            sandbox.deliveries.assert_once("subscription.paused", number)
    assert len(seen) == 1
    assert threading.get_ident() not in seen


def test_events_are_sent_by_code_that_cannot_await() -> None:
    with Sandbox() as sandbox:
        sandbox.add_webhook("http://127.0.0.1/hooks", app=Response(status_code=204))
        sandbox.emit("subscription.renewed", 501)
        sandbox.wait_delivered()
        sandbox.send_again(sandbox.deliveries[0])
        sandbox.wait_delivered()

        assert [sent.attempt for sent in sandbox.deliveries] == [1, 2]


def test_faults_and_switches_are_at_hand() -> None:
    with Sandbox() as sandbox, sandbox.client() as rmz:
        sandbox.switches.paused_is_active = True
        sandbox.faults.add("reset", on="POST */extend", times=1, after_effect=True)
        with pytest.raises(rmz_sync.OutcomeUnknownError):
            rmz.subscriptions.extend(501, days=7)

        assert len(sandbox.ledger.extensions(501)) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("port", [True, False])
async def test_a_client_of_another_loop_touches_no_state(anyio_backend: str, *, port: bool) -> None:
    """An async client in process, of a sandbox that runs in a thread; its uploads too."""
    entered = threading.get_ident()
    seen: list[int] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(threading.get_ident())
        await Response(status_code=204)(scope, receive, send)

    shop = Sandbox()
    with shop.sandbox.serve() if port else shop as running:
        running.add_webhook("http://127.0.0.1/hooks", app=note)
        rmz = running.sandbox.client()
        assert (await rmz.subscriptions.pause(501)).status == "paused"
        await rmz.products.upload(b"\x89PNG\r\n\x1a\n" + bytes(64), kind="image", name="x.png")
        assert await running.sandbox.subscribe()
        await running.delivered()
    assert seen
    assert entered not in seen


def test_a_sandbox_runs_in_one_thread_at_a_time() -> None:
    with Sandbox() as sandbox:
        with pytest.raises(RuntimeError, match="served already"), sandbox:
            pass
        assert sandbox.subscribe()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
@pytest.mark.parametrize("made", ["rmz_sync.sandbox.Sandbox()", "Sandbox().serve()"])
def test_the_child_of_a_fork_waits_for_no_thread_of_its_parent(made: str) -> None:
    """The child leaves the block, as a worker of gunicorn does, and can run the sandbox itself."""
    program = f"""if True:
        import os, signal
        import rmz_sync.sandbox
        from rmz_async.sandbox import Sandbox

        running = {made}
        client = running.sandbox.client()
        is_child = False
        try:
            with running:
                is_child = os.fork() == 0
                if is_child:
                    signal.alarm(20)
                    for call in (running.subscribe, client.store.get, running.wait_delivered):
                        try:
                            anyio.run(call) if call == client.store.get else call()
                        except RuntimeError as error:
                            assert "fork" in str(error)
                        else:
                            raise AssertionError(call)
                    raise SystemExit
                assert os.wait()[1] == 0
                print(running.subscribe(), flush=True)
        finally:
            if is_child:
                with running:
                    print(running.subscribe(), flush=True)
        """
    ended = subprocess.run(
        [sys.executable, "-W", "error", *FORK_WARNING, "-c", f"import anyio\n{program}"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.stdout.split(), ended.stderr) == (["534", "534"], "")


def test_a_sandbox_can_be_started_again() -> None:
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox, sandbox.client() as rmz:
            rmz.store.get()

    assert len(sandbox.requests) == 2


def test_a_thread_that_cannot_start_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of its loop is the caller's, and the sandbox can be started later."""
    sandbox = Sandbox()
    with monkeypatch.context() as broken:
        events = asyncio.events
        broken.setattr(events, "new_event_loop", lambda: (_ for _ in ()).throw(OSError("files")))
        with pytest.raises(OSError, match="files"), sandbox:
            pass
    with sandbox:
        assert sandbox.subscribe()


def test_an_error_of_the_thread_is_raised_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: object) -> None:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"), Sandbox() as sandbox:
        monkeypatch.setattr(type(sandbox.sandbox), "aclose", fail)


def test_ctrl_c_while_the_thread_starts_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its loop is there already or not."""
    make, main = asyncio.events.new_event_loop, threading.get_ident()

    def interrupting() -> asyncio.AbstractEventLoop:
        signal.pthread_kill(main, signal.SIGINT)
        return make()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        monkeypatch.setattr(asyncio.events, "new_event_loop", interrupting)
        with pytest.raises(KeyboardInterrupt), Sandbox():
            pass
    finally:
        signal.signal(signal.SIGINT, before)
    assert not [one for one in threading.enumerate() if one.name == "rmz-sandbox"]


def test_snapshots_are_taken_in_the_thread_or_beside_it() -> None:
    """A receiver in process takes one while it answers."""

    async def save(scope: Scope, receive: Receive, send: Send) -> None:
        sandbox.snapshots.save("delivering")
        await Response(status_code=204)(scope, receive, send)

    with Sandbox() as sandbox:
        sandbox.snapshots.save("first")
        sandbox.add_webhook("http://127.0.0.1/hooks", app=save)
        sandbox.emit("subscription.renewed", 501)
        sandbox.wait_delivered()

        assert [one.name for one in sandbox.snapshots.list()] == ["first", "delivering"]


def test_an_interrupted_wait_ends_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C leaves nothing behind that the end of the block would wait for."""

    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    def interrupted(self: Future[Any], timeout: float | None = None) -> Any:
        # The thread of the sandbox reads futures, too.
        if threading.current_thread() is not caller:
            return result(self, timeout)
        begun.wait()
        raise KeyboardInterrupt

    begun, ended = threading.Event(), threading.Event()
    result, caller = Future.result, threading.current_thread()
    with Sandbox() as sandbox:
        sandbox.add_webhook("http://127.0.0.1/hooks", app=hang)
        sandbox.emit("subscription.renewed", 501)
        with monkeypatch.context() as pressed:
            pressed.setattr(Future, "result", interrupted)
            with pytest.raises(KeyboardInterrupt):
                sandbox.advance(days=1)
    assert ended.is_set()


def test_a_call_that_the_end_of_the_sandbox_cuts_off_is_unknown() -> None:
    """The caller does not wait for an answer that never comes."""
    begun = threading.Event()

    async def hang(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        with Sandbox() as sandbox:
            sandbox.sandbox.app = hang
            rmz = sandbox.client()
            extending = threads.submit(rmz.subscriptions.extend, 501, days=7)
            begun.wait()
        with pytest.raises(rmz_sync.OutcomeUnknownError):
            extending.result()
        rmz.close()
