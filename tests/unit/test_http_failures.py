"""Errors of the HTTP library, made by hand, and what each says about a request."""

from __future__ import annotations

import ssl

import httpx
import pytest

from rmz_async._calls.outcome import Failure, UnreadableBodyError
from rmz_async._http.failures import answer_in, failure_of, reason_of

REQUEST = httpx.Request("GET", "https://host.example")
CONNECTOR_ERROR = "ClientConnectorError"
CONNECTOR_ERRORS = [
    CONNECTOR_ERROR,
    "ClientHttpProxyError",
    "ConnectionTimeoutError",
    "InvalidUrlClientError",
    "NonHttpUrlClientError",
]


def of_aiohttp(name: str, message: str = "") -> Exception:
    """An error as the aiohttp library would raise it, of a kind below the one that is named."""
    kind = type(name, (Exception,), {"__module__": "aiohttp.client_exceptions"})
    below: type[Exception] = type("Particular", (kind,), {"__module__": kind.__module__})
    return below(message)


def raised(error: Exception, *, cause: BaseException | None = None) -> Exception:
    """Let a transport raise *error* for the request, and return what httpx makes of it."""

    def fail(_: httpx.Request) -> httpx.Response:
        raise error from cause

    with (
        httpx.Client(transport=httpx.MockTransport(fail)) as client,
        pytest.raises(type(error)) as caught,
    ):
        client.send(REQUEST)
    return caught.value


@pytest.mark.parametrize(
    "kind",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    ],
)
def test_a_connection_that_was_never_open_sent_nothing(kind: type[httpx.TransportError]) -> None:
    """For any reason, another attempt may come through."""
    assert failure_of(raised(kind("no")), REQUEST) is Failure.NOT_SENT


@pytest.mark.parametrize(
    "kind", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_a_connection_that_broke_later_may_have_sent_the_request(
    kind: type[httpx.TransportError],
) -> None:
    """Bytes had gone out before."""
    assert failure_of(raised(kind("no")), REQUEST) is Failure.AMBIGUOUS


def test_an_error_about_another_request_says_nothing_about_this_one() -> None:
    """An event hook of the caller may have made that request after the answer to this one."""
    error = raised(httpx.ConnectError("no"))

    assert failure_of(error, httpx.Request("GET", "https://host.example")) is Failure.AMBIGUOUS


def test_an_error_that_no_transport_raised_proves_nothing() -> None:
    """A hook can raise one in the name of the request, when the answer had begun."""
    error = httpx.ConnectError("no", request=REQUEST)
    with pytest.raises(httpx.ConnectError):
        raise error

    assert failure_of(error, REQUEST) is Failure.AMBIGUOUS


@pytest.mark.parametrize(
    ("message", "failure"),
    [
        ("cannot schedule new futures after shutdown", Failure.NOT_SENT),
        ("Event loop is closed", Failure.AMBIGUOUS),
    ],
)
def test_an_interpreter_that_shuts_down_sent_nothing(message: str, failure: Failure) -> None:
    """No other RuntimeError says when it came."""
    assert failure_of(raised(RuntimeError(message)), REQUEST) is failure


@pytest.mark.parametrize("name", CONNECTOR_ERRORS)
def test_aiohttp_names_a_connection_that_never_was(name: str) -> None:
    """Its own error, behind that of httpx, is the one that knows."""
    error = raised(httpx.ConnectError("no"), cause=of_aiohttp(name))

    assert failure_of(error, REQUEST) is Failure.NOT_SENT


def test_a_connection_that_aiohttp_lost_may_have_sent_the_request() -> None:
    """Although httpx-aiohttp calls that a connect time-out."""
    error = raised(httpx.ConnectTimeout("no"), cause=of_aiohttp("ServerDisconnectedError"))

    assert failure_of(error, REQUEST) is Failure.AMBIGUOUS


@pytest.mark.parametrize(
    "message", ["407 Proxy Authentication Required", "407", "502 Bad Gateway", "407000 Bearer 1|t"]
)
def test_a_proxy_that_wants_a_password_will_want_it_again(message: str) -> None:
    """Any other status of a proxy may pass."""
    wanted = Failure.NEVER_SENT if message.split()[0] == "407" else Failure.NOT_SENT

    assert failure_of(raised(httpx.ProxyError(message)), REQUEST) is wanted


def test_an_untrusted_certificate_stays_untrusted() -> None:
    """Another attempt would meet the same one."""
    error = raised(httpx.ConnectError("no"), cause=ssl.SSLCertVerificationError())

    assert failure_of(error, REQUEST) is Failure.NEVER_SENT


def test_the_reason_of_a_certificate_names_the_fault_and_the_remedy() -> None:
    """The detail is that of the ssl module."""
    untrusted = ssl.SSLCertVerificationError()
    untrusted.verify_message = "self-signed certificate"
    error = httpx.ConnectError("outer")
    error.__cause__ = untrusted

    assert reason_of(error) == (
        "the certificate is not trusted: self-signed certificate; if your network signs "
        "certificates itself, name its own in SSL_CERT_FILE or pass "
        "http=httpx.AsyncClient(verify=...)"
    )


def test_of_two_errors_about_a_certificate_the_first_that_was_raised_counts() -> None:
    """A transport may raise one of its own over that of the ssl module, without the detail."""
    inner, outer = ssl.SSLCertVerificationError(), ssl.SSLCertVerificationError()
    inner.verify_message = "expired"
    outer.__cause__ = inner
    error = httpx.ConnectError("no")
    error.__cause__ = outer

    assert reason_of(error).startswith("the certificate is not trusted: expired; ")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            "407 Bearer 1|token",
            "the proxy answered 407: write its user name and password into its address",
        ),
        ("502 Bearer 1|token", "the proxy answered 502"),
        ("Bearer 1|token", "ProxyError"),
    ],
)
def test_the_reason_of_a_proxy_is_only_its_status(message: str, reason: str) -> None:
    """The rest is the proxy's own, and may repeat a header."""
    assert reason_of(httpx.ProxyError(message)) == reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("all attempts failed"), "all attempts failed"),
        (UnreadableBodyError("the body was cut"), "the body was cut"),
        (httpx.ConnectError(""), "ConnectError"),
        (httpx.ReadError("Bearer 1|token"), "ReadError"),
    ],
)
def test_a_reason_shows_no_string_that_may_hold_a_secret(error: Exception, reason: str) -> None:
    """An error that can show a header gives its name only."""
    assert reason_of(error) == reason


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (of_aiohttp(CONNECTOR_ERROR, "cannot connect"), "cannot connect"),
        (of_aiohttp("ServerDisconnectedError", "Bearer 1|token"), "Particular"),
        (OSError("reset"), "outer"),
    ],
)
def test_the_reason_is_that_of_aiohttp_if_it_sent_the_request(
    cause: Exception, reason: str
) -> None:
    """Any other cause is below what httpx says itself."""
    error = httpx.ConnectError("outer")
    error.__cause__ = cause

    assert reason_of(error) == reason


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://127.0.0.1:8787/shawarma", "127.0.0.1:8787"),
        ("http://localhost/shawarma", "localhost"),
    ],
)
def test_a_closed_port_of_this_machine_makes_one_think_of_the_sandbox(url: str, place: str) -> None:
    request = httpx.Request("GET", url)

    reason = reason_of(httpx.ConnectError("refused"), request)

    assert reason == f"refused; does the sandbox run at {place}?"


