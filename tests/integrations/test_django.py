"""RMZ in Django: under ASGI and WSGI, the system check, and the worker."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import httpx
import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.base import BaseHandler
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path, resolve

import rmz_sync
from rmz_async import webhooks
from rmz_async.integrations.django.configuration import check_receiver, receiver_of_settings
from rmz_async.integrations.django.views import webhook
from rmz_async.webhooks import EventType
from tests.integrations.blocking import serving_wsgi
from tests.integrations.conftest import PATH, SECRET, Effects, deliver, serving

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["*"],
        SECRET_KEY="for tests",
        INSTALLED_APPS=["rmz_async.integrations.django"],
        MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
        LOGGING_CONFIG=None,
        RMZ_RECEIVER=f"{__name__}.receiver_of_project",
    )
    django.setup()

urlpatterns: list[Any] = []
receiver_of_project: Any = None


@pytest.fixture(autouse=True)
def project() -> Iterator[None]:
    """A project whose addresses the test sets."""
    urlpatterns.clear()
    yield
    urlpatterns.clear()


def use(receiver: Any) -> None:
    """Let the project have a receiver."""
    global receiver_of_project
    receiver_of_project = receiver
    urlpatterns.append(path(PATH.removeprefix("/"), webhook(receiver_of_settings())))


def test_an_async_receiver_stores_deliveries_under_asgi(
    receiver: webhooks.Receiver, effects: Effects
) -> None:
    """Django's check against forged forms lets deliveries pass; forged ones are refused."""
    use(receiver)
    with serving(get_asgi_application()) as url:
        check_answers(url)
    call_command("rmz_worker", "--once")

    assert effects.names == ["subscription.renewed"]


