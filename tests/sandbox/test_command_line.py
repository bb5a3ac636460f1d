from __future__ import annotations

import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from rmz_async.sandbox import Sandbox, Served
from rmz_async.sandbox.__main__ import main
from rmz_async.sandbox.worlds import token_of_world

ROOT = Path(__file__).parents[2]


def test_prints_how_to_point_the_client_at_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The exports and the address work as printed, and each webhook is shown with its secret."""
    seen: list[int] = []

    def look() -> None:
        printed = capsys.readouterr().out
        assert len(webhooks := re.findall(r"webhook   (\S+)\n  secret    (\S{28})\n", printed)) == 2
        assert [url for url, _ in webhooks] == ["http://localhost:1/a", "http://localhost:1/b"]
        base_url = re.findall(r"export RMZ_BASE_URL=(\S+)", printed)[0]
        token = re.findall(r"export RMZ_API_TOKEN='(.+)'", printed)[0]
        headers = {"Authorization": f"Bearer {token}"}
        seen.append(httpx.get(f"{base_url}/subscriptions/501", headers=headers).status_code)
        seen.append(httpx.get(re.findall(r"reference (\S+)", printed)[0]).status_code)

    webhooks = ["--webhook", "http://localhost:1/a", "--webhook", "http://localhost:1/b"]
    assert main(["--port", "0", *webhooks], wait=look) == 0
    assert seen == [200, 200]


def test_token_secret_and_seed_are_the_given_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """A settings file may name them; more calls than a minute allows are answered."""
    given = ["--token", "1|local", "--secret", "a-secret-of-28-characters-at", "--no-throttle"]

    def look() -> None:
        printed = capsys.readouterr().out
        assert "export RMZ_API_TOKEN='1|local'" in printed
        assert "secret    a-secret-of-28-characters-at" in printed
        url = re.findall(r"export RMZ_BASE_URL=(\S+)", printed)[0] + "/subscriptions/501"
        with httpx.Client(headers={"Authorization": "Bearer 1|local"}) as http:
            assert {http.get(url).status_code for _ in range(70)} == {200}

    assert main(["--port", "0", *given, "--webhook", "http://localhost:1/"], wait=look) == 0


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_the_clock_runs_unless_it_is_stopped(
    capsys: pytest.CaptureFixture[str], state: str
) -> None:
    """A clock that stands still shows the same microsecond twice."""

    def look() -> None:
        url = re.findall(r"RMZ_BASE_URL=(http://[^/]+)", capsys.readouterr().out)[0]
        headers = {"Authorization": "Bearer 1|local"}
        times = {httpx.get(f"{url}/sandbox/clock", headers=headers).text for _ in range(2)}
        assert len(times) == {"running": 2, "stopped": 1}[state]

    assert main(["--port", "0", "--token", "1|local", "--clock", state], wait=look) == 0


def test_the_same_seed_brings_the_same_ids_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seed reaches the sandbox."""
    seeds: list[int | str] = []

    class Noted(Sandbox):
        """Notes its seed."""

        def serve(self, **options: Any) -> Served:
            """Serve, as any other."""
            seeds.append(self.seed)
            return super().serve(**options)

    monkeypatch.setattr("rmz_async.sandbox.commands.serving.Sandbox", Noted)
    assert main(["--port", "0", "--seed", "7"], wait=lambda: None) == 0
    assert seeds == ["7"]


def test_a_token_that_a_sandbox_made_is_taken_again() -> None:
    """Though it has the form of a real one; a refusal does not show the token."""
    token = Sandbox().token
    assert Sandbox(token=token).token == token
    real = token.replace("sandbox", "aB3dE6f")
    with pytest.raises(ValueError, match="may belong to a real store") as caught:
        Sandbox(token=real)
    assert real not in str(caught.value)


