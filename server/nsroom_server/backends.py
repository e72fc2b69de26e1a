"""Choose the backend: this process alone, or Redis."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from nsroom_server.chat.backend import Backend
from nsroom_server.chat.delivery import Deliveries
from nsroom_server.chat.history import open_history
from nsroom_server.chat.presence import Presence
from nsroom_server.errors import ConfigError
from nsroom_server.settings.config import Config
from nsroom_server.socketio.server import Server


def open_backend(
    config: Config, server: Server, took: Callable[[float], object] = float
) -> AbstractAsyncContextManager[Backend]:
    """Open the configured backend, and close it on exit.

    `took` is called with the seconds that each message took to be durable.

    Raises: ConfigError, BusError.
    """
    return _single(config, server, took) if config.redis is None else _clustered(config, server, took)


@asynccontextmanager
async def _single(config: Config, server: Server, took: Callable[[float], object]) -> AsyncIterator[Backend]:
    history = open_history(config.history, config.limits.retention)
    try:
        yield Backend(history, Presence(server), Deliveries(server, history, took))
    finally:
        await history.close()


def _clustered(
    config: Config, server: Server, took: Callable[[float], object]
) -> AbstractAsyncContextManager[Backend]:
    try:
        # Importing it takes 0.1 s, and it may not be installed.
        from nsroom_server.cluster.cluster import open_cluster
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        raise ConfigError("--redis: its package is not installed; pip install 'nsroom[redis]'") from error
    return open_cluster(config.redis or "", config.keep_messages, server, took)
