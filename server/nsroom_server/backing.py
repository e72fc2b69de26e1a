"""What is behind the namespaces: this process alone, or Redis and other servers."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple, Protocol

from nsroom_server.config import Config
from nsroom_server.delivery import Deliveries, Ways
from nsroom_server.errors import ConfigError
from nsroom_server.figures import BusFigures
from nsroom_server.history import History, open_history
from nsroom_server.others import NoOthers, Others
from nsroom_server.presence import Presence
from nsroom_server.server import Server


class Bus(Protocol):
    """What connects several servers."""

    @property
    def works(self) -> bool:
        """Whether it takes and gives entries."""

    @property
    def figures(self) -> BusFigures:
        """What went over it."""


class Backing(NamedTuple):
    """Where messages are kept, who is there, and how both get about."""

    history: History
    presence: Presence
    deliveries: Ways
    bus: Bus | None = None
    others: Others = NoOthers()


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
        from nsroom_server.cluster import cluster
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        raise ConfigError("--redis: its package is not installed; pip install 'nsroom[redis]'") from error
    return cluster(config.redis or "", config.keep, server, took)
