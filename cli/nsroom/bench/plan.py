"""The plan of a load test, sent to the worker processes as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple, Self
from urllib.parse import urlsplit

from nsroom.client.target import Target, Transport
from nsroom.client.transports.handshake import new_key, request
from nsroom.client.transports.http_proxy import HttpProxy, proxy_for
from nsroom.errors import UsageError
from nsroom.record import Json


class Scenario(StrEnum):
    """A scenario to measure."""

    CONNECT = "connect"
    ACK = "ack"
    FANOUT = "fan-out"


class Member(NamedTuple):
    """A client and its room, numbered over all workers."""

    client: int
    room: int


@dataclass(frozen=True, slots=True)
class Load:
    """The amount of load; times are in seconds."""

    clients: int
    rooms: int = 1
    workers: int = 1
    ramp: float = 0.0
    """The time to spread connecting over; 0 connects as fast as the server accepts clients."""
    rate: float | None = None
    """Events per second of all clients together; None sends as fast as the server answers."""
    duration: float = 10.0
    in_flight: int = 1
    """Unanswered events of each sender, without a rate."""
    timeout: float = 5.0
    size: int = 100
    """Characters of `{text}`."""

    def check(self) -> None:
        """Raise UsageError if the numbers do not fit together."""
        if 1 < self.rooms < self.workers:
            raise UsageError(
                f"--rooms {self.rooms} cannot be spread over --workers {self.workers}:"
                f" use one room, or at least {self.workers}"
            )
        needed = 2 * max(self.rooms, self.workers)
        if self.clients < needed:
            raise UsageError(
                f"--clients {self.clients}: at least {needed} are needed, two for every room and worker"
            )

    def members(self, worker: int) -> Iterator[Member]:
        """Yield the clients of one worker: a room is in one worker, unless it is the only room."""
        for client in range(self.clients):
            room = client % self.rooms
            if (client if self.rooms == 1 else room) % self.workers == worker:
                yield Member(client, room)


@dataclass(frozen=True, slots=True)
class Events:
    """The events that clients send: names with arguments, which may contain `{room}` and `{text}`."""

    ack: list[Json]
    send: list[Json]
    join: list[Json]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to connect."""

    address: str
    port: int
    tls: bool
    host: str
    """The name in the certificate."""
    insecure: bool
    cacert: str | None
    cert: str | None
    key: str | None
    request: str
    """The head of the HTTP request."""
    namespace: str
    auth: dict[str, Json] | None
    timeout: float
    """Seconds for a client to connect to its namespace."""
    proxy: HttpProxy | None = None
    """The HTTP proxy of the environment, which then resolves the host itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one worker."""

    module: ClassVar[str] = "nsroom.bench.worker"

    endpoint: Endpoint
    load: Load
    events: Events
    worker: int
    run: str
    """Distinguishes the events of this run from those of others."""

    def for_worker(self, worker: int) -> Self:
        """Return the plan of another worker."""
        return replace(self, worker=worker)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""
        return asdict(self)


def from_json(value: dict[str, Any]) -> Plan:
    """Return the plan that `to_json` made this object from."""
    endpoint = dict(value["endpoint"])
    proxy = endpoint.pop("proxy")
    return Plan(
        Endpoint(**endpoint, proxy=HttpProxy(**proxy) if proxy else None),
        Load(**value["load"]),
        Events(**value["events"]),
        value["worker"],
        value["run"],
    )


def endpoint_of(target: Target, address: str) -> Endpoint:
    """Return how to connect to this address of the target. Raises: UsageError."""
    if target.transport is Transport.POLLING:
        raise UsageError("--transport polling: bench loads a server over WebSocket only")
    if len(target.namespaces) > 1:
        raise UsageError(f"bench loads one namespace, but {len(target.namespaces)} are given")
    parts = urlsplit(target.url)
    return Endpoint(
        address,
        target.port,
        parts.scheme == "https",
        parts.hostname or "",
        target.insecure,
        target.cacert,
        target.cert,
        target.key,
        request(target, new_key()),
        target.namespaces[0],
        target.auth,
        target.connect_timeout,
        proxy_for(target.url, target.insecure, target.cacert),
    )
