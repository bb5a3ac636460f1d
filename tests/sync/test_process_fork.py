"""A process that forks: its clients work on both sides, and neither harms the other."""

from __future__ import annotations

import sys
import textwrap

import pytest

from tests.sync.conftest import ANSWERS, HELD, Shop
from tests.sync.scripts import FORK_WARNING, LIMIT, run, script
from tests.transports import TRANSPORTS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")

CHILD = """
def child(status=None):
    signal.alarm(20)
    try:
        status = 0 if client.subscriptions.get(2).id == 2 else 1
    finally:
        os._exit(2 if status is None else status)

def wait(pid):
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


@pytest.mark.parametrize("http", TRANSPORTS)
def test_the_first_call_imports_nothing(shop: Shop, http: str | None) -> None:
    """A call imports nothing: a child that was forked meanwhile would hang."""
    body = f"""
    before = set(sys.modules)
    client.subscriptions.get(1)
    named = rmz_sync.Client(
        base_url=os.environ["RMZ_BASE_URL"].replace("127.0.0.1", "localhost"), http={http!r}
    )
    with suppress(rmz_sync.ConnectionFailedError):
        named.subscriptions.get(1)
    print(*sorted(set(sys.modules) - before))
    """
    assert run(shop, body, http=http) == (0, "\n", "")


def test_a_wrong_answer_imports_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The converter that explains an undocumented answer is imported before it is needed."""
    monkeypatch.setitem(ANSWERS, "/subscriptions/lookup", {"count": "x"})
    body = """
    before = set(sys.modules)
    try:
        client.subscriptions.lookup(external_customer_id="usr_1")
    except rmz_sync.UnexpectedAnswerError as error:
        assert "expected an integer @ data.count" in str(error), error
        print(*sorted(set(sys.modules) - before))
    """
    assert run(shop, body) == (0, "\n", "")


def test_fork_before_the_first_call(shop: Shop) -> None:
    """A client that was made before the fork and not used works on both sides, unwarned."""
    body = """
    pid = os.fork()
    if pid == 0:
        child()
    wait(pid)
    assert client.subscriptions.get(1).id == 1
    """
    assert run(shop, CHILD + textwrap.dedent(body)) == (0, "", "")


@pytest.mark.parametrize("http", TRANSPORTS)
def test_fork_after_a_call(shop: Shop, http: str | None) -> None:
    """A child that leaves in the usual way prints nothing, and its parent can go on."""
    body = """
    import gc
    client.subscriptions.get(1)
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        assert client.subscriptions.get(2).id == 2
        client.close()
        del client
        gc.collect()
        sys.exit(0)
    wait(pid)
    assert client.subscriptions.get(1).id == 1
    client.close()
    """
    assert run(shop, CHILD + textwrap.dedent(body), *FORK_WARNING, http=http) == (0, "", "")


def test_preloaded_workers_can_call(shop: Shop) -> None:
    """Workers that are forked from a process which has used the client, as gunicorn does, work."""
    body = """
    client.subscriptions.get(1)
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            signal.alarm(20)
            found = []
            threads = [
                threading.Thread(target=lambda: found.append(client.subscriptions.get(2).id))
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert found == [2] * 4
            sys.exit(0)
        pids.append(pid)
    for pid in pids:
        wait(pid)
    assert client.subscriptions.get(1).id == 1
    """
    assert run(shop, CHILD + textwrap.dedent(body), *FORK_WARNING) == (0, "", "")


def test_a_child_of_a_child_can_call(shop: Shop) -> None:
    """A child of a child has a client of its own too."""
    body = """
    client.subscriptions.get(1)
    if (pid := os.fork()) == 0:
        signal.alarm(20)
        assert client.subscriptions.get(2).id == 2
        if (pid := os.fork()) == 0:
            child()
        wait(pid)
        assert client.subscriptions.get(2).id == 2
        sys.exit(0)
    wait(pid)
    assert client.subscriptions.get(1).id == 1
    """
    assert run(shop, CHILD + textwrap.dedent(body), *FORK_WARNING) == (0, "", "")


