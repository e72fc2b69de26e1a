"""A dedicated Redis connection, for the commands that are sent for every message."""

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
"""The exceptions that a call to Redis may raise."""
TIMEOUT = 2.0
"""Seconds to wait for an answer of Redis."""


def channel_name(redis: Redis) -> str:
    """Return the channel that entries are pushed to; the databases of one Redis share their channels."""
    options = redis.get_connection_kwargs()  # type: ignore[no-untyped-call]
    return f"{BUS}:{options.get('db') or 0}"


class RedisConnection:
    """A redis-py connection without the pool, which makes a task and two timers for each command."""

    def __init__(self, redis: Redis) -> None:
        self._connection = redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        self._connection.socket_timeout = None

    async def execute(self, *command: EncodableT) -> Any:
        """Send a command and return the answer; disconnect if that fails.

        Raises: one of FAILURES.
        """
        async with asyncio.timeout(TIMEOUT):
            await self._connection.send_command(*command)
            return await self._connection.read_response()

    async def run_script(self, script: AsyncScript, arguments: Iterable[EncodableT]) -> Any:
        """Run a script, and send its source if Redis does not have it.

        Raises: one of FAILURES.
        """
        try:
            return await self.execute("EVALSHA", script.sha, 0, *arguments)
        except NoScriptError:
            return await self.execute("EVAL", script.script, 0, *arguments)

    async def read_push(self) -> Any:
        """Return the next message that Redis pushes; a cancelled call can be repeated.

        Raises: one of FAILURES.
        """
        return await self._connection.read_response(disconnect_on_error=False)

    async def disconnect(self) -> None:
        """Close the connection; the next command opens it again."""
        with suppress(*FAILURES):
            await self._connection.disconnect(nowait=True)
