"""What Redis keeps of the history is bounded as the file is: each server looks after it, once a second."""

import asyncio

from redis.asyncio import Redis

from nsroom_server.cluster.connection import FAILURES
from nsroom_server.cluster.scripts import TRIM
from nsroom_server.settings.limits import Retention

_EVERY = 1.0
_STEP = 500
"""Messages that are forgotten at once: Redis does nothing else meanwhile."""
_REST = 0.01
"""Seconds for others between two steps."""


async def keep_trimmed(redis: Redis, retention: Retention) -> None:
    """Forget what is too old or too much, until cancelled."""
    script = redis.register_script(TRIM)
    bounds = (int(retention.age * 1000), retention.size, _STEP)
    while True:
        try:
            more = await script(args=bounds)
        except FAILURES:
            more = False  # whoever stores a message hears of it
        await asyncio.sleep(_REST if more else _EVERY)
