"""Views for RMZ's deliveries."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt

from rmz_async.integrations._bodies import READ_AT_MOST, AsyncReceiver, BlockingReceiver
from rmz_async.integrations.django.configuration import receiver_of_settings
from rmz_async.webhooks import Ack

__all__ = ("webhook", "webhook_of_settings")


def webhook(receiver: AsyncReceiver | BlockingReceiver) -> Callable[[HttpRequest], Any]:
    """Return the view for deliveries: async for a receiver of ``rmz_async``, else plain.

    RMZ can neither sign in nor send Django's token against forged forms: the signature takes their
    place. The inbox commits by itself, so that ``ATOMIC_REQUESTS`` leaves the view alone.

    Args:
        receiver: Verifies and stores the deliveries.
    """
    receive: Any = receiver.receive

    async def view(request: HttpRequest) -> HttpResponse:
        refused, body = _body(request)
        return refused or _answer(await receive(body, request.META))

    def blocking_view(request: HttpRequest) -> HttpResponse:
        refused, body = _body(request)
        return refused or _answer(receive(body, request.META))

    found: Any = csrf_exempt(view if inspect.iscoroutinefunction(receive) else blocking_view)
    # The attribute that login_not_required sets, which older versions of Django lack.
    found.login_required = False
    for alias in connections:
        found = transaction.non_atomic_requests(alias)(found)
    return cast("Callable[[HttpRequest], Any]", found)


def webhook_of_settings() -> Callable[[HttpRequest], Any]:
    """Return the view for the receiver that ``RMZ_RECEIVER`` names."""
    return webhook(receiver_of_settings())


def _body(request: HttpRequest) -> tuple[HttpResponse | None, bytes]:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"]), b""
    try:
        # request.body has a limit of its own, which is a setting of the application.
        return None, _stream(request).read(READ_AT_MOST)
    except Exception:  # noqa: BLE001 - each server has errors of its own
        return HttpResponse("the body is not complete", status=400), b""


def _stream(request: HttpRequest) -> Any:
    environ: dict[str, Any] = getattr(request, "environ", {})
    # Django sees no body in chunks, which a server that marks the end of its stream can read. A
    # middleware that asked Django for the body has got none, and the stream has it still.
    is_chunked = environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH")
    return environ["wsgi.input"] if is_chunked else request


def _answer(ack: Ack) -> HttpResponse:
    return HttpResponse(ack.body, status=ack.status, content_type="text/plain")
