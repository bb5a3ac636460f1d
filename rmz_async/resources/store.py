"""The store that the token belongs to."""

from __future__ import annotations

from rmz_async import operations
from rmz_async._calls.call import Call
from rmz_async._transport import Transport
from rmz_async.models import Store, StoreStatistics

__all__ = ("OwnStore",)


class OwnStore:
    """Read the store that the token belongs to."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self) -> Store:
        """Read the store itself.

        Returns:
            The store as it is now; all times in UTC. Keys that this version does not know are in
            ``extra``.

        Raises:
            PermissionDeniedError: The store's plan does not include the API.

        Source: https://docs.rmz.gg/merchant-api/store
        """
        return await self._transport.call(Call(operation=operations.STORE_GET, returns=Store))

    async def statistics(self) -> StoreStatistics:
        """Read the store in numbers, over its whole life.

        RMZ counts again every 3 minutes: asking more often brings the same numbers.

        Returns:
            The numbers, at most 3 minutes old; amounts are exact, in the store's currency.

        Raises:
            PermissionDeniedError: The store's plan does not include the API.

        Source: https://docs.rmz.gg/merchant-api/store
        """
        return await self._transport.call(
            Call(operation=operations.STORE_STATISTICS, returns=StoreStatistics)
        )
