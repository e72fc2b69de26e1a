"""Trim the history in Redis to its limits, once a second."""

import asyncio
import logging
from time import monotonic

from redis.asyncio import Redis

from nsroom_server.chat.age_clock import SPEED, JumpDetector
from nsroom_server.cluster.connection import FAILURES
from nsroom_server.cluster.scripts import TRIM
from nsroom_server.logs import RateLimitedWarnings
from nsroom_server.settings.limits import Retention

log = logging.getLogger("nsroom_server")

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
    detector, warn = JumpDetector(), RateLimitedWarnings(log)
    answered = monotonic()
    while True:
        now = monotonic()
        try:
            more, milliseconds = await script(args=(*bounds, int((now - answered) * SPEED * 1000)))
        except FAILURES:
            more = False  # the publisher reports outages
        else:
            answered = now
            if jump := detector.jumped(milliseconds / 1000, now):
                warn("Redis' clock has jumped: old messages are kept longer", seconds=round(jump))
        await asyncio.sleep(_PAUSE if more else _INTERVAL)
