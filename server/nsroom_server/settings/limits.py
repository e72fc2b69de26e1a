"""How much of everything: the limits that the server keeps, each with the answer to whoever goes over it."""

from dataclasses import dataclass, fields
from typing import Any, Self

from nsroom_server.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is kept: so many messages of each room, for so many seconds, in so many bytes of the file."""

    messages: int
    age: float
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits besides the size of a packet; times in seconds, sizes in bytes.

    Raises: ConfigError.
    """

    attachments: int = 10
    """Of one packet; the session is closed (1002)."""
    json_depth: int = 64
    """Of arrays and objects in one packet; the session is closed (1002)."""
    rooms_per_socket: int = 128
    """`too_many_rooms`."""
    namespaces_per_connection: int = 16
    """CONNECT_ERROR `too_many_namespaces`."""
    room_name: int = 128
    """Characters; `bad_room`."""
    nick: int = 64
    """Characters; `bad_request`."""
    events_per_second: float = 200
    """Of one connection; `rate_limited`, and what asks for no acknowledgement waits for its turn."""
    events_burst: int = 1000
    """What may come at once, before that rate counts."""
    address_events_per_second: float = 20_000
    """Of all connections from one address together."""
    address_events_burst: int = 50_000
    bytes_per_second: float = 2_000_000
    """That a connection sends; what is more waits for its turn."""
    bytes_burst: int = 8_000_000
    connections_per_address: int = 10_000
    """HTTP status 429."""
    address_connects_per_second: float = 500
    """New connections from one address; HTTP status 429."""
    address_connects_burst: int = 5000
    tcp_connections_per_address: int = 20_000
    """Whatever is sent on them; the connection is dropped."""
    head_timeout: float = 10
    """Until a connection has to have sent the head of a request, and shaken hands for TLS; it is dropped."""
    connect_timeout: float = 10
    """Until a connection has to be in a namespace; it is closed (1008)."""
    body_timeout: float = 10
    """Until a request's body has to be there, and a response has to be read; HTTP status 408."""
    queued_frames: int = 1024
    """That wait for a slow reader; the session is closed (4008)."""
    queued_bytes: int = 1_048_576
    """That wait for a slow reader; the session is closed (4008)."""
    pending_answers: int = 1024
    """That a connection can wait for; its next event waits."""
    history_default: int = 100
    history_max: int = 1000
    """Messages in one answer; `bad_request`."""
    history_messages: int = 100_000
    """Kept of each room; the oldest are forgotten."""
    history_age: float = 7_776_000
    """How old a message may get: 90 days."""
    history_size: int = 1_073_741_824
    """Of the file; the oldest messages are forgotten."""
    listed: int = 1000
    """Rooms or members named in one answer; the counts are always whole."""

    @property
    def retention(self) -> Retention:
        """How much of the history is kept."""
        return Retention(messages=self.history_messages, age=self.history_age, size=self.history_size)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < 2**53:
                raise ConfigError(f"limit {field.name} {value}: has to be more than 0")

    @classmethod
    def parse(cls, settings: list[str]) -> Self:
        """Read `NAME=VALUE` settings.

        Raises: ConfigError.
        """
        return cls(**dict(_setting(text) for text in settings))


_NAMES = {field.name for field in fields(Limits)}
_FRACTIONS = {name for name in _NAMES if name.endswith(("_second", "_timeout", "_age"))}


def _setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name not in _NAMES:
        raise ConfigError(f"limit {name!r}: there is none of this name; --print-limits lists them")
    try:
        return name, float(value) if name in _FRACTIONS else int(value)
    except ValueError:
        raise ConfigError(f"limit {name} {value!r}: has to be a number") from None
