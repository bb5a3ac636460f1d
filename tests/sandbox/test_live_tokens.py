from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from rmz_async.sandbox import Sandbox, Webhook

LETTERS = "aB3dE6fG9h" * 4
LIVE = f"17|{LETTERS}"
SECRET = "a-secret-of-28-characters-at"


def everything_kept(sandbox: Sandbox) -> str:
    """Return all that a person could read of what the sandbox holds."""
    exchanges = [(one.path, one.sent, one.answer) for one in sandbox.requests]
    answers = [(one.answer, one.answer_headers) for one in sandbox.deliveries]
    return repr((sandbox.state.tables(), exchanges, answers, sandbox.webhooks, sandbox.ledger))


@pytest.mark.parametrize("token", [LIVE, LETTERS, f"17|{LETTERS}1a2b3c4d", f"9|rmz_{LETTERS}"])
def test_a_live_token_is_no_token_of_a_sandbox(token: str) -> None:
    """RMZ's framework takes the part after the bar for a token, too."""
    with pytest.raises(ValueError, match="may belong to a real store") as caught:
        Sandbox(token=token)
    assert LETTERS not in str(caught.value)


def test_a_live_token_is_no_seed() -> None:
    """The seed is printed in reports of failed tests."""
    with pytest.raises(ValueError, match=r"seed: .* real store") as caught:
        Sandbox(seed=LIVE)
    assert LETTERS not in str(caught.value)


@pytest.mark.parametrize(
    "given", [{"secret": LIVE}, {"url": f"http://127.0.0.1/hook?token={LIVE}"}]
)
def test_a_webhook_keeps_no_live_token(given: dict[str, Any]) -> None:
    """Neither when it is made nor when it is changed."""
    fine: dict[str, Any] = {"url": "http://127.0.0.1/hook", "secret": SECRET}
    with pytest.raises(ValueError, match="real store") as caught:
        Webhook(id=1, **(fine | given))
    webhook = Webhook(id=1, **fine)
    for name, value in given.items():
        with pytest.raises(ValueError, match="real store"):
            setattr(webhook, name, value)
    assert LETTERS not in str(caught.value)


@pytest.mark.parametrize("secret", ["5f" * 32, "0123456789abcdef" * 3])
def test_a_long_secret_of_letters_and_digits_is_taken(secret: str) -> None:
    """Many tools make such secrets; only the form with the bar is a token's."""
    assert Webhook(id=1, url="http://127.0.0.1/", secret=secret).secret == secret


