"""The answer to a user whom a paywall does not let in, the same in all frameworks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from inspect import isawaitable
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast
from urllib.parse import quote

import attrs

from rmz_async._callables import is_async
from rmz_async.errors import ConfigurationError, MissingExtraError
from rmz_async.integrations._language import preferred
from rmz_async.paywall import Access
from rmz_async.plans import Plan

SignedIn: TypeAlias = Awaitable[str | None] | str | None
"""The signed-in user; None if nobody is signed in. Code that awaits takes both forms."""

T = TypeVar("T")

NOBODY = 401
REFUSED = 402
CANNOT_SAY = 503
SEE_OTHER = 303

RETRY_AFTER = 2

# The letters of an address that mean something in it, and those that are encoded already.
_OF_AN_ADDRESS = "/#%[]=:;$&()+,!?*@'~"


class AsyncPaywall(Protocol):
    """A paywall for code that awaits: ``rmz_async.Paywall``."""

    async def check(self, user: str, *products: str | Plan) -> Access:
        """Return whether a user has access."""
        ...


class BlockingPaywall(Protocol):
    """A paywall for code that cannot await: ``rmz_sync.Paywall``."""

    def check(self, user: str, *products: str | Plan) -> Access:
        """Return whether a user has access."""
        ...


def keep_private(page: T) -> T:
    """Return *page*, which no proxy may keep for the next visitor unless the view has said so."""
    headers = getattr(page, "headers", None)
    # Some answers have none, such as an ASGI application.
    if headers is not None:
        headers.setdefault("Cache-Control", "private")
    return page


async def awaited_user(signed_in: SignedIn) -> str | None:
    """Return the signed-in user, awaited if need be."""
    return await signed_in if isawaitable(signed_in) else signed_in


def check_paywall(paywall: BlockingPaywall) -> None:
    """Make sure that code that cannot await can ask the paywall.

    Raises:
        ConfigurationError: *paywall* awaits, so that each check would be left undone.
    """
    if is_async(paywall.check):
        raise ConfigurationError(
            "paywall: must be a Paywall of rmz_sync, because the view is not async"
        )


def check_async_paywall(paywall: AsyncPaywall) -> None:
    """Make sure that code that awaits can ask the paywall.

    Raises:
        ConfigurationError: *paywall* blocks, so that a check would stop the event loop.
    """
    # A paywall of the caller's own may return a coroutine without being async.
    if type(paywall).__module__.partition(".")[0] == "rmz_sync":
        raise ConfigurationError(
            "paywall: must be a Paywall of rmz_async, because its answer is awaited"
        )


class RequestHeaders(Protocol):
    """The headers of a request, by their names in lower case."""

    def get(self, name: str, default: str, /) -> str:
        """Return the value of a header."""
        ...


@attrs.frozen(kw_only=True)
class Refusal:
    """An answer.

    Attributes:
        status: The HTTP status.
        body: For JSON.
        headers: Beside the content type.
    """

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


class Gate:
    """Names the products that let a user in, and makes the answer to all others.

    Args:
        slugs: The products' names in addresses; empty for all that the paywall counts.
        functions: The caller's own functions, by the names of the arguments. Only the offer may be
            None.

    Raises:
        ConfigurationError: A slug is empty, or a function is of another type.
    """

    def __init__(self, slugs: Sequence[str], **functions: object) -> None:
        given = cast("Sequence[object]", slugs)
        if not all(isinstance(slug, str) and slug for slug in given):
            raise ConfigurationError(
                'requires: pass each slug, such as "pro-plan", as an argument of its own'
            )
        for name, function in functions.items():
            if not callable(function) and (name, function) != ("offer", None):
                raise ConfigurationError(
                    f"{name}: must be a function, which is called for each request, and not a "
                    f"{type(function).__name__}"
                )
        self.slugs: tuple[str, ...] = tuple(slugs)

    def refusal(self, access: Access | None, request: RequestHeaders, offer: str | None) -> Refusal:
        """Return the answer to a user without access.

        Args:
            access: Why; None if nobody is signed in.
            request: The headers of the request: a browser is sent to the offer, and the text is in
                the language that it prefers.
            offer: The address at which the user can subscribe.
        """
        # A proxy that kept the answer would refuse a customer who has just paid.
        headers = {"Cache-Control": "no-store", "Vary": "Accept, Accept-Language"}
        if access is None:
            return Refusal(status=NOBODY, body={"reason": "not_signed_in"}, headers=headers)
        body: dict[str, Any] = {"reason": str(access.reason)}
        text = _text(access, request.get("accept-language", ""))
        if text is not None:
            body["text"] = text
        if not access.certain:
            headers["Retry-After"] = str(access.retry_after or RETRY_AFTER)
            return Refusal(status=CANNOT_SAY, body=body, headers=headers)
        if offer is not None:
            # Frameworks make such an address as an object of their own.
            body["offer"] = str(offer)
            if "text/html" in request.get("accept", "").lower():
                # A header has no room for Arabic letters, nor for a line break.
                headers["Location"] = quote(str(offer), safe=_OF_AN_ADDRESS)
                return Refusal(status=SEE_OTHER, body=body, headers=headers)
        return Refusal(status=REFUSED, body=body, headers=headers)


R = TypeVar("R")


class AsyncGate(Gate, Generic[R]):
    """A gate that asks who the user is, and then the paywall.

    Args:
        slugs: The products' names in addresses; empty for all that the paywall counts.
        paywall: Answers.
        user: Returns the signed-in user of a request.
        offer: Returns the address at which the user can subscribe.

    Raises:
        ConfigurationError: A slug is empty, *paywall* is one of `rmz_sync`, or *user* is no
            function.
    """

    def __init__(
        self,
        slugs: Sequence[str],
        paywall: AsyncPaywall,
        user: Callable[[R], SignedIn],
        offer: Callable[[R], str | None] | None,
    ) -> None:
        check_async_paywall(paywall)
        super().__init__(slugs, user=user, offer=offer)
        self._paywall = paywall
        self._user = user
        self._offer = offer

    async def answer(self, request: R, headers: RequestHeaders) -> Access | Refusal:
        """Return what lets the user in, or the answer to all others."""
        user = await awaited_user(self._user(request))
        access = await self._paywall.check(user, *self.slugs) if user else None
        if access:
            return access
        offer = None if self._offer is None else self._offer(request)
        return self.refusal(access, headers, offer)


def _text(access: Access, accept_language: str) -> str | None:
    try:
        return access.text(preferred(accept_language))
    except MissingExtraError:
        # The words are an extra, and the reason is there without them.
        return None
