"""The interface between the server and its applications: values and handlers, no packets."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from nsroom_server.settings.access import INVALID_NAMESPACE
from nsroom_server.settings.config import Config

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
    """Observes what happens on the server, while it is awake."""

    @property
    def awake(self) -> bool:
        """Whether it wants to be called."""

    def connected_to(self, client: Client) -> None:
        """Handle a new client, after its CONNECT answer."""

    def disconnected_from(self, client: Client, reason: str) -> None:
        """Handle a client that disconnected, before it is removed from its rooms."""

    def upgraded(self, client: Client) -> None:
        """Handle a client whose connection has changed to a WebSocket."""

    def joined(self, client: Client, room: str) -> None:
        """Handle a client that has entered a room."""

    def left(self, client: Client, room: str) -> None:
        """Handle a client that has left a room."""

    def received(self, client: Client, arguments: Sequence[Json]) -> None:
        """Handle an event that a client sent."""

    def sent(self, client: Client, arguments: Sequence[Json]) -> None:
        """Handle an event that was sent to a client."""


class Application:
    """The namespaces and their events; this one has none, its subclasses do."""

    def refuse(self, namespace: str, auth: Json) -> Json:  # noqa: ARG002
        """Return the payload of a CONNECT_ERROR, or None to accept the client."""
        return {"message": INVALID_NAMESPACE}

    def secret(self, namespace: str) -> str | None:  # noqa: ARG002
        """Return the kind of secret that `refuse` compares, "token" or "password", or None."""
        return None

    def is_recoverable(self, namespace: str) -> bool:  # noqa: ARG002
        """Return whether clients whose connection is lost can be recovered."""
        return False

    def handler(self, namespace: str, event: Json) -> Handler | None:  # noqa: ARG002
        """Return the handler of an event, or None."""
        return None

    async def connected(self, client: Client, auth: Json) -> None:
        """Handle a new client, after its CONNECT answer; not one that is recovered."""

    async def disconnected(self, client: Client) -> None:
        """Handle a client that disconnected, while it is still in its rooms."""


class ConfiguredApplication(Application):
    """An application whose namespaces and token are those of the configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config

    def refuse(self, namespace: str, auth: Json) -> Json:
        """Refuse a client without the token, and an unknown namespace."""
        return self._config.connect_refusal(namespace, auth)

    def secret(self, namespace: str) -> str | None:  # noqa: ARG002
        """Return "token" if one is needed."""
        return None if self._config.token is None else "token"
