"""What the chat needs from a backend: history, presence, delivery, the bus and the other servers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from nsroom_server.chat.delivery import Ways
from nsroom_server.chat.history import History
from nsroom_server.chat.presence import Presence
from nsroom_server.counters import BusFigures
from nsroom_server.socketio.application import Json


class Bus(Protocol):
    """The connection between several servers."""

    @property
    def works(self) -> bool:
        """Whether entries can be written and read."""

    @property
    def figures(self) -> BusFigures:
        """The counters of its entries."""


QueryHandler = Callable[[Sequence[Json]], Awaitable[list[Json]]]
"""Replies to the arguments of a query, in parts of bounded size and without binary."""


class Peers(Protocol):
    """The other servers."""

    @property
    def watching(self) -> bool:
        """Whether an administrator is connected to one of them."""

    def watch(self) -> None:
        """Ask them to send what happens there to the administrators, for some seconds."""

    def emit(self, event: str, *args: Json, namespace: str) -> None:
        """Send an event to their clients in a namespace."""

    async def query(self, name: str, args: Sequence[Json]) -> list[Json]:
        """Return the parts of all replies that arrive in time.

        Raises: Refusal.
        """

    def register_handlers(self, handlers: Mapping[str, QueryHandler]) -> None:
        """Register the handlers of their queries, by name."""


class NoPeers:
    """A single server."""

    watching = False

    def watch(self) -> None:
        """Do nothing."""

    def emit(self, event: str, *args: Json, namespace: str) -> None:
        """Do nothing."""

    async def query(self, name: str, args: Sequence[Json]) -> list[Json]:  # noqa: ARG002
        """Return no replies."""
        return []

    def register_handlers(self, handlers: Mapping[str, QueryHandler]) -> None:
        """Do nothing: no other server sends queries."""


class Backend(NamedTuple):
    """The parts of a backend; a single server has neither a bus nor peers."""

    history: History
    presence: Presence
    deliveries: Ways
    bus: Bus | None = None
    peers: Peers = NoPeers()

    @property
    def parts(self) -> dict[str, bool]:
        """The parts that can fail while the server keeps running, and whether they work."""
        parts = {"history": not self.deliveries.failing}
        return {**parts, "bus": self.bus.works} if self.bus else parts