def test_ctrl_c_is_a_clean_end() -> None:
    """An interrupt while serving ends with exit code 0."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    assert main(["--port", "0"], wait=interrupt) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process of Windows")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_clean_end(number: int) -> None:
    """A second one, of an impatient person, does not disturb the way out."""

    def interrupt() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)

    assert main(["--port", "0"], wait=interrupt) == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--host", "0.0.0.0"], "loopback addresses only"),  # noqa: S104 - refused
        (["--webhook", "https://app.example/hooks"], "never talks to the outside"),
        (["--port", "65536"], "a port is 0 to 65535"),
        (["--port", "-1"], "a port is 0 to 65535"),
        (["--port", "http"], "invalid int"),
        (["--token", "12|" + "aB3d" * 10], "may belong to a real store"),
        (["--token", "1|with blank"], "visible ASCII"),
        (["--token", ""], "visible ASCII"),
        (["--webhook", "http://localhost/", "--secret", "short"], "16"),
    ],
)
def test_refuses_what_is_not_local(
    capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    """A wrong argument ends with exit code 2 and says why."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_port_in_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken is a message and no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit):
        main(["--port", str(taken.getsockname()[1])])
    told = capsys.readouterr().err
    assert "in use" in told
    assert "--port 0" in told


def test_an_address_of_another_machine_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """No other port would help, and none is advised."""
    with pytest.raises(SystemExit):
        main(["--port", "0", "--host", "192.0.2.1", "--i-know-that-this-is-not-rmz"])
    reported = capsys.readouterr().err
    assert "cannot serve on 192.0.2.1 port 0" in reported
    assert "another sandbox" not in reported


def test_module_runs_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as a module, the process's own arguments count, and its exit code is main's."""
    monkeypatch.delitem(sys.modules, "rmz_async.sandbox.__main__")
    monkeypatch.setattr(sys, "argv", ["sandbox", "--port", "-1"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("rmz_async.sandbox", run_name="__main__")
    assert ended.value.code == 2


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_runs_as_a_program(name: str) -> None:
    """Started as a module it prints its address, answers, and stops with 0 if it is asked to."""
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "rmz_async.sandbox", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        # Reading a line has no time limit of its own.
        watchdog = threading.Timer(20, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            base_url = next(line for line in lines if "RMZ_BASE_URL=" in line).partition("=")[2]
            url = f"{base_url.strip()}/subscriptions"
            assert httpx.get(url, timeout=60).status_code == 401
            process.send_signal(signal.Signals[name])
            _, complaints = process.communicate(timeout=60)
        finally:
            watchdog.cancel()
            process.kill()
    assert (process.returncode, complaints) == (0, "")


@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_each_request_is_a_line_unless_it_is_quiet(
    capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    def look() -> None:
        base_url = re.findall(r"RMZ_BASE_URL=(\S+)", capsys.readouterr().out)[0]
        httpx.get(f"{base_url}/subscriptions")

    assert main(["--port", "0", *options], wait=look) == 0
    assert ("401  GET /shawarma/subscriptions" in capsys.readouterr().out) is (not options)


def test_a_delivery_of_a_world_is_a_line_that_names_the_world(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def deliver() -> None:
        base_url, token = re.findall(
            r"RMZ_BASE_URL=(\S+)\n  export RMZ_API_TOKEN='(\S+)'", capsys.readouterr().out
        )[0]
        world = httpx.URL(base_url).join("/worlds/gw0/")
        httpx.post(world.join("webhooks"), data={"url": str(world.join("nobody"))})
        httpx.post(
            world.join("sandbox/emit"),
            headers={"Authorization": f"Bearer {token_of_world(token, 'gw0')}"},
            json={"event": "subscription.renewed", "id": 501},
        ).raise_for_status()
        httpx.post(world.join("clock"), data={"days": "1"})

    assert main(["--port", "0"], wait=deliver) == 0
    begin = "DELIVERY FAILED: world gw0: webhook 1 ← subscription.renewed of 501, attempt 1; next"
    assert begin in capsys.readouterr().out


def test_a_thread_may_serve_without_listening_to_signals() -> None:
    """Only the main thread can."""
    ended: list[int] = []
    thread = threading.Thread(target=lambda: ended.append(main(["--port", "0"], wait=lambda: None)))
    thread.start()
    thread.join()

    assert ended == [0]


def test_signals_are_handled_as_before_when_it_has_ended() -> None:
    """Code that calls the command line goes on with its own handlers."""
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(name) for name in names]
    during: list[object] = []
    main(["--port", "0"], wait=lambda: during.extend(map(signal.getsignal, names)))

    assert [signal.getsignal(name) for name in names] == before
    assert not set(during) & set(before)
