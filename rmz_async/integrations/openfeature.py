"""RMZ in OpenFeature: flags that are on for subscribers, answered by a paywall.

::

    plans = await rmz.plans()
    provider = paywall_provider(
        paywall,
        flags={"export": ["pro-plan"], "priority": [plans["pro-plan", "annually"]]},
    )
    api.set_provider_and_wait(provider)
    client = api.get_client()
    if await client.get_boolean_value_async("export", False, EvaluationContext("usr_abc123")):
        ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, cast

import attrs
from anyio import to_thread

from rmz_async._callables import is_async
from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError, InvalidRequestError
from rmz_async.integrations._gate import AsyncPaywall, BlockingPaywall
from rmz_async.paywall import Access, Reason, Source
from rmz_async.plans import Plan

with extra("openfeature", needed_by="rmz_async.integrations.openfeature"):
    from openfeature import flag_evaluation
    from openfeature.evaluation_context import (  # pyright: ignore[reportMissingTypeStubs] - this part of the SDK is typed, and does not say so
        EvaluationContext,
    )
    from openfeature.exception import ErrorCode
    from openfeature.flag_evaluation import FlagResolutionDetails
    from openfeature.provider import (  # pyright: ignore[reportMissingTypeStubs] - the same
        AbstractProvider,
        Metadata,
    )

__all__ = ("paywall_provider",)

T = TypeVar("T")

_REASONS = {
    Source.API: flag_evaluation.Reason.TARGETING_MATCH,
    Source.WEBHOOK: flag_evaluation.Reason.TARGETING_MATCH,
    Source.CACHE: flag_evaluation.Reason.CACHED,
    Source.STALE: flag_evaluation.Reason.STALE,
    Source.SNAPSHOT: flag_evaluation.Reason.STALE,
}


def paywall_provider(
    paywall: AsyncPaywall | BlockingPaywall, flags: Mapping[str, Sequence[str | Plan]]
) -> AbstractProvider:
    """Return a provider that evaluates boolean flags by a paywall; the targeting key is the user.

    The value is whether the user subscribes to what turns the flag on. If the paywall cannot say,
    the evaluation is an error, and its value the caller's default. The metadata of an evaluation
    has the paywall's ``reason``, ``source`` and ``checked_at``, and ``until`` if the end is known.

    With a paywall of `rmz_async`, evaluate by the methods whose names end in ``_async``. With a
    paywall of `rmz_sync`, all methods evaluate, and those ask it in a thread.

    Args:
        paywall: The paywall, which stays open after ``shutdown``.
        flags: The products and plans that turn each flag on: products by their slugs, plans from
            ``rmz.plans()``. An empty list stands for all that the paywall counts; for any other
            list, the paywall must keep its subscriptions.

    Returns:
        A provider for ``api.set_provider_and_wait``.

    Raises:
        ConfigurationError: A flag is turned on by something else.
    """
    return _PaywallProvider(paywall, flags)


class _PaywallProvider(AbstractProvider):
    def __init__(
        self,
        paywall: AsyncPaywall | BlockingPaywall,
        flags: Mapping[str, Sequence[str | Plan]],
    ) -> None:
        super().__init__()
        self._paywall = paywall
        self._is_async = is_async(paywall.check)
        self._flags = {key: _Flag.of(key, wanted) for key, wanted in flags.items()}

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata("rmz")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Evaluate a flag, with a paywall of `rmz_sync`."""
        asked = self._asked(flag_key, default_value, evaluation_context)
        if not isinstance(asked, _Asked):
            return asked
        if self._is_async:
            return _error(
                default_value,
                ErrorCode.GENERAL,
                "this provider's paywall is async: evaluate with get_boolean_value_async, or give "
                "the provider a paywall of rmz_sync",
            )
        try:
            access = cast("BlockingPaywall", self._paywall).check(asked.user, *asked.flag.wanted)
        except InvalidRequestError as error:
            return _error(default_value, ErrorCode.INVALID_CONTEXT, str(error))
        return asked.flag.details(access, default_value)

    async def resolve_boolean_details_async(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Evaluate a flag."""
        asked = self._asked(flag_key, default_value, evaluation_context)
        if not isinstance(asked, _Asked):
            return asked
        try:
            if self._is_async:
                access = await cast("AsyncPaywall", self._paywall).check(
                    asked.user, *asked.flag.wanted
                )
            else:
                check = cast("BlockingPaywall", self._paywall).check
                access = await to_thread.run_sync(partial(check, asked.user, *asked.flag.wanted))
        except InvalidRequestError as error:
            return _error(default_value, ErrorCode.INVALID_CONTEXT, str(error))
        return asked.flag.details(access, default_value)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: Any,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Any]:
        """Return the default: all flags are boolean."""
        return _error(
            default_value, ErrorCode.TYPE_MISMATCH, "all flags of this provider are boolean"
        )

    resolve_integer_details = resolve_string_details
    resolve_float_details = resolve_string_details
    resolve_object_details = resolve_string_details

    def _asked(
        self, key: str, default: bool, context: EvaluationContext | None
    ) -> _Asked | FlagResolutionDetails[bool]:
        flag = self._flags.get(key)
        if flag is None:
            return _error(default, ErrorCode.FLAG_NOT_FOUND, f"the provider has no flag {key}")
        if context is None or not context.targeting_key:
            return _error(
                default, ErrorCode.TARGETING_KEY_MISSING, "the targeting key must be the user"
            )
        return _Asked(flag, context.targeting_key)


@attrs.frozen
class _Flag:
    """The products and plans that turn a flag on; if empty, all that the paywall counts."""

    wanted: tuple[str | Plan, ...]

    @classmethod
    def of(cls, key: str, wanted: Sequence[str | Plan]) -> _Flag:
        """Return the flag *key*, turned on by products and plans."""
        given = cast("Sequence[object]", wanted)
        is_list = not isinstance(given, str)
        if not is_list or not all(each and isinstance(each, str | Plan) for each in given):
            raise ConfigurationError(
                f"flags: {key} must be a list of slugs of products, such as pro-plan, and of plans"
            )
        return cls(tuple(wanted))

    def details(self, access: Access, default: bool) -> FlagResolutionDetails[bool]:
        """Return the value for a user, by the paywall's answer."""
        metadata: dict[str, bool | int | float | str] = {
            "reason": access.reason.value,
            "source": access.source.value,
            "checked_at": access.checked_at.isoformat(),
        }
        if access.until is not None:
            metadata["until"] = access.until.isoformat()
        if not access.granted and not access.certain:
            return FlagResolutionDetails(
                default,
                error_code=ErrorCode.GENERAL,
                error_message=f"the paywall cannot say: {access.reason.value}",
                reason=flag_evaluation.Reason.ERROR,
                flag_metadata=metadata,
            )
        is_fallback = access.reason is Reason.OUTAGE_ALLOWED
        reason = flag_evaluation.Reason.DEFAULT if is_fallback else _REASONS[access.source]
        return FlagResolutionDetails(
            access.granted,
            reason=reason,
            variant="granted" if access.granted else "refused",
            flag_metadata=metadata,
        )


@attrs.frozen
class _Asked:
    """A flag that is asked for, and for which user."""

    flag: _Flag
    user: str


def _error(default: T, code: ErrorCode, message: str) -> FlagResolutionDetails[T]:
    return FlagResolutionDetails(
        default, error_code=code, error_message=message, reason=flag_evaluation.Reason.ERROR
    )
