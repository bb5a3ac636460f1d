"""Answers every request on a loopback port with the same subscription; ends with its parent."""

from __future__ import annotations

import asyncio
import json
import sys

SUBSCRIPTION = {
    "id": 501,
    "status": "active",
    "external_customer_id": "usr_bench",
    "starts_at": "2026-01-01",
    "ends_at": "2026-12-31",
    "start_date": "2026-01-01",
    "end_date": "2026-12-31",
    "current_period_start": "2026-01-01T00:00:00.000000Z",
    "current_period_end": "2026-12-31T00:00:00.000000Z",
    "trial_ends_at": None,
    "cancel_at_period_end": False,
    "canceled_at": None,
    "duration": "annually",
    "order_id": 78901,
    "auto_renew": True,
    "price": {"amount": 199.99, "formatted": "١٩٩٫٩٩ ر.س", "currency": "SAR"},
    "metadata": {"plan": "pro"},
    "product": {"id": 102, "name": "Pro", "slug": "pro", "type": "subscription"},
    "variant": {"id": 15, "duration": "annually", "duration_text": "سنة", "price": 199.99},
    "payment_method": {"last_four": "4242", "scheme": "visa"},
    "scheduled_variant": None,
    "features": None,
    "is_active": True,
    "is_expired": False,
    "days_remaining": 276,
    "created_at": "2026-01-01T00:00:00.000000Z",
    "updated_at": "2026-01-01T00:00:00.000000Z",
}
BODY = json.dumps(
    {"message": None, "data": SUBSCRIPTION, "api": "rmz.shawarma", "timestamp": 1780000000}
).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


class Connection(asyncio.Protocol):
    """A keep-alive connection that gets requests without a body."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        *whole, self._rest = (self._rest + data).split(b"\r\n\r\n")
        self._transport.write(ANSWER * len(whole))


async def main() -> None:
    """Print the port, then serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
