"""A planted token and a planted webhook secret, looked for everywhere afterwards."""

from __future__ import annotations

import copy
import logging
import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

import rmz_async
import rmz_sync
from rmz_async import Client, NewCustomer, OrderLine, RetryPolicy, RMZError
from rmz_async.paywall import Policy
from rmz_async.webhooks import verify
from tests.endpoints import RESOURCES
from tests.seams import Clock, async_client, connections_of, tokens_of, transport_of

CANARY = "S3CRETcanary"
TOKEN = f"1|{CANARY}0123456789abcdef"
SECRET = f"{CANARY}-of-a-webhook-28"
# Not among the variables of a frame: those of a test are looked through like all others.
TOKENS: dict[str, Any] = {
    "line break": f"{TOKEN}\n",
    "space": f"1| {TOKEN}",
    "not ASCII": f"{TOKEN}é",
    "surrogate": f"{TOKEN}\udcff",
    "too long": TOKEN * 30,
    "bytes": TOKEN.encode(),
    "list": [TOKEN],
}
SECRETS: dict[str, Any] = {
    "good": [SECRET],
    "text": SECRET,
    "bytes": SECRET.encode(),
    "short": [CANARY],
    "surrogate": [SECRET + "\udcff"],
    "bytes in a list": [SECRET.encode()],
    "too many": [SECRET] * 33,
    "missing": [SECRET, None],
}

PAYWALLS: dict[str, dict[str, Any]] = {
    "short": {"state_secret": CANARY},
    "one short": {"state_secret": [SECRET, CANARY]},
    "one missing": {"state_secret": [SECRET, None]},
    "surrogate": {"state_secret": SECRET + "\udcff"},
    "bytes": {"state_secret": SECRET.encode()},
    "capacity": {"state_secret": SECRET, "capacity": 0},
    "outage": {"state_secret": SECRET, "on_outage": "guess"},
    "products": {"state_secret": SECRET, "product_ids": [102], "policy": Policy()},
}


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it was raised from or during, suppressed or not."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
            yield one


def all_that_shows(error: BaseException) -> str:
    """Everything that a log, a tracker of errors or a task queue would keep of an error."""
    shown: list[str] = []
    for one in chain(error):
        summary = traceback.TracebackException.from_exception(one, capture_locals=True)
        shown += [*summary.format(), str(one), repr(one), repr(one.args), repr(vars(one))]
        if isinstance(one, RMZError):
            shown.append(repr(pickle.dumps(one)))
            shown.append(repr(vars(copy.deepcopy(one))))
    return "\n".join(shown)


def raised_by(act: Callable[[], object]) -> BaseException:
    """The error that an action ends in."""
    try:
        act()
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not show the secret
        return error
    raise AssertionError("nothing was raised")


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any logger says, at its most talkative."""
    caplog.set_level(logging.DEBUG)
    for name in ("rmz_async", "httpx", "httpcore", "asyncio", "anyio"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.parametrize("package", [rmz_async, rmz_sync], ids=lambda package: package.__name__)
@pytest.mark.parametrize("kind", TOKENS)
def test_a_refused_token_is_not_shown(kind: str, package: Any) -> None:
    """A bad token is not shown by the refusal, nor by the variables of the frames it passes."""
    error = raised_by(lambda: package.Client(TOKENS[kind]))

    assert isinstance(error, rmz_async.ConfigurationError)
    assert CANARY not in all_that_shows(error)


@pytest.mark.parametrize("kind", TOKENS)
def test_a_refused_token_of_the_environment_is_not_shown(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad token from the environment is not shown either."""
    if not isinstance(TOKENS[kind], str):
        monkeypatch.setenv("RMZ_API_TOKEN", f"{TOKEN} ")
    else:
        monkeypatch.setenv("RMZ_API_TOKEN", TOKENS[kind])
    error = raised_by(Client)

    assert isinstance(error, rmz_async.ConfigurationError)
    assert CANARY not in all_that_shows(error)


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "http://shop.example"},
        {"base_url": f"https://user:{CANARY}@shop.example"},
        {"base_url": f"https://shop.example?token={CANARY}"},
        {"timeout": 0},
    ],
    ids=["plain http", "password", "query", "timeout"],
)
@pytest.mark.parametrize("package", [rmz_async, rmz_sync], ids=lambda package: package.__name__)
def test_a_refused_option_does_not_show_the_token(options: dict[str, Any], package: Any) -> None:
    """A good token is not shown where another option is bad."""
    error = raised_by(lambda: package.Client(TOKENS["line break"].strip(), **options))

    assert CANARY not in str(error)
    assert TOKEN not in all_that_shows(error)