@pytest.mark.parametrize(
    ("error", "url"),
    [
        (httpx.ConnectError("refused"), "https://host.example/shawarma"),
        (httpx.ReadError("lost"), "http://127.0.0.1:8787/shawarma"),
    ],
)
def test_no_other_failure_makes_one_think_of_the_sandbox(error: Exception, url: str) -> None:
    assert "sandbox" not in reason_of(error, httpx.Request("GET", url))


def test_the_answer_in_an_error_is_that_to_its_own_request() -> None:
    """A hook may hold the answer to a request of its own."""
    answer = httpx.Response(500, request=REQUEST)
    inner = httpx.HTTPStatusError("500", request=REQUEST, response=answer)
    error = ValueError("outer")
    error.__context__ = inner

    assert answer_in(error, REQUEST) is answer
    assert answer_in(error, httpx.Request("GET", "https://host.example")) is None


def test_a_foreign_attribute_is_not_taken_for_an_answer() -> None:
    """An error of the caller's may have an attribute of that name."""
    error = ValueError("outer")
    vars(error)["response"] = type("Other", (), {"request": REQUEST})()

    assert answer_in(error, REQUEST) is None


@pytest.mark.parametrize("link", ["__cause__", "__context__"])
def test_a_certificate_behind_an_error_is_found_however_deep(link: str) -> None:
    """And nothing else is taken for it."""
    outer, inner = httpx.ConnectError("outer"), OSError("inner")
    setattr(outer, link, inner)
    assert reason_of(outer) == "outer"
    setattr(inner, link, ssl.SSLError())
    assert reason_of(outer) == "outer"
    setattr(inner, link, ssl.SSLCertVerificationError())
    assert reason_of(outer).startswith("the certificate is not trusted; if ")


def test_errors_in_a_circle_hold_nobody_up() -> None:
    """As an error that is raised twice may be its own context."""
    one, two = OSError("one"), OSError("two")
    one.__context__, two.__context__ = two, one
    assert reason_of(one) == "OSError"
    assert answer_in(one, httpx.Request("GET", "https://host.example")) is None
