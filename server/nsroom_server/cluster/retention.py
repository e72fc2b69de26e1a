"""Trim the history in Redis to its limits, once a second."""

import asyncio

from redis.asyncio import Redis

from nsroom_server.cluster.connection import FAILURES
from nsroom_server.cluster.scripts import TRIM
from nsroom_server.settings.limits import Retention

_INTERVAL = 1.0
"""Seconds between two rounds."""
_STEP = 500
"""Messages deleted in one step, during which Redis does nothing else."""
_PAUSE = 0.01
"""Seconds between two steps of a round, for Redis' other clients."""


async def keep_trimmed(redis: Redis, retention: Retention) -> None:
    """Delete messages that exceed the limits on age and size, until cancelled."""
    script = redis.register_script(TRIM)
    bounds = (int(retention.age * 1000), retention.size, _STEP)
    while True:
        try:
            more = await script(args=bounds)
        except FAILURES:
            more = False  # the publisher reports outages
        await asyncio.sleep(_PAUSE if more else _INTERVAL)
