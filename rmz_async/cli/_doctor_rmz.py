"""Checks of the token, the store's plan, the connection and the clock, with two requests."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import attrs
import httpx

from rmz_async.cli._findings import Finding, State
from rmz_async.cli._options import open_client
from rmz_async.cli._wording import text
from rmz_async.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    NotFoundError,
    PermissionDeniedError,
    RMZError,
    UnexpectedAnswerError,
)
from rmz_async.models import Store
from rmz_async.options import PRODUCTION_URL, RetryPolicy

# The header has whole seconds, and the answer took some time.
_CLOCK_OK, _CLOCK_BAD = timedelta(seconds=5), timedelta(minutes=1)
_SOON = timedelta(days=14)
_TIMEOUT = 15.0


@attrs.define
class _Answers:
    """The parts of RMZ's answers that a client does not show."""

    url: httpx.URL | None = None
    date: str | None = None
    tls: ssl.SSLObject | None = None
    received_at: datetime | None = None

    async def record(self, response: httpx.Response) -> None:
        self.url = response.url
        self.date = response.headers.get("Date")
        self.received_at = datetime.now(UTC)
        stream: Any = response.extensions["network_stream"]
        self.tls = stream.get_extra_info("ssl_object")


async def check_rmz() -> list[Finding]:
    """Ask RMZ for the store and a page of its subscriptions, and say what was found."""
    answers = _Answers()
    findings: list[Finding] = []
    try:
        async with (
            httpx.AsyncClient(event_hooks={"response": [answers.record]}) as http,
            open_client(
                timeout=_TIMEOUT, retry=RetryPolicy(max_attempts=1), pacing=None, http=http
            ) as rmz,
        ):
            store = await rmz.store.get()
            findings.append(
                Finding("token", State.OK, text("the token opens the store %(id)s", id=store.id))
            )
            await rmz.subscriptions.list().first()
            findings.append(plan_finding(store, datetime.now(UTC)))
    except RMZError as error:
        findings.append(_failure(error))
    return [*findings, *_connection(answers)]


def _failure(error: RMZError) -> Finding:
    match error:
        case ConfigurationError() if str(error).startswith("base_url"):
            advice = text("correct RMZ_BASE_URL, or unset it to reach RMZ itself")
            return Finding("address", State.FAILED, str(error), advice)
        case ConfigurationError():
            advice = text("set RMZ_API_TOKEN, and RMZ_BASE_URL only for another address")
            return Finding("token", State.FAILED, str(error), advice)
        case AuthenticationError():
            return Finding(
                "token",
                State.FAILED,
                text("RMZ refuses the token"),
                text("make a new token in the dashboard, and set RMZ_API_TOKEN"),
            )
        case PermissionDeniedError():
            return Finding(
                "plan",
                State.FAILED,
                text("RMZ forbids this store to use the API"),
                text("the API belongs to the plan RMZ+: look at the plan in the dashboard"),
            )
        case ConnectionFailedError():
            advice = text("look at RMZ_BASE_URL, the network, the proxy and its certificates")
            return Finding("connection", State.FAILED, str(error), advice)
        case NotFoundError() | UnexpectedAnswerError():
            advice = text("look at RMZ_BASE_URL, and at a proxy in between: RMZ does not answer so")
            return Finding("address", State.FAILED, str(error), advice)
        case _:
            return Finding(
                "connection", State.FAILED, str(error), text("run rmz doctor again in a minute")
            )


def plan_finding(store: Store, now: datetime) -> Finding:
    """Return what is to be said of the store's plan with RMZ."""
    ends = store.plan_expires_at
    if ends is None:
        return Finding("plan", State.OK, text("RMZ answers, and names no end of the plan"))
    day = f"{ends:%Y-%m-%d}"
    if ends > now + _SOON:
        return Finding("plan", State.OK, text("the plan lasts until %(day)s", day=day))
    return Finding(
        "plan",
        State.WARNING,
        text("the plan ends on %(day)s", day=day)
        if ends > now
        else text("the plan ended on %(day)s", day=day),
        text("renew the plan with RMZ: without it each call is refused"),
    )


def _connection(answers: _Answers) -> Iterator[Finding]:
    if answers.url is None or answers.received_at is None:
        return
    host = answers.url.host
    is_production = host == httpx.URL(PRODUCTION_URL).host
    yield Finding(
        "address",
        State.OK,
        text("RMZ itself: %(host)s", host=host)
        if is_production
        else text("not RMZ itself, but %(host)s, by RMZ_BASE_URL", host=host),
    )
    if answers.tls is None:
        yield Finding("tls", State.SKIPPED, text("the connection does not leave this machine"))
    else:
        certificate: Any = answers.tls.getpeercert()
        yield tls_finding(
            answers.tls.version() or "?", certificate["notAfter"], answers.received_at
        )
    yield clock_finding(answers.date, answers.received_at)


def tls_finding(version: str, not_after: str, now: datetime) -> Finding:
    """Return what is to be said of a certificate that was accepted."""
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(not_after), UTC)
    found = text("%(version)s, certificate until %(day)s", version=version, day=f"{ends:%Y-%m-%d}")
    if ends > now + _SOON:
        return Finding("tls", State.OK, found)
    advice = text("the certificate ends soon: if a proxy of yours made it, renew it")
    return Finding("tls", State.WARNING, found, advice)


def clock_finding(date: str | None, now: datetime) -> Finding:
    """Return how far this machine's clock is from the ``Date`` of an answer received *now*."""
    try:
        ahead = now - parsedate_to_datetime(date or "").astimezone(UTC)
    except ValueError:
        return Finding("clock", State.SKIPPED, text("the answer has no readable Date"))
    if abs(ahead) <= _CLOCK_OK:
        return Finding("clock", State.OK, text("agrees with the server's"))
    seconds = round(abs(ahead).total_seconds())
    return Finding(
        "clock",
        State.FAILED if abs(ahead) > _CLOCK_BAD else State.WARNING,
        text("%(seconds)s s ahead of the server's", seconds=seconds)
        if ahead > timedelta()
        else text("%(seconds)s s behind the server's", seconds=seconds),
        text("let NTP set the clock: access would end too early or too late"),
    )
