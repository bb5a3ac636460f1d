"""A decorator that lets subscribers into a view."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from rmz_async._callables import is_async
from rmz_async._extras import extra
from rmz_async.integrations._gate import (
    AsyncPaywall,
    BlockingPaywall,
    Gate,
    SignedIn,
    awaited_user,
    keep_private,
)
from rmz_async.paywall import Access

with extra("django", needed_by="rmz_async.integrations.django.gate"):
    from asgiref.sync import iscoroutinefunction, sync_to_async
    from django.http import HttpRequest, HttpResponse, JsonResponse

__all__ = ("requires",)

View = Callable[..., Any]


def requires(
    *slugs: str,
    paywall: AsyncPaywall | BlockingPaywall,
    user: Callable[[HttpRequest], SignedIn],
    offer: Callable[[HttpRequest], str | None] | None = None,
) -> Callable[[View], View]:
    """Return a decorator that lets subscribers in; ``request.access`` is the answer.

    An async view needs a paywall of ``rmz_async``. For a plain one take that of ``rmz_sync``; with
    the other one, Django runs an event loop for each request.
    :mod:`rmz_async.integrations` says what all others get.

    Args:
        slugs: The products that let in; none for all that the paywall counts.
        paywall: Answers.
        user: Returns the signed-in user; None if nobody is signed in. May be async with a paywall
            of ``rmz_async``, because ``request.user`` may ask the database, and
            ``await request.auser()`` does not block.
        offer: Returns the address at which the user can subscribe.

    Raises:
        ConfigurationError: A slug is empty, or *user* is no function.
    """
    gate = Gate(slugs, user=user, offer=offer)
    check: Any = paywall.check

    def refused(request: HttpRequest, access: Access | None) -> HttpResponse | None:
        if access is not None and access.granted:
            request.access = access  # type: ignore[attr-defined] # for the view
            return None
        refusal = gate.refusal(access, request.headers, None if offer is None else offer(request))
        return JsonResponse(refusal.body, status=refusal.status, headers=refusal.headers)

    def decorate(view: View) -> View:
        @functools.wraps(view)
        async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            name = await awaited_user(user(request))
            answer = refused(request, await check(name, *gate.slugs) if name else None)
            if answer is not None:
                return answer
            # A method of a class of Django's may be async, and not say so.
            run = view if _is_async_view(view) else sync_to_async(view)
            response = await run(request, *args, **kwargs)
            return keep_private(await response if inspect.isawaitable(response) else response)

        @functools.wraps(view)
        def guarded_blocking(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            name = user(request)
            answer = refused(request, check(name, *gate.slugs) if name else None)
            return keep_private(view(request, *args, **kwargs)) if answer is None else answer

        return guarded if is_async(check) or _is_async_view(view) else guarded_blocking

    return decorate


def _is_async_view(view: View) -> bool:
    # Python 3.11 itself does not know the mark of a function that a class of Django's returns.
    return iscoroutinefunction(view)  # pyright: ignore[reportDeprecated] - this knows the mark
