"""The names of private parts that tests replace or look into, by way of :mod:`tests.seams`."""

from __future__ import annotations

from enum import StrEnum

__all__ = ("Part", "Setting")


class Setting(StrEnum):
    """The dotted path of a name that a test replaces."""

    BACKGROUND_FOLLOW = "rmz_async.paywall._background.Background._follow"
    CLI_APPLICATION = "rmz_async.cli._running.application"
    CLI_SLEEP = "rmz_async.cli._reading_back.sleep"
    CLOSE_TIMEOUT = "rmz_async._http.pool._CLOSE_TIMEOUT"
    COMPARE_STATES = "rmz_async.resources._settling._state"
    CONNECTION_WITH_MORE = "rmz_async._http.body.connection_with_more"
    CONNECT_TIMEOUT = "rmz_async._http.request.CONNECT_TIMEOUT"
    CONVERTER = "rmz_async._decoding.converter._converter"
    DATETIME_OF_VALUES = "rmz_async._decoding.values.datetime"
    DOCTOR_PATIENCE = "rmz_async.cli._doctor_stores._PATIENCE"
    DOCTOR_TIMEOUT = "rmz_async.cli._doctor_webhook._TIMEOUT"
    HEAD_START = "rmz_async._http.over_httpx._HEAD_START"
    IS_OF_TRANSPORT = "rmz_async._http.failures._is_of_transport"
    LASTING_OF_ANSWERS = "rmz_async.paywall._judging.lasting"
    LASTING_OF_MEMORY = "rmz_async.paywall._memory.lasting"
    LONGEST_GROUP = "rmz_async.webhooks._commits.LONGEST_GROUP"
    MAX_PROCESSING_TIME = "rmz_async._resolving.MAX_PROCESSING_TIME"
    MAY_HAVE_BEEN_APPLIED = "rmz_async._calls.verdict._may_have_been_applied"
    MOST_DELIVERIES = "rmz_async.webhooks.inbox._sqlite_tasks.MOST_DELIVERIES"
    MOST_DOUBTS = "rmz_async.paywall._doubts.MOST"
    MOST_EVENTS = "rmz_async.paywall._reported.MOST_EVENTS"
    MOST_REPORTED = "rmz_async.paywall._expectations.MOST_REPORTED"
    MOST_RETURNED = "rmz_async.paywall._expectations.MOST_RETURNED"
    PLACES_OF_CONTRACT = "rmz_async.sandbox.serving.reference._PLACES"
    RETRY_STEP = "rmz_async._calls.retry._step"
    RETRY_WAIT = "rmz_async._calls.retry._wait"
    SETTLE_GRACE = "rmz_async._execution.SETTLE_GRACE"
    SNAPSHOT_EVERY = "rmz_async.paywall._background.SNAPSHOT_EVERY"
    STATE_OF_EVENT = "rmz_async.webhooks._intake.state_of_event"
    STORE_WITHIN = "rmz_async._pacing.slots._store_within"
    TIMEOUT_SLACK = "rmz_async._execution.TIMEOUT_SLACK"
    TLS = "rmz_async._http.client._tls"
    WAIT_FOR_SLOT = "rmz_async._pacing.slots.Slots.wait_for_slot"


class Part(StrEnum):
    """An attribute of an object, or a name in a module, that a test looks at."""

    ABANDONED = "_abandoned"
    CLOSED = "_closed"
    CONNECTOR = "_connector"
    CONVERTER = "_converter"
    IDLE = "_idle"
    KEPT = "_kept"
    LINES = "_lines"
    MAX_NAMED = "_MAX_NAMED"
    NETWORK = "_network"
    OPENER = "_opener"
    REPORTED = "_reported"
    SESSION = "_session"
    SSL = "_ssl"
    STATE = "_state"
    STRUCTURE = "_structure"
    TEMPLATE = "_template"
    TLS = "_tls"
    TRANSPORT = "_transport"
    VERSIONS = "_versions"
