"""What the server calls, and what it gets back; it knows nothing of packets."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

Json = Any


Args = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Client:
    """One connection to one namespace."""

    namespace: str
    sid: str


Answer = tuple[Json, ...]
"""The arguments of an acknowledgement."""


class Later(NamedTuple):
    """An answer that takes a while; the client's next events do not wait for it."""

    answer: Awaitable[Answer | None]


Handler = Callable[[Client, Sequence[Json]], Awaitable[Answer | Later | None]]
"""Handle an event's arguments; None sends no acknowledgement.

Raises: Refusal.
"""


class Watcher(Protocol):
    """Sees what happens, while it is awake."""

    @property
    def awake(self) -> bool:
        """Whether it wants to be told."""

    def connected_to(self, client: Client) -> None:
        """See a client that has its CONNECT answer."""

    def disconnected_from(self, client: Client, reason: str) -> None:
        """See one go."""

    def joined(self, namespace: str, room: str, sid: str) -> None:
        """See one enter a room."""

    def left(self, namespace: str, room: str, sid: str) -> None:
        """See one leave a room."""

    def received(self, client: Client, arguments: Sequence[Json]) -> None:
        """See an event that a client sent."""

    def sent(self, namespace: str, sid: str, arguments: Sequence[Json]) -> None:
        """See an event on its way to a client."""


class Application(Protocol):
    """The namespaces and their events."""

    def refuse(self, namespace: str, auth: Json) -> Json:
        """Give the payload of the CONNECT_ERROR, or None to let the client in."""

    def handler(self, namespace: str, event: Json) -> Handler | None:
        """Find who handles an event."""

    async def connected(self, client: Client, auth: Json) -> None:
        """Take notice of a client that has its CONNECT answer."""

    async def disconnected(self, client: Client) -> None:
        """Take notice of a client that is about to be forgotten."""
