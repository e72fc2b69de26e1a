"""A connection to Redis of one's own, for what is asked for each message."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import NoScriptError, RedisError
from redis.typing import EncodableT

from nsroom_server.cluster.scripts import BUS

FAILURES = (RedisError, OSError, TimeoutError)
"""What a call to Redis may raise."""
TIMEOUT = 2.0
"""Seconds for an answer of Redis."""


def channel(redis: Redis) -> str:
    """Name where the bus is pushed: the databases of a Redis have their channels together."""
    options = redis.get_connection_kwargs()  # type: ignore[no-untyped-call]
    return f"{BUS}:{options.get('db') or 0}"


class Line:
    """One of redis-py's connections, without its pool: that makes a task and two timers for each command."""

    def __init__(self, redis: Redis) -> None:
        self._connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._connection.socket_timeout = None

    async def ask(self, *command: EncodableT) -> Any:
        """Send a command and give the answer; what fails in between hangs up.

        Raises: one of FAILURES.
        """
        async with asyncio.timeout(TIMEOUT):
            await self._connection.send_command(*command)
            return await self._connection.read_response()

    async def run(self, script: AsyncScript, arguments: Iterable[EncodableT]) -> Any:
        """Run a script, which Redis may have forgotten.

        Raises: one of FAILURES.
        """
        try:
            return await self.ask("EVALSHA", script.sha, 0, *arguments)
        except NoScriptError:
            return await self.ask("EVAL", script.script, 0, *arguments)

    async def hear(self) -> Any:
        """Give what Redis says unasked; who is cancelled may ask again.

        Raises: one of FAILURES.
        """
        return await self._connection.read_response(disconnect_on_error=False)

    async def hang_up(self) -> None:
        """End the connection; the next command opens it again."""
        with suppress(*FAILURES):
            await self._connection.disconnect(nowait=True)
