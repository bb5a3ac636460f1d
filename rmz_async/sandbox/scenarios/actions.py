"""The steps of a scenario that do something. The docstrings describe their fields."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from typing import Any

import attrs
import httpx

from rmz_async.sandbox.scenarios.stage import Stage, StepError
from rmz_async.sandbox.seed.given import apply
from rmz_async.sandbox.serving.paying import NotPaidError, card_form
from rmz_async.sandbox.shapes.events import Event
from rmz_async.sandbox.store.cards import TEST_CARDS, CardBehaviour

__all__ = (
    "ACTIONS",
    "Advance",
    "CallApi",
    "ClearFaults",
    "Emit",
    "Fault",
    "Pay",
    "Portal",
    "Receive",
    "Restore",
    "Save",
    "Set",
    "SetCard",
    "Subscribe",
)

_SHOP = "https://app.example"
_CODE = re.compile(r"\d{6}")


@attrs.frozen(kw_only=True)
class Subscribe:
    """Open a checkout session and pay on its page, as a customer does.

    Attributes:
        card: The number of a test card.
        refused: Whether the card must not pay.
        save: The name to keep the subscription's id by.
    """

    product_id: int = 102
    variant_id: int = 15
    customer: int | str = 4501
    external_customer_id: str | None = None
    metadata: dict[str, str] | None = None
    card: str = TEST_CARDS[0].number
    refused: bool = False
    save: str | None = None

    async def play(self, stage: Stage) -> None:
        """Do it."""
        paying = stage.sandbox.subscribe(
            product_id=self.product_id,
            variant_id=self.variant_id,
            customer=stage.value(self.customer),
            external_customer_id=self.external_customer_id,
            metadata=self.metadata,
            card=self.card,
        )
        await _pay(paying, self, stage)


@attrs.frozen(kw_only=True)
class Pay:
    """Pay on the page of a checkout session that a step before has made.

    Attributes:
        checkout_url: The page, mostly a saved one.
        card: The number of a test card.
        refused: Whether the card must not pay.
        save: The name to keep the subscription's id by.
    """

    checkout_url: str
    card: str = TEST_CARDS[0].number
    refused: bool = False
    save: str | None = None

    async def play(self, stage: Stage) -> None:
        """Do it."""
        paying = stage.sandbox.pay(stage.value(self.checkout_url), card=self.card)
        await _pay(paying, self, stage)


@attrs.frozen(kw_only=True)
class Advance:
    """Move the clock on, and bring about all that comes due."""

    days: float = 0
    hours: float = 0
    minutes: float = 0
    seconds: float = 0

    async def play(self, stage: Stage) -> None:
        """Do it."""
        with _refusals_as_problems():
            await stage.sandbox.advance(**attrs.asdict(self))


@attrs.frozen(kw_only=True)
class CallApi:
    """Make a call of the API.

    Attributes:
        path: Below the base URL.
        status: The answer's status that is expected.
        expect: The values that are expected in the answer, by their path, as ``data.status``.
        save: Values of the answer to keep: the name, and the path in the answer.
    """

    path: str
    method: str = "GET"
    body: dict[str, object] | None = None
    status: int = 200
    expect: dict[str, object] = attrs.field(factory=dict[str, object])
    save: dict[str, str] = attrs.field(factory=dict[str, str])

    async def play(self, stage: Stage) -> None:
        """Do it."""
        url = f"{stage.sandbox.base_url}{stage.value(self.path)}"
        body = None if self.body is None else stage.value(self.body)
        async with stage.api() as api:
            try:
                answer = await api.request(self.method, url, json=body)
            except httpx.TransportError as problem:
                raise StepError(
                    f"status: must be {self.status}, and there is none: {problem}"
                ) from None
        await stage.sandbox.delivered()
        if answer.status_code != self.status:
            raise StepError(
                f"status: must be {self.status}, and is {answer.status_code}: {answer.text[:300]}"
            )
        for path, wanted in self.expect.items():
            found, expected = _within(answer, path), stage.value(wanted)
            if found != expected:
                raise StepError(f"{path}: must be {expected!r}, and is {found!r}")
        for name, path in self.save.items():
            stage.save(name, _within(answer, path))


@attrs.frozen(kw_only=True)
class Portal:
    """Visit the billing portal as the customer, and do one thing there.

    Attributes:
        subscription: The subscription's id.
        cancel: ``end_of_period`` or ``immediate``.
        resume: Whether to undo a cancellation.
        card: The number of the test card to use from now on.
        plan: The variant to change to.
        refused: Whether the portal must refuse it.
    """

    subscription: int | str
    cancel: str | None = attrs.field(
        default=None,
        validator=attrs.validators.in_((None, "end_of_period", "immediate")),
    )
    resume: bool = False
    card: str | None = None
    plan: int | None = None
    refused: bool = False

    def __attrs_post_init__(self) -> None:
        """Check that there is one thing to do."""
        deeds = (self.cancel, self.resume or None, self.card, self.plan)
        if sum(deed is not None for deed in deeds) != 1:
            raise ValueError("one of cancel, resume, card and plan must be there, and no other")

    async def play(self, stage: Stage) -> None:
        """Do it."""
        subscription = stage.subscription("subscription", self.subscription)
        async with stage.api() as browser:
            await _enter(stage, browser, subscription.customer_id)
            way, form = self._deed(stage)
            url = f"http://127.0.0.1/portal/subscriptions/{subscription.id}/{way}"
            answer = await browser.post(url, data=form)
        await stage.sandbox.delivered()
        was_refused = answer.status_code != 303
        if was_refused != self.refused:
            done = "was refused" if was_refused else "was not refused"
            raise StepError(f"{way}: {done}; the portal answered {answer.status_code}")

    def _deed(self, stage: Stage) -> tuple[str, dict[str, str]]:
        if self.cancel is not None:
            return "cancel", {"effective": self.cancel}
        if self.resume:
            return "resume", {}
        if self.plan is not None:
            return f"plan/{self.plan}", {}
        return "card", card_form(self.card or "", stage.sandbox.clock.now())


@attrs.frozen(kw_only=True)
class SetCard:
    """Let the card of a subscription behave differently from now on.

    Attributes:
        behaviour: A value of `CardBehaviour`, such as ``declines``.
    """

    subscription: int | str
    behaviour: CardBehaviour

    async def play(self, stage: Stage) -> None:
        """Do it."""
        card = next(card for card in TEST_CARDS if card.behaviour is self.behaviour)
        stage.subscription("subscription", self.subscription).card = card.saved()


@attrs.frozen(kw_only=True)
class Set:
    """Change rows of the store, as ``state`` does at the beginning.

    Attributes:
        state: By table, key and field.
    """

    state: dict[str, object]

    async def play(self, stage: Stage) -> None:
        """Do it."""
        with _refusals_as_problems():
            apply(stage.value(self.state), stage.sandbox.state)


@attrs.frozen(kw_only=True)
class Fault:
    """Let something go wrong from now on; the fields are those of `Faults.add`."""

    fault: str
    on: str = "*"
    times: int | None = None
    chance: float = 1.0
    after_effect: bool = False
    seconds: float = 1.0

    async def play(self, stage: Stage) -> None:
        """Do it."""
        with _refusals_as_problems():
            stage.sandbox.faults.add(**attrs.asdict(self))


@attrs.frozen(kw_only=True)
class ClearFaults:
    """Let nothing go wrong any more."""

    async def play(self, stage: Stage) -> None:
        """Do it."""
        stage.sandbox.faults.clear()


@attrs.frozen(kw_only=True)
class Receive:
    """Answer deliveries with a status from now on; the first such step adds the webhook.

    Attributes:
        tries: How many attempts each delivery has.
    """

    status: int = 200
    tries: int = 5

    async def play(self, stage: Stage) -> None:
        """Do it."""
        stage.answers = self.status
        if not stage.sandbox.webhooks:
            stage.add_webhook(self.tries)


@attrs.frozen(kw_only=True)
class Emit:
    """Send an event about an object as it is."""

    event: Event
    id: int | str

    async def play(self, stage: Stage) -> None:
        """Do it."""
        with _refusals_as_problems("id: "):
            stage.sandbox.emit(self.event, stage.value(self.id))
        await stage.sandbox.delivered()


@attrs.frozen(kw_only=True)
class Save:
    """Keep a snapshot."""

    name: str

    async def play(self, stage: Stage) -> None:
        """Do it."""
        with _refusals_as_problems("name: "):
            stage.sandbox.snapshots.save(self.name)


@attrs.frozen(kw_only=True)
class Restore:
    """Go back to a snapshot."""

    name: str

    async def play(self, stage: Stage) -> None:
        """Do it."""
        with _refusals_as_problems("name: "):
            stage.sandbox.snapshots.restore(self.name)


ACTIONS: dict[str, type[Any]] = {
    "subscribe": Subscribe,
    "pay": Pay,
    "advance": Advance,
    "call": CallApi,
    "portal": Portal,
    "set_card": SetCard,
    "set": Set,
    "fault": Fault,
    "clear_faults": ClearFaults,
    "receive": Receive,
    "emit": Emit,
    "save_snapshot": Save,
    "restore_snapshot": Restore,
}
"""The steps by the word that a file has for each."""


async def _pay(paying: Coroutine[Any, Any, int], step: Subscribe | Pay, stage: Stage) -> None:
    try:
        number = await paying
    except NotPaidError as problem:
        if not step.refused:
            raise StepError(f"card: {problem}") from None
    else:
        if step.refused:
            raise StepError(f"refused: the card has paid for subscription {number}")
        stage.save(step.save, number)


@contextmanager
def _refusals_as_problems(field: str = "") -> Generator[None]:
    try:
        yield
    except (ValueError, OverflowError) as problem:
        raise StepError(f"{field}{problem}") from None


async def _enter(stage: Stage, browser: httpx.AsyncClient, customer_id: int) -> None:
    """Open the portal with a link of the API, and type the code that came."""
    made = await browser.post(
        f"{stage.sandbox.base_url}/portal-sessions",
        json={"customer": {"id": customer_id}, "return_url": f"{_SHOP}/account"},
    )
    if made.status_code != 200:
        raise StepError(f"portal: no link was made: {made.text[:300]}")
    await browser.post(made.json()["data"]["url"])
    found = _CODE.search(stage.sandbox.state.messages[-1].text)
    code = "" if found is None else found[0]
    await browser.post("http://127.0.0.1/portal/code", data={"code": code})


def _within(answer: httpx.Response, path: str) -> Any:
    try:
        value: Any = answer.json()
        for step in path.split("."):
            is_list: bool = isinstance(value, list)
            value = value[int(step) if is_list else step]
    except (ValueError, KeyError, IndexError, TypeError):
        raise StepError(f"{path}: the answer has no such value: {answer.text[:300]}") from None
    return value
