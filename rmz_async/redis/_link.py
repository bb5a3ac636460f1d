"""Commands to Redis, each within a bounded time, from any event loop."""

from __future__ import annotations

from typing import Any, TypeAlias

import anyio
from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from rmz_async._extras import extra
from rmz_async.errors import ConfigurationError

__all__ = ("Argument", "Link")

Argument: TypeAlias = str | int | float

# Commands at the same time in one event loop.
AT_THE_SAME_TIME = 40

_limiters: RunVar[CapacityLimiter] = RunVar("rmz_redis")


class Link:
    """A connection pool to a Redis server, used from worker threads.

    The blocking client works on asyncio and on trio, in each thread and after a fork; the asyncio
    client of redis-py belongs to one event loop.

    Args:
        url: The server's address, with its password.
        timeout: Seconds that one command may take.

    Raises:
        ConfigurationError: The address cannot be read.
        MissingExtraError: The package ``redis`` is not installed.
    """

    def __init__(self, url: str, timeout: float) -> None:
        with extra("redis", needed_by="a store in Redis"):
            import redis
            from redis.backoff import NoBackoff
            from redis.retry import Retry
        if isinstance(timeout, bool) or not 0 < timeout <= 5:
            raise ConfigurationError("timeout: must be a number of seconds above 0, at most 5")
        try:
            # redis-py leaves the types of its options out.
            client: Any = redis.Redis
            self._client: Any = client.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                decode_responses=True,
                # A server that was restarted has closed the idle connections.
                retry=Retry(NoBackoff(), 1),
            )
        except (ValueError, TypeError, AttributeError):
            # The address may hold a password, and redis-py's error may quote the address.
            raise ConfigurationError(
                "url: must be an address such as redis://host:6379/0"
            ) from None
        self._timeout = timeout

    async def run(self, *command: Argument) -> Any:
        """Return the server's answer to a command.

        Raises:
            TimeoutError: No answer came in time.
            Exception: The server cannot be reached, or refuses.
        """
        # The thread may have to wait for others before it begins, and a connection for a name.
        with anyio.fail_after(self._timeout):
            return await to_thread.run_sync(
                self.run_here, *command, abandon_on_cancel=True, limiter=_limiter()
            )

    def run_here(self, *command: Argument) -> Any:
        """Return the answer to a command, and block this thread meanwhile."""
        return self._client.execute_command(*command)

    def listen(self, channel: str, within: float) -> Any:
        """Return a connection that listens to a channel, with a method `close`.

        Args:
            channel: The channel.
            within: Seconds that the server may take to confirm; at most the timeout of a command.

        Raises:
            TimeoutError: The server has not confirmed in time.
            Exception: The server cannot be reached, or refuses.
        """
        listener = self._client.pubsub()
        try:
            listener.subscribe(channel)
            if listener.get_message(timeout=min(within, self._timeout)) is None:
                raise TimeoutError
        except BaseException:
            listener.close()
            raise
        return listener

    def close(self) -> None:
        """Close the connections; the next command opens one."""
        self._client.close()


def _limiter() -> CapacityLimiter:
    # Blocking calls of the user may hold all threads of the default limiter.
    limiter = _limiters.get(None)
    if limiter is None:
        limiter = CapacityLimiter(AT_THE_SAME_TIME)
        _limiters.set(limiter)
    return limiter