@pytest.mark.anyio
@pytest.mark.parametrize("token", [LIVE, LETTERS, f" {LIVE}"])
async def test_a_request_with_a_live_token_is_told_so(
    api: httpx.AsyncClient, sandbox: Sandbox, token: str
) -> None:
    """A service whose settings name the real store learns that it calls the sandbox."""
    answer = await api.get("/subscriptions/501", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert "may belong to a real store" in answer.json()["message"]
    assert LETTERS not in answer.text + everything_kept(sandbox)


@pytest.mark.anyio
async def test_a_wrong_token_of_another_form_is_answered_as_rmz_does(
    api: httpx.AsyncClient,
) -> None:
    answer = await api.get("/subscriptions/501", headers={"Authorization": "Bearer 1|wrong"})

    assert answer.json() == {"message": "Unauthenticated."}


@pytest.mark.anyio
async def test_a_sandboxs_own_token_may_be_anywhere(
    api: httpx.AsyncClient, sandbox: Sandbox, order: dict[str, Any]
) -> None:
    """Both kinds have the same form, but for the word at the beginning."""
    order["metadata"] = {"token": sandbox.token, "other": Sandbox().token}

    assert (await api.post("/subscriptions/checkout-sessions", json=order)).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("escaped", [False, True])
async def test_a_body_with_a_live_token_is_refused(
    api: httpx.AsyncClient, sandbox: Sandbox, order: dict[str, Any], *, escaped: bool
) -> None:
    """JSON may write the bar as an escape."""
    body = json.dumps({**order, "metadata": {"token": LIVE}})
    body = body.replace("|", "\\u007c") if escaped else body
    answer = await api.post(
        "/subscriptions/checkout-sessions",
        content=body,
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 422
    assert "Replace it with a made-up value" in answer.json()["message"]
    assert not sandbox.state.checkout_sessions
    assert LETTERS not in answer.text + everything_kept(sandbox)


@pytest.mark.anyio
async def test_escapes_of_other_letters_are_no_live_token(
    api: httpx.AsyncClient, order: dict[str, Any]
) -> None:
    order["customer"]["firstName"] = "سارة"

    assert (await api.post("/subscriptions/checkout-sessions", json=order)).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("begin", ["[" * 100_000, "{no json "])
async def test_an_escaped_live_token_is_found_in_a_body_that_is_no_json(
    api: httpx.AsyncClient, sandbox: Sandbox, begin: str
) -> None:
    """The log keeps the beginning of each body, whatever it is."""
    escaped = LIVE.replace("|", "\\u007C")
    answer = await api.post("/subscriptions/checkout-sessions", content=f"{begin}\\ud83d{escaped}")

    assert answer.status_code == 422
    assert not sandbox.requests


@pytest.mark.anyio
async def test_a_body_that_is_no_json_is_left_to_the_call(api: httpx.AsyncClient) -> None:
    answer = await api.post("/subscriptions/checkout-sessions", content=b'{"a": "\\u00')

    assert "errors" in answer.json()


@pytest.mark.anyio
async def test_a_query_with_a_live_token_is_refused(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """Queries are in the log of requests."""
    answer = await api.get("/subscriptions", params={"customerEmail": LIVE})

    assert answer.status_code == 422
    assert LETTERS not in everything_kept(sandbox)


@pytest.mark.anyio
async def test_an_upload_with_a_live_token_is_refused(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The beginning of each body is kept, of an upload too."""
    answer = await api.post("/products/upload?type=image", files={"file": (f"{LIVE}.png", b"...")})

    assert answer.status_code == 422
    assert LETTERS not in everything_kept(sandbox)


@pytest.mark.anyio
async def test_an_upload_that_is_longer_than_what_is_looked_at_is_kept_whole(
    api: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n'
        yield b"Content-Type: image/png\r\n\r\n"
        for _ in range(3):
            yield b"\x00" * 1024 * 1024
        yield b"\r\n--x--\r\n"

    answer = await api.post(
        "/products/upload?type=image",
        content=pieces(),
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )

    assert answer.status_code == 200, answer.text
    assert list(sandbox.state.uploads.values())[-1].size == 3 * 1024 * 1024


@pytest.mark.anyio
async def test_a_form_of_the_dashboard_with_a_live_token_is_refused(
    browser: httpx.AsyncClient, sandbox: Sandbox
) -> None:
    """The bar of a form's field is percent-encoded."""
    answer = await browser.post("/webhooks", data={"url": "http://127.0.0.1:1/", "note": LIVE})

    assert answer.status_code == 422
    assert not sandbox.webhooks


@pytest.mark.anyio
async def test_a_cookie_and_a_path_with_a_live_token_are_refused(
    browser: httpx.AsyncClient,
) -> None:
    with_cookie = await browser.get("/", headers={"Cookie": f"token={LIVE}"})
    with_path = await browser.get(f"/checkout/{LIVE}")

    assert [with_cookie.status_code, with_path.status_code] == [422, 422]


@pytest.mark.anyio
async def test_a_receiver_that_sends_a_live_token_back_leaves_a_mark_in_the_log(
    sandbox: Sandbox,
) -> None:
    """A receiver that fails may show its settings."""

    async def receiver(scope: Scope, receive: Receive, send: Send) -> None:
        body = f"RMZ_API_TOKEN={LIVE}".encode()
        headers = [(b"content-length", str(len(body)).encode()), (b"x-token", LIVE.encode())]
        await send({"type": "http.response.start", "status": 500, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    sandbox.add_webhook("http://127.0.0.1/hook", app=receiver)
    sandbox.emit("subscription.renewed", 501)
    await sandbox.delivered()

    (delivery,) = sandbox.deliveries
    assert delivery.answer == b"RMZ_API_TOKEN=[a live token]"
    assert delivery.answer_headers["x-token"] == "[a live token]"


@pytest.mark.anyio
async def test_what_is_no_request_passes(sandbox: Sandbox) -> None:
    """A server that asks for the life span gets the application's own answer."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup" if not sent else "lifespan.shutdown"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await sandbox.app({"type": "lifespan", "state": {}}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