def test_fork_pool(shop: Shop) -> None:
    """The workers of a forking pool share a client that the parent has used."""
    body = """
    import multiprocessing

    def get(number):
        return client.subscriptions.get(number).id

    client.subscriptions.get(1)
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(get, range(1, 13), chunksize=1) == list(range(1, 13))
        pool.close()
        pool.join()
    assert get(1) == 1
    """
    assert run(shop, body, *FORK_WARNING) == (0, "", "")


def test_fork_while_the_first_call_starts_its_thread(shop: Shop) -> None:
    """A child does not wait for a thread that its parent was about to start."""
    body = """
    start = threading.Thread.start
    starting, forked = threading.Event(), threading.Event()

    def start_late(self):
        if self.name == "rmz-sync":
            starting.set()
            assert forked.wait(20)
        start(self)

    threading.Thread.start = start_late
    call = threading.Thread(target=client.subscriptions.get, args=(1,))
    call.start()
    assert starting.wait(20)
    pid = os.fork()
    if pid == 0:
        threading.Thread.start = start
        child()
    forked.set()
    wait(pid)
    call.join()
    """
    assert run(shop, CHILD + textwrap.dedent(body), *FORK_WARNING) == (0, "", "")


@pytest.mark.parametrize("leaves", ["child()", "sys.exit(0)"], ids=["calls", "leaves"])
@pytest.mark.parametrize("http", TRANSPORTS)
def test_fork_in_the_middle_of_a_call(shop: Shop, http: str | None, leaves: str) -> None:
    """A fork while another thread waits for an answer harms neither side."""
    body = f"""
    found = []
    call = threading.Thread(target=lambda: found.append(client.subscriptions.get({HELD}).id))
    call.start()
    sys.stdin.readline()
    pid = os.fork()
    if pid == 0:
        {leaves}
    wait(pid)
    print("forked", flush=True)
    call.join()
    assert found == [{HELD}]
    """
    with script(shop, CHILD + textwrap.dedent(body), *FORK_WARNING, http=http) as process:
        assert shop.arrived.wait(LIMIT)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("fork\n")
        process.stdin.flush()
        assert process.stdout.readline() == "forked\n"
        shop.release.set()
        assert process.communicate(timeout=LIMIT) == ("", "")
        assert process.returncode == 0


@pytest.mark.parametrize("http", TRANSPORTS)
def test_thirty_forks_among_calls(shop: Shop, http: str | None) -> None:
    """Thirty forks while four threads make calls: every child and every call gets its answer."""
    body = f"""
    # As many as the pacing takes, so that its lock is in use too.
    client = rmz_sync.Client(pacing=rmz_sync.Pacing(per_minute=10_000), http={http!r})
    over, failed, made = threading.Event(), [], []

    def hammer():
        for _ in range(2_000):
            if over.is_set():
                break
            try:
                made.append(client.subscriptions.get(1).id)
            except BaseException as error:
                failed.append(error)

    threads = [threading.Thread(target=hammer, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        pid = os.fork()
        if pid == 0:
            child()
        wait(pid)
    over.set()
    for thread in threads:
        thread.join()
    assert not failed, failed
    assert set(made) == {{1}}
    """
    assert run(shop, CHILD + textwrap.dedent(body), *FORK_WARNING, http=http) == (0, "", "")


def test_a_paywall_knows_after_a_fork_what_it_knew_before(shop: Shop) -> None:
    """A child asks RMZ for all others itself, though its parent has asked before."""
    body = """
    from rmz_sync.paywall import PaywallDouble

    paywall = PaywallDouble()
    paywall.grant("noura")
    paywall.grant("sami")
    assert paywall.check("noura")
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        assert paywall.check("noura")
        assert paywall.check("sami")
        assert paywall.status.asked == 2
        paywall.close()
        sys.exit(0)
    wait(pid)
    assert paywall.check("sami")
    assert paywall.status.asked == 2
    paywall.close()
    """
    assert run(shop, CHILD + textwrap.dedent(body), *FORK_WARNING) == (0, "", "")
