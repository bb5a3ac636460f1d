"""The requests by which a gate for subscribers is judged, the same for all frameworks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from rmz_async.paywall import Reason

USER = "X-User"
OFFER = "/subscribe"


def prepare(double: Any) -> None:
    """Let Noura pay for the plan, and Omar for another one."""
    double.grant("noura", slug="pro-plan")
    double.grant("omar", slug="other-plan")
    double.grant("huda")
    double.grant("salma", slug="pro-plan", until=datetime.now(UTC) + timedelta(days=2))
    double.grant("salma", slug="other-plan", also=True)


def check_gate(url: str, double: Any) -> None:
    """Knock at the gate of ``/premium``, whose view answers with the reason of the access."""

    def get(user: str, **headers: str) -> httpx.Response:
        address = f"{url}/premium"
        return httpx.get(address, headers={USER: user, **headers}, trust_env=False, timeout=30)

    passed = get("noura")
    assert (passed.status_code, passed.text) == (200, "active")
    assert passed.headers["Cache-Control"] == "private"

    refused = get("sami")
    body = _body(refused)
    assert refused.status_code == 402
    assert body["reason"] == Reason.NO_SUBSCRIPTION
    assert body["offer"] == OFFER
    assert refused.headers["Content-Type"].startswith("application/json")
    assert refused.headers["Cache-Control"] == "no-store"
    assert "Retry-After" not in refused.headers

    nobody = get("", Accept="text/html")
    assert nobody.status_code == 401
    assert _body(nobody)["reason"] == "not_signed_in"
    assert nobody.headers["Cache-Control"] == "no-store"

    arabic = get("sami", **{"Accept-Language": "fr, ar-SA;q=0.9, en;q=0.8"})
    assert "اشتراك" in _body(arabic)["text"]

    browser = get("sami", Accept="text/html,application/xhtml+xml")
    assert (browser.status_code, browser.headers["Location"]) == (303, OFFER)

    other = get("omar")
    assert _body(other)["reason"] == Reason.OTHER_PRODUCT
    assert get("huda").status_code == 503

    # The other plan lasts longer, and so it decides; each product lets in for itself.
    assert get("salma").status_code == 200
    double.deny("salma", "paused", slug="pro-plan")
    assert _body(get("salma"))["reason"] == Reason.PAUSED

    double.outage()
    unsure = get("nobody", Accept="text/html")
    assert unsure.status_code == 503
    assert int(unsure.headers["Retry-After"]) > 0
    assert get("noura").status_code == 200


def _body(response: httpx.Response) -> dict[str, Any]:
    """Return the refusal, which FastAPI and Litestar put into a body of their own."""
    body = response.json()
    refusal: dict[str, Any] = body.get("extra", body.get("detail", body))
    return refusal
