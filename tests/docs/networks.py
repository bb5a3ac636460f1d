"""Networks that fail in the ways that the pages speak of."""

from __future__ import annotations

import httpx


class LosesAnswers(httpx.AsyncHTTPTransport):
    """Carries all requests, and loses the answers to those that change something."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request."""
        response = await super().handle_async_request(request)
        if request.method == "GET":
            return response
        await response.aread()
        await response.aclose()
        raise httpx.ReadError("the connection broke", request=request)

    def client(self) -> httpx.AsyncClient:
        """Return a client that works over this network."""
        return httpx.AsyncClient(transport=self)


class Unsteady(LosesAnswers):
    """Loses the answers to changes, or the changes themselves, or the reads.

    Attributes:
        delivers: Whether changes reach RMZ.
        reads: Whether reads are answered.
        changes: How many changes were sent.
    """

    delivers = True
    reads = False
    changes = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request, or break."""
        if request.method == "GET":
            broken = not self.reads
        else:
            self.changes += 1
            broken = not self.delivers
        if broken:
            raise httpx.ReadError("the connection broke", request=request)
        return await super().handle_async_request(request)


class Gateway(httpx.MockTransport):
    """Passes no request on, and answers by itself."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(lambda _: answer)

    def client(self) -> httpx.AsyncClient:
        """Return a client that works over this network."""
        return httpx.AsyncClient(transport=self)


def pay(checkout_url: str) -> str:
    """Do what a customer does on the hosted page; return the address that they are sent to."""
    answer = httpx.post(f"{checkout_url}/pay", trust_env=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]
