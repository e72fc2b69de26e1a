"""Choose the backend: this process alone, or Redis."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from nsroom_server.chat.backend import Backing
from nsroom_server.chat.delivery import Deliveries
from nsroom_server.chat.history import open_history
from nsroom_server.chat.presence import Presence
from nsroom_server.errors import ConfigError
from nsroom_server.settings.config import Config
from nsroom_server.socketio.server import Server


def backing(
    config: Config, server: Server, took: Callable[[float], object] = float
) -> AbstractAsyncContextManager[Backing]:
    """Open what is asked for; leaving closes it.

    Raises: ConfigError, BusError.
    """
    together = config.redis is not None
    return _together(config, server, took) if together else _alone(config, server, took)


@asynccontextmanager
async def _alone(config: Config, server: Server, took: Callable[[float], object]) -> AsyncIterator[Backing]:
    history = open_history(config.history, config.limits.retention)
    try:
        yield Backing(history, Presence(server), Deliveries(server, history, took))
    finally:
        await history.close()


def _together(
    config: Config, server: Server, took: Callable[[float], object]
) -> AbstractAsyncContextManager[Backing]:
    try:
        # It takes 0.1 s to import, and may not be there.
        from nsroom_server.cluster.cluster import cluster
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        raise ConfigError("--redis: its package is not installed; pip install 'nsroom[redis]'") from error
    return cluster(config.redis or "", config.keep, server, took)