def test_an_async_receiver_stores_deliveries_under_wsgi(
    receiver: webhooks.Receiver, effects: Effects, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each request has an event loop of its own."""
    use(receiver)
    with serving_wsgi(get_wsgi_application()) as url:
        check_answers(url)
    call_command("rmz_worker", "--once")

    assert effects.names == ["subscription.renewed"]
    assert capsys.readouterr().out == "1 handlers ran\n"


def test_a_blocking_receiver_stores_deliveries_under_wsgi(
    blocking_receiver: rmz_sync.webhooks.Receiver, effects: Effects
) -> None:
    """The worker runs its handlers, too."""
    use(blocking_receiver)
    with serving_wsgi(get_wsgi_application()) as url:
        check_answers(url)
    call_command("rmz_worker", "--once")

    assert effects.names == ["subscription.renewed"]


def signed_in_only(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Send everybody to the login, as Django's LoginRequiredMiddleware does."""

    class Middleware:
        def __call__(self, request: HttpRequest) -> Any:
            return get_response(request)

        def process_view(self, _: HttpRequest, view: object, *__: object) -> HttpResponse | None:
            return HttpResponse(status=302) if getattr(view, "login_required", True) else None

    return Middleware()


def test_a_delivery_need_not_sign_in(blocking_receiver: rmz_sync.webhooks.Receiver) -> None:
    """RMZ cannot, and its signature takes the place of a login."""
    use(blocking_receiver)
    with override_settings(MIDDLEWARE=[f"{__name__}.signed_in_only"]):
        application = get_wsgi_application()
    with serving_wsgi(application) as url:
        check_answers(url)


@pytest.mark.parametrize("alias", ["default", "other"])
def test_a_view_is_outside_of_the_transactions_of_requests(
    receiver: webhooks.Receiver, alias: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django has no transaction for an async view, and would answer 500."""
    monkeypatch.setattr(connections, "settings", {alias: {"ATOMIC_REQUESTS": True}})
    view = webhook(receiver)

    assert BaseHandler().make_view_atomic(view) is view


def check_answers(url: str) -> None:
    """Deliver an event twice, and a forged one."""
    body = webhooks.sample(EventType.SUBSCRIPTION_RENEWED)
    assert [deliver(url, body).status_code for _ in range(2)] == [200, 200]
    assert deliver(url, body, "0" * 64).status_code == 401
    assert httpx.get(url + PATH).status_code == 405


def test_a_body_that_is_not_complete_leaves_no_traceback(receiver: webhooks.Receiver) -> None:
    """A sender that hangs up is no error of the project."""
    use(receiver)
    request = RequestFactory().post(PATH, data=b"x", content_type="application/json")

    class Cut:
        def read(self, *_: object) -> bytes:
            raise OSError("hung up")

    stream: Any = Cut()
    request._stream = stream

    assert asyncio.run(webhook(receiver)(request)).status_code == 400


def test_a_body_in_chunks_is_verified_under_wsgi(
    blocking_receiver: rmz_sync.webhooks.Receiver,
) -> None:
    """A proxy may send it so, without a length, and Django itself sees no body then."""
    use(blocking_receiver)
    body = webhooks.sample(EventType.SUBSCRIPTION_RENEWED)
    environ: dict[str, Any] = {
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "HTTP_SIGNATURE": webhooks.sign(body, SECRET),
    }

    request = RequestFactory().generic("POST", PATH, **environ)

    assert webhook(blocking_receiver)(request).status_code == 200


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "must be the dotted path"),
        ("no.such.module", "No module named"),
        ("os.path.join", "is no receiver"),
        ("rmz_async.webhooks.Receiver", "is no receiver"),
    ],
)
def test_a_wrong_setting_is_named_as_django_starts(value: object, problem: str) -> None:
    """No delivery has to fail first."""
    with override_settings(RMZ_RECEIVER=value):
        (error,) = check_receiver()
        assert problem in error.msg
        assert error.id == "rmz.E001"
        with pytest.raises(ImproperlyConfigured, match="RMZ_RECEIVER"):
            receiver_of_settings()


def test_the_addresses_of_the_application_have_the_view(receiver: webhooks.Receiver) -> None:
    """A project includes them."""
    use(receiver)

    found = resolve(PATH, urlconf="rmz_async.integrations.django.urls")
    assert found.url_name == "rmz-webhook"


def test_a_right_setting_passes_the_check(receiver: webhooks.Receiver) -> None:
    use(receiver)

    assert check_receiver() == []


class Interrupting(io.StringIO):
    """An output that asks the process to end as soon as a command has said something."""

    def write(self, text: str, /) -> int:
        """Write *text*, and send the signal of a service manager."""
        written = super().write(text)
        os.kill(os.getpid(), signal.SIGTERM)
        return written


@pytest.mark.parametrize("kind", ["receiver", "blocking_receiver"])
@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process of Windows")
def test_the_worker_ends_when_a_signal_asks_for_it(
    request: pytest.FixtureRequest, kind: str
) -> None:
    """The command says that it works once it can be asked to end."""
    use(request.getfixturevalue(kind))
    output = Interrupting()
    call_command("rmz_worker", stdout=output)

    assert output.getvalue() == "working; Ctrl-C ends it\n"


PROJECT = """
import sys, django
from django.conf import settings
import rmz_sync
from {package} import webhooks

if __name__ == "__main__":
    sys.modules["project"] = sys.modules["__main__"]
receiver = webhooks.Receiver(secrets=["{secret}"], inbox="sqlite:///{inbox}")

@receiver.on("*", name="handle")
def handle(event):
    print("handled", event.event, flush=True)

settings.configure(
    INSTALLED_APPS=["rmz_async.integrations.django"], RMZ_RECEIVER="project.receiver",
    ROOT_URLCONF="rmz_async.integrations.django.urls", ALLOWED_HOSTS=["*"],
)
if __name__ == "__main__":
    django.setup()
    from django.core.management import call_command
    call_command("rmz_worker", "--concurrency", "2")
"""


@pytest.mark.parametrize("package", ["rmz_async", "rmz_sync"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGTERM to a process")
def test_the_worker_runs_handlers_until_it_is_asked_to_end(tmp_path: Path, package: str) -> None:
    """SIGTERM, as a service manager sends it; the exit code says that all is well."""
    inbox = tmp_path / "inbox.db"
    script = tmp_path / "project.py"
    script.write_text(textwrap.dedent(PROJECT).format(secret=SECRET, inbox=inbox, package=package))
    receiver = webhooks.Receiver(secrets=[SECRET], inbox=f"sqlite:///{inbox}")
    receiver.on("*", name="handle")(lambda event: None)
    body = webhooks.sample(EventType.SUBSCRIPTION_RENEWED)
    headers = {"Signature": webhooks.sign(body, SECRET)}
    assert asyncio.run(receiver.receive(body, headers)).status == 200
    receiver.inbox.close()

    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        lines = {process.stdout.readline(), process.stdout.readline()}
        assert lines == {"working; Ctrl-C ends it\n", "handled subscription.renewed\n"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
