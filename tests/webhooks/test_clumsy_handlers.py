"""Handlers that are registered wrongly, and handlers that end the program."""

from __future__ import annotations

import logging
import sys
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

import rmz_async
from rmz_async import ConfigurationError
from rmz_async.webhooks import EventType, OrderCreated, OrderStatusChanged, Receiver, Stats, sample
from tests.webhooks.receiving import deliver, deliver_events
from tests.webhooks.storages import Time

pytestmark = pytest.mark.anyio


def handler(event: object) -> None:
    """A function that is registered, and never runs."""


@pytest.mark.parametrize(
    "wanted",
    [
        handler,
        42,
        None,
        dict,
        ["order.*"],
        rmz_async.Subscription,
        OrderCreated | OrderStatusChanged,
    ],
    ids=["a decorator without brackets", "42", "None", "dict", "a list", "a model", "a union"],
)
async def test_what_is_no_event_is_refused_before_a_delivery_comes(
    receiver: Receiver, wanted: Any
) -> None:
    """Otherwise each delivery would end in an exception."""
    with pytest.raises(ConfigurationError, match="event classes, event types or patterns"):
        receiver.on(wanted)(handler)
    assert (await deliver(receiver, sample(EventType.ORDER_CREATED))).status == 200


@pytest.mark.parametrize("pattern", ["subscripton.*", "Order.*", "order.paid", "order"])
async def test_a_pattern_that_matches_no_event_is_logged(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, pattern: str
) -> None:
    """RMZ may add an event of this name, so this is no error."""
    receiver.on(pattern)(handler)

    assert pattern in caplog.messages[0]
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize("pattern", ["*", "order.*", "order.created", EventType.ORDER_CREATED])
async def test_a_pattern_that_matches_an_event_is_not_logged(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, pattern: str
) -> None:
    receiver.on(pattern)(handler)

    assert caplog.messages == []


def plain_generator(event: object) -> Generator[None]:
    """A generator that nobody would run."""
    yield


async def async_generator(event: object) -> AsyncGenerator[None]:
    """An async generator that nobody would run."""
    yield


@pytest.mark.parametrize("function", [plain_generator, async_generator, None, "name"])
async def test_a_function_whose_body_would_not_run_is_refused(
    receiver: Receiver, function: Any
) -> None:
    """A call of a generator returns, and does nothing."""
    with pytest.raises(ConfigurationError, match="does not yield"):
        receiver.on("*")(function)
    with pytest.raises(ConfigurationError, match="does not yield"):
        receiver.fallback(function)


@pytest.mark.parametrize(
    "error",
    [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseExceptionGroup("", [SystemExit()])],
    ids=lambda error: type(error).__name__,
)
async def test_a_plain_handler_that_ends_its_thread_fails(
    receiver: Receiver, error: BaseException
) -> None:
    """The command of a library calls sys.exit, for example; other events are handled."""
    got: list[object] = []

    @receiver.on("*", max_attempts=1)
    def exits(event: object) -> None:
        raise error

    receiver.on("*")(got.append)
    await deliver_events(receiver, "e-1")

    assert await receiver.drain() == 2
    assert await receiver.stats() == Stats(deliveries=1, done=1, dead=1)
    assert len(got) == 1


@pytest.mark.parametrize(
    "wait", [-1.0, float("nan"), float("inf"), None, "5 s", ZeroDivisionError()], ids=str
)
async def test_a_broken_backoff_ends_no_worker(
    receiver: Receiver, time: Time, wait: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The usual wait stands in for it, and other events are handled."""

    def backoff(attempt: int) -> float:
        if isinstance(wait, Exception):
            raise wait
        result: float = wait
        return result

    attempts: list[object] = []

    @receiver.on("*", backoff=backoff, max_attempts=2)
    async def fails(event: object) -> None:
        attempts.append(event)
        raise ValueError

    await deliver_events(receiver, "e-1")

    assert await receiver.drain() == 1
    assert caplog.messages[0].startswith("backoff: waiting 5 s")
    time.move(5)
    assert await receiver.drain() == 1
    assert await receiver.stats() == Stats(deliveries=1, dead=1)


async def test_an_async_handler_that_ends_the_program_has_used_an_attempt(
    receiver: Receiver,
) -> None:
    """Otherwise the program that is started again would end at the same event for ever."""

    @receiver.on("*", max_attempts=1)
    async def exits(event: object) -> None:
        sys.exit(3)

    await deliver_events(receiver, "e-1")

    with pytest.raises(BaseExceptionGroup) as caught:
        await receiver.drain()
    assert caught.group_contains(SystemExit)
    assert await receiver.stats() == Stats(deliveries=1, dead=1)


async def test_an_exit_in_a_group_of_an_async_handler_fails(receiver: Receiver) -> None:
    """A task of the handler has called sys.exit, and Python ends no program for such a group."""
    got: list[object] = []

    @receiver.on("*", max_attempts=1)
    async def exits(event: object) -> None:
        inner = BaseExceptionGroup("of a group inside", [SystemExit(3)])
        raise BaseExceptionGroup("of the handler", [ValueError(), inner])

    receiver.on("*")(got.append)
    await deliver_events(receiver, "e-1")

    assert await receiver.drain() == 2
    assert await receiver.stats() == Stats(deliveries=1, done=1, dead=1)
    assert len(got) == 1


async def test_an_interrupt_in_a_group_ends_the_worker_and_uses_no_attempt(
    receiver: Receiver,
) -> None:
    """Ctrl-C ends the program, and the handler runs again when it is started again."""

    @receiver.on("*", max_attempts=1)
    async def interrupted(event: object) -> None:
        raise BaseExceptionGroup("of the handler", [ValueError(), KeyboardInterrupt()])

    await deliver_events(receiver, "e-1")

    with pytest.raises(BaseExceptionGroup) as caught:
        await receiver.drain()
    assert caught.group_contains(KeyboardInterrupt)
    assert (await receiver.stats()).dead == 0
