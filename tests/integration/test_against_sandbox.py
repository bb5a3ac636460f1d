"""Both clients against the sandbox, which shares no wire code with them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest

import rmz_async
import rmz_sync
from rmz_async import (
    AuthenticationError,
    ConflictError,
    NewCustomer,
    NotFoundError,
    PhoneNumber,
    RateLimitError,
    Subscription,
    SubscriptionStatus,
    UnprocessableEntityError,
)
from rmz_async.sandbox import Sandbox, Served

AHMED = NewCustomer(
    country_code="966",
    phone="598765432",
    first_name="Ahmed",
    last_name="Ali",
    email="ahmed@example.com",
)


@pytest.fixture
def served() -> Iterator[Served]:
    """A sandbox on a port of its own."""
    with Sandbox().serve() as served:
        yield served


async def subscribed(rmz: rmz_async.Client, sandbox: Sandbox, user: str) -> Subscription:
    """A subscription that somebody has just paid for."""
    session = await rmz.checkout_sessions.create(
        product_id=102,
        variant_id=15,
        customer=AHMED,
        success_url="https://app.example/ok?from=rmz#top",
        cancel_url="https://app.example/no",
        metadata={"plan": "pro"},
        external_customer_id=user,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app)) as browser:
        answer = await browser.post(f"{session.checkout_url}/pay")
    target = urlsplit(answer.headers["location"])
    assert (target.netloc, target.fragment) == ("app.example", "top")
    return await rmz.subscriptions.get(int(parse_qs(target.query)["rmz-subscription-id"][0]))


@pytest.mark.anyio
async def test_a_subscription_from_the_checkout_to_its_end() -> None:
    """A subscription that was paid for can be found, paused, resumed, extended and canceled."""
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        new = await subscribed(rmz, sandbox, "usr_life")
        assert new.status is SubscriptionStatus.ACTIVE
        assert new.external_customer_id == "usr_life"
        assert dict(new.metadata or {}) == {"plan": "pro"}
        assert new.current_period_end is not None

        found = await rmz.subscriptions.lookup(
            phone=PhoneNumber(country_code="+966", phone="598765432")
        )
        assert [item.id for item in found.subscriptions] == [new.id]
        assert found.has_active

        extended = await rmz.subscriptions.extend(new, days=7)
        assert extended.current_period_end == new.current_period_end + timedelta(days=7)
        with pytest.raises(RateLimitError, match="less than 10 seconds ago"):
            await rmz.subscriptions.extend(new.id, days=7)

        assert (await rmz.subscriptions.pause(new.id)).status is SubscriptionStatus.PAUSED
        paused = await rmz.subscriptions.get(new.id)
        assert not paused.grants_access
        with pytest.raises(ConflictError):
            await rmz.subscriptions.pause(new.id)
        assert (await rmz.subscriptions.unpause(new.id)).status is SubscriptionStatus.ACTIVE

        ending = await rmz.subscriptions.cancel(new.id)
        assert ending.cancel_at_period_end
        assert ending.grants_access
        ended = await rmz.subscriptions.cancel(new.id, effective="immediate")
        assert ended.status is SubscriptionStatus.CANCELED
        with pytest.raises(ConflictError):
            await rmz.subscriptions.extend(new.id, months=1)


@pytest.mark.anyio
async def test_each_refusal_arrives_as_the_error_of_its_kind() -> None:
    """Each refusal of RMZ arrives as the error of its kind."""
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        with pytest.raises(NotFoundError):
            await rmz.subscriptions.get(999_999)
        with pytest.raises(NotFoundError):
            await rmz.portal_sessions.create(customer=999_999)
        with pytest.raises(UnprocessableEntityError) as caught:
            await rmz.checkout_sessions.create(
                product_id=102,
                variant_id=15,
                customer=999_999,
                success_url="https://app.example/ok",
                cancel_url="https://app.example/no",
            )
        assert list(caught.value.errors) == ["customer.id"]
        stranger = sandbox.client(token="1|nobody-knows-me")
        with pytest.raises(AuthenticationError):
            await stranger.subscriptions.get(501)


@pytest.mark.anyio
async def test_the_list_is_whole() -> None:
    """Walking the list gives every subscription once."""
    async with Sandbox() as sandbox, sandbox.client() as rmz:
        walked = [item.id async for item in rmz.subscriptions.list()]
        sizes = [len(page.items) async for page in rmz.subscriptions.list().pages()]
    assert sorted(walked) == sorted(sandbox.state.subscriptions)
    assert sizes[:-1] == [15] * (len(sizes) - 1)


@pytest.mark.anyio
async def test_the_throttle_says_how_long_to_wait() -> None:
    """The 61st call of a minute is refused, and says how long to wait."""
    async with Sandbox() as sandbox, sandbox.client(timeout=30, pacing=None) as rmz:
        for _ in range(60):
            await rmz.subscriptions.get(501)
        with pytest.raises(RateLimitError) as caught:
            await rmz.subscriptions.get(501)
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 60
        await rmz.subscriptions.lookup(external_customer_id="usr_abc123")


@pytest.mark.anyio
async def test_a_client_of_the_sandbox_is_paced_as_in_production() -> None:
    """A call whose slot comes too late raises the same error, and nothing was asked."""
    async with Sandbox() as sandbox, sandbox.client(timeout=30) as rmz:
        for _ in range(60):
            await rmz.subscriptions.get(501)
        before = sandbox.clock.now()
        with pytest.raises(rmz_async.PacingError):
            await rmz.subscriptions.pause(501)
        assert sandbox.ledger == ()
        assert sandbox.clock.now() == before


@pytest.mark.anyio
async def test_a_client_of_the_sandbox_waits_on_its_clock_and_not_in_real_time() -> None:
    """Three minutes of calls take three minutes there, and no request is refused."""
    patient = rmz_async.Pacing(max_wait=90)
    async with Sandbox() as sandbox, sandbox.client(timeout=90, pacing=patient) as rmz:
        began = sandbox.clock.now()
        with anyio.fail_after(60):
            for _ in range(181):
                await rmz.subscriptions.get(501)
        passed = (sandbox.clock.now() - began).total_seconds()
    assert 180 <= passed < 200


@pytest.mark.anyio
async def test_clients_that_wait_together_wait_once() -> None:
    """Two waits of ten seconds at the same time are ten seconds."""
    sandbox = Sandbox()
    began = sandbox.clock.now()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sandbox.clock.sleep, 10)
        tasks.start_soon(sandbox.clock.sleep, 7)
    assert (sandbox.clock.now() - began).total_seconds() == 10


@pytest.mark.asyncio
async def test_client_and_sandbox_understand_each_other_over_a_socket(served: Served) -> None:
    """The client and the sandbox understand each other over real connections too."""
    async with rmz_async.Client(served.token, base_url=served.base_url) as rmz:
        read = await rmz.subscriptions.get(501)
        portal = await rmz.portal_sessions.create(customer=4501, expires_in=300)
    assert read.id == 501
    assert portal.url.startswith(served.base_url.removesuffix("/shawarma"))


def test_the_sync_client_reads_what_the_async_client_reads(served: Served) -> None:
    """The sync client reads what the async client reads."""
    with rmz_sync.Client(served.token, base_url=served.base_url) as rmz:
        read = rmz.subscriptions.get(501)
        assert read.id in {item.id for item in rmz.subscriptions.list()}
        found = rmz.subscriptions.lookup(external_customer_id=read.external_customer_id)
        assert [item.id for item in found.subscriptions] == [501]
        with pytest.raises(NotFoundError):
            rmz.subscriptions.get(999_999)
    assert read.product is not None
