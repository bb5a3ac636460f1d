"""The meaning of an error of the HTTP library for our request; decided here and nowhere else."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from traceback import walk_tb

import httpx

from rmz_async._calls.outcome import Failure, UnreadableBodyError
from rmz_async._http.base_url import is_loopback

_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

# By name: a caller may pass in a client over aiohttp, which is not imported here.
_NOT_SENT_OF_AIOHTTP = {
    "ClientConnectorError",
    "ClientHttpProxyError",
    "ConnectionTimeoutError",
    "InvalidUrlClientError",
    "NonHttpUrlClientError",
}

# The function of httpx that calls the event hooks and, between them, the transport.
_HOOKS_AND_TRANSPORT = "_send_handling_redirects"

_STATUS = re.compile(r"([1-5][0-9]{2})\b")


def failure_of(error: Exception, request: httpx.Request) -> Failure:
    """Return what *error*, which ended *request*, says about it."""
    if not _is_of_transport(error):
        return Failure.AMBIGUOUS
    if isinstance(error, RuntimeError):
        # A name cannot be resolved, as the interpreter starts no thread any more.
        return Failure.NOT_SENT if "shutdown" in str(error) else Failure.AMBIGUOUS
    if not isinstance(error, _NOT_SENT) or error.request is not request:
        return Failure.AMBIGUOUS
    cause = error.__cause__
    # httpx-aiohttp says "connect time-out" of a connection that was lost after all was sent.
    if _is_of_aiohttp(cause) and not _NOT_SENT_OF_AIOHTTP & _kinds_of(cause):
        return Failure.AMBIGUOUS
    hopeless = _certificate_error_in(error) is not None or _proxy_status_of(error) == 407
    return Failure.NEVER_SENT if hopeless else Failure.NOT_SENT


def reason_of(error: Exception, request: httpx.Request | None = None) -> str:
    """Return what happened to *request*, in a few words without any secret."""
    untrusted = _certificate_error_in(error)
    if untrusted is not None:
        # The errors of the ssl module have `verify_message`; those of aiohttp do not.
        detail = getattr(untrusted, "verify_message", "")
        return (
            f"the certificate is not trusted{': ' * bool(detail)}{detail}; if your network signs "
            "certificates itself, name its own in SSL_CERT_FILE or pass "
            "http=httpx.AsyncClient(verify=...)"
        )
    status = _proxy_status_of(error)
    if status is not None:
        advice = ": write its user name and password into its address" if status == 407 else ""
        return f"the proxy answered {status}{advice}"
    shown = error.__cause__ if _is_of_aiohttp(error.__cause__) else error
    # The messages of these errors are known to show no header and no body.
    is_known = isinstance(shown, httpx.ConnectError | UnreadableBodyError) or (
        "ClientConnectorError" in _kinds_of(shown)
    )
    reason = str(shown) if is_known and str(shown) else type(shown).__name__
    if request is not None and isinstance(error, httpx.ConnectError):
        host, port = request.url.host, request.url.port
        if is_loopback(host):
            # An address of the developer's own machine can only mean the sandbox.
            return f"{reason}; does the sandbox run at {host}{f':{port}' * (port is not None)}?"
    return reason


def answer_in(error: Exception, request: httpx.Request) -> httpx.Response | None:
    """Return the answer that an event hook's error holds, such as that of `raise_for_status`."""
    for each in _chain(error):
        response = vars(each).get("response")
        if isinstance(response, httpx.Response) and response.request is request:
            return response
    return None


def _is_of_transport(error: Exception) -> bool:
    """Say whether *error* comes from the transport of the request, so that no answer had begun.

    An event hook of the caller's own client may make requests of its own once RMZ has answered,
    even the same one again, and these may fail.
    """
    steps = [frame.f_code.co_name for frame, _ in walk_tb(error.__traceback__)]
    if _HOOKS_AND_TRANSPORT not in steps:
        return False
    return steps[steps.index(_HOOKS_AND_TRANSPORT) + 1 :][:1] == ["_send_single_request"]


def _certificate_error_in(error: Exception) -> ssl.SSLCertVerificationError | None:
    found = [each for each in _chain(error) if isinstance(each, ssl.SSLCertVerificationError)]
    return found[-1] if found else None


def _proxy_status_of(error: Exception) -> int | None:
    # The message begins with the status, and the rest is the proxy's own.
    status = _STATUS.match(str(error)) if isinstance(error, httpx.ProxyError) else None
    return int(status[1]) if status else None


def _is_of_aiohttp(error: BaseException | None) -> bool:
    return type(error).__module__.partition(".")[0] == "aiohttp"


def _kinds_of(error: BaseException | None) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield *error*, and each error from which or during which the one before was raised."""
    # An exception that is raised twice, as a caller's own transport may do, can be its own context.
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
