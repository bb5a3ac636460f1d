"""The public names, beside the models, that both ``rmz_async`` and ``rmz_sync`` have."""

from __future__ import annotations

from rmz_async._decoding.converter import from_dict
from rmz_async._pacing.memory import InMemoryQuotaStore
from rmz_async._version import __version__
from rmz_async.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    FieldErrors,
    InvalidRequestError,
    MissingExtraError,
    NotFoundError,
    OutcomeUnknownError,
    PacingError,
    PayloadError,
    PermissionDeniedError,
    PlanNotFoundError,
    RateLimitError,
    RefusedFieldsError,
    RMZError,
    ServerError,
    SignatureError,
    TaskLostError,
    UnexpectedAnswerError,
    UnprocessableEntityError,
    WebhookError,
)
from rmz_async.observing import Observer
from rmz_async.options import Pacing, QuotaReport, QuotaStore, RetryPolicy
from rmz_async.pagination import Page
from rmz_async.plans import Plan, Plans
from rmz_async.webhooks import Event, EventType

__all__ = (
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionFailedError",
    "Event",
    "EventType",
    "FieldErrors",
    "InMemoryQuotaStore",
    "InvalidRequestError",
    "MissingExtraError",
    "NotFoundError",
    "Observer",
    "OutcomeUnknownError",
    "Pacing",
    "PacingError",
    "Page",
    "PayloadError",
    "PermissionDeniedError",
    "Plan",
    "PlanNotFoundError",
    "Plans",
    "QuotaReport",
    "QuotaStore",
    "RMZError",
    "RateLimitError",
    "RefusedFieldsError",
    "RetryPolicy",
    "ServerError",
    "SignatureError",
    "TaskLostError",
    "UnexpectedAnswerError",
    "UnprocessableEntityError",
    "WebhookError",
    "__version__",
    "from_dict",
)