def test_no_object_between_caller_and_connection_shows_the_token() -> None:
    """No object between the caller and the connection shows it."""
    client = Client(TOKEN)
    objects = [
        client,
        transport_of(client),
        connections_of(client),
        tokens_of(client),
        tokens_of(client).current,
        transport_of(client).options,
        *(getattr(client, name) for name in RESOURCES),
        client.with_options(timeout=5),
    ]

    for holder in objects:
        assert CANARY not in f"{holder!r} {holder!s}"
        for value in getattr(holder, "__dict__", {}).values():
            assert CANARY not in f"{value!r} {value!s}"


@pytest.mark.parametrize("act", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("package", [rmz_async, rmz_sync], ids=lambda package: package.__name__)
def test_a_client_cannot_be_pickled(package: Any, act: Callable[[object], object]) -> None:
    """The token does not travel in a pickle, and the refusal does not show it."""
    client = package.Client(TOKEN)
    error = raised_by(lambda: act(client))

    assert isinstance(error, TypeError)
    assert CANARY not in all_that_shows(error)


@pytest.mark.parametrize("kind", [kind for kind in SECRETS if kind != "good"])
def test_refused_webhook_secrets_are_not_shown(kind: str) -> None:
    """A bad secret is not shown, nor are the good ones beside it."""
    error = raised_by(lambda: verify(b"{}", {}, secrets=SECRETS[kind]))

    assert isinstance(error, rmz_async.ConfigurationError)
    assert CANARY not in all_that_shows(error)


@pytest.mark.parametrize(
    ("body", "headers", "unsigned"),
    [
        (b"{}", {}, False),
        (b"{}", {"signature": "0" * 64}, False),
        (b"{}", {"signature": "é"}, False),
        (b"{}", [("signature", "0" * 64), ("Signature", "0" * 64)], False),
        (b"{}", {"signature": 5}, False),
        (b"{}", None, False),
        ("{}", {}, False),
        (b"x" * (1024 * 1024 + 1), {}, False),
        (b"{}", {}, True),
        (b"not JSON", {}, True),
        (b"[" * 100_000, {}, True),
    ],
    ids=[
        "unsigned",
        "wrong",
        "not hex",
        "doubled",
        "a number",
        "no headers",
        "a text",
        "too large",
        "no event",
        "no JSON",
        "deep",
    ],
)
def test_a_refused_delivery_does_not_show_the_secret(
    body: Any, headers: Any, unsigned: bool
) -> None:
    """The refusal of a delivery does not show the secret, for any fault of the delivery."""
    error = raised_by(
        lambda: verify(body, headers, secrets=SECRETS["good"], allow_unsigned=unsigned)
    )

    assert CANARY not in all_that_shows(error)


@pytest.mark.parametrize("kind", PAYWALLS)
@pytest.mark.parametrize("package", [rmz_async, rmz_sync], ids=lambda package: package.__name__)
def test_a_refused_option_of_a_paywall_does_not_show_its_secret(kind: str, package: Any) -> None:
    """The secret of its links is not shown, whatever is wrong with it or beside it."""
    client = package.Client(TOKEN)
    error = raised_by(lambda: package.Paywall(client, **PAYWALLS[kind]))

    assert isinstance(error, rmz_async.ConfigurationError)
    assert CANARY not in all_that_shows(error)


@pytest.mark.parametrize("package", [rmz_async, rmz_sync], ids=lambda package: package.__name__)
def test_the_advice_to_install_a_package_does_not_show_the_secret(
    package: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A good secret is not shown by the advice to install it."""
    monkeypatch.setitem(sys.modules, "itsdangerous", None)
    client = package.Client(TOKEN)
    error = raised_by(lambda: package.Paywall(client, state_secret=SECRET))

    assert isinstance(error, rmz_async.MissingExtraError)
    assert CANARY not in all_that_shows(error)


def echo(request: httpx.Request) -> str:
    """Everything that a server knows of a request, as a careless error page has it."""
    return f"{request.method} {request.url} {request.headers.raw!r}"


def refusing(request: httpx.Request) -> httpx.Response:
    """A port that nobody listens on; of all such errors, only this one's text is passed on."""
    raise httpx.ConnectError("All connection attempts failed", request=request)


def raising(kind: type[httpx.TransportError]) -> Callable[[httpx.Request], httpx.Response]:
    """A connection that fails, with an error that holds the request."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise kind(echo(request), request=request)

    return fail


FAILURES: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    "refused": refusing,
    "connect time-out": raising(httpx.ConnectTimeout),
    "read time-out": raising(httpx.ReadTimeout),
    "reset": raising(httpx.ReadError),
    "protocol": raising(httpx.RemoteProtocolError),
    "illegal header": raising(httpx.LocalProtocolError),
    "401": lambda _: httpx.Response(401, json={"message": "Unauthenticated."}),
    "404": lambda request: httpx.Response(404, json={"message": echo(request), "error": True}),
    "409": lambda request: httpx.Response(409, json={"message": echo(request)}),
    "422": lambda request: httpx.Response(
        422, json={"message": "no", "errors": {"days": [echo(request)]}}
    ),
    "422 under a key": lambda request: httpx.Response(422, json={"errors": {echo(request): []}}),
    "429": lambda request: httpx.Response(
        429, json={"message": echo(request)}, headers={"Retry-After": "1"}
    ),
    "500 that echoes": lambda request: httpx.Response(
        500, json={"headers": dict(request.headers), "message": echo(request)}
    ),
    "502 in HTML": lambda request: httpx.Response(502, html=f"<pre>{echo(request)}</pre>"),
    "502 at the end": lambda request: httpx.Response(502, text="x" * 1_990 + echo(request)),
    "200 in HTML": lambda request: httpx.Response(200, html=f"<pre>{echo(request)}</pre>"),
    "200 of another shape": lambda request: httpx.Response(200, json={"data": echo(request)}),
    "200 cut": lambda request: httpx.Response(
        200, headers={"content-type": "application/json"}, text=f'{{"data": "{echo(request)}'
    ),
    "200 with wrong types": lambda request: httpx.Response(
        200, json={"data": {"id": echo(request), "status": [echo(request)]}}
    ),
    "redirect": lambda request: httpx.Response(
        302, headers={"Location": f"https://elsewhere.example/?{request.headers['Authorization']}"}
    ),
}
CALLS: dict[str, Callable[[Client], Any]] = {
    "get": lambda client: client.subscriptions.get(501),
    "pause": lambda client: client.subscriptions.pause(501),
    "extend": lambda client: client.subscriptions.extend(501, days=7),
    "checkout": lambda client: client.checkout_sessions.create(
        product_id=102,
        variant_id=15,
        customer=NewCustomer(
            country_code="965",
            phone="99887766",
            first_name="Sara",
            last_name="Omar",
            email="sara@example.com",
        ),
        success_url="https://app.example/ok",
        cancel_url="https://app.example/no",
    ),
    "order": lambda client: client.orders.create(
        created_from="app.example", products=[OrderLine(product=101)]
    ),
    "page": lambda client: client.orders.list().first(),
    "store": lambda client: client.store.get(),
}


async def at_once(_: float) -> None:
    """Wait for nothing."""


def client_over(http: httpx.AsyncClient, token: Any) -> Client:
    """A client that does not wait between its tries."""
    twice = RetryPolicy(max_attempts=2)
    return async_client(Clock(sleep=at_once), token, http=http, retry=twice, pacing=None)


@pytest.mark.anyio
@pytest.mark.parametrize("sourced", [False, True], ids=["fixed", "sourced"])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("failure", FAILURES)
async def test_calls_that_fail(
    failure: str, name: str, sourced: bool, logged: pytest.LogCaptureFixture
) -> None:
    """However a call ends, neither its error nor any logger shows the token."""
    transport = httpx.MockTransport(FAILURES[failure])
    async with httpx.AsyncClient(transport=transport) as http:
        client = client_over(http, (lambda: TOKEN) if sourced else TOKEN)
        try:
            await CALLS[name](client)
        except RMZError as error:
            shown = all_that_shows(error)
        else:
            pytest.fail("the call did not fail")

    assert CANARY not in shown
    assert CANARY not in logged.text
    assert not any(CANARY in repr(vars(record)) for record in logged.records)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", TOKENS)
async def test_a_bad_token_of_a_source_is_not_shown(
    kind: str, logged: pytest.LogCaptureFixture
) -> None:
    """A bad token from a source is not shown by the refusal of the call."""
    transport = httpx.MockTransport(FAILURES["401"])
    async with httpx.AsyncClient(transport=transport) as http:
        try:
            await client_over(http, lambda: TOKENS[kind]).subscriptions.get(501)
        except rmz_async.ConfigurationError as error:
            shown = all_that_shows(error)
        else:
            pytest.fail("the token was taken")

    assert CANARY not in shown
    assert CANARY not in logged.text


@pytest.mark.anyio
async def test_the_token_does_travel() -> None:
    """The token was there to be found: the server got it."""
    seen: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return httpx.Response(200, json={"data": {"id": 501, "status": "active"}})

    async with httpx.AsyncClient(transport=httpx.MockTransport(note)) as http:
        await Client(TOKEN, http=http).subscriptions.get(501)

    assert seen == [f"Bearer {TOKEN}"]
