"""The Python interface: Socket.IO clients for tests and scripts.

    async with nsroom.connect("http://localhost:3000/chat") as client:
        assert (await client.call("add", 2, 3)).args == [5]
        await client.expect("event=message & arg.0.text=hi", within=1)

Importing it changes nothing in the process: aiohttp and python-socketio are loaded when they are needed, and
then whole.
"""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from nsroom.client.client import Client as Connection
from nsroom.client.events import Emit
from nsroom.client.joins import join
from nsroom.client.presets import Convention
from nsroom.client.replies import Rule
from nsroom.client.target import DEFAULT_PATH, Target, Transport, resolve
from nsroom.errors import (
    ConnectError,
    LostError,
    NsroomError,
    RefusedError,
    UsageError,
    WaitError,
)
from nsroom.filters import parse
from nsroom.record import Json, Record
from nsroom.scenarios.closest import closest, describe
from nsroom.scenarios.member import Member, Missed

__all__ = [
    "Client",
    "ConnectError",
    "ExpectationError",
    "LostError",
    "NsroomError",
    "Record",
    "RefusedError",
    "UsageError",
    "WaitError",
    "connect",
]


class ExpectationError(AssertionError):
    """An expectation was not met; the text has the closest records, with the parts that do not match."""


class Client:
    """A connected client, as `connect` returns it."""

    def __init__(self, member: Member) -> None:
        self._member = member

    @property
    def namespaces(self) -> dict[str, str | None]:
        """The connected namespaces and their sids."""
        return self._member.client.namespaces

    @property
    def records(self) -> list[Record]:
        """Everything that was sent and received, in its order; the oldest are dropped after 100,000."""
        return list(self._member.records)

    async def emit(self, event: str, *args: Json, namespace: str | None = None) -> None:
        """Emit an event, and return when the server has read it. Raises: NsroomError."""
        await self._member.client.emit(self._event(event, args, namespace))
        await self._member.client.settle(5.0)

    async def call(
        self, event: str, *args: Json, namespace: str | None = None, timeout: float = 5.0
    ) -> Record:
        """Emit an event and return its acknowledgement; the answer is in `args`.

        Raises: WaitError without an answer in `timeout` seconds, NsroomError.
        """
        client = self._member.client
        (answer,) = await client.ask(self._event(event, args, namespace))
        return await client.answer(event, answer, timeout)

    async def join(self, *rooms: str, event: str = "join") -> None:
        """Ask to join rooms, by an event with the room's name. Raises: RefusedError, NsroomError."""
        refused = await join(self._member.client, rooms, Convention(event), lambda _: None)
        if refused:
            raise RefusedError(f"the server refused to join {'; '.join(refused)}")

    def reply(self, event: str, *args: Json) -> None:
        """Acknowledge every such event of the server with these arguments from now on."""
        self._member.client.replier.rules[event] = Rule(list(args))

    async def expect(self, filter: str, *, within: float = 5.0) -> Record:
        """Return the next record that matches a filter, a received event unless it names a kind or dir.

        It may have been received before, since the last record that was expected; records before it are
        skipped. Raises: ExpectationError after `within` seconds, UsageError for a filter with an error.
        """
        try:
            [record] = await self._member.expect(parse(filter), 1, within)
        except Missed as missed:
            why = missed.ended or f"waited {within:g} s"
            lines = closest(filter, missed.seen)
            raise ExpectationError("\n  ".join([f"no {filter}; {why}", *lines])) from None
        return record

    async def never(self, filter: str, *, during: float) -> None:
        """Wait for `during` seconds; since the last record that was expected, none may match the filter.

        Raises: ExpectationError as soon as one does, UsageError for a filter with an error.
        """
        record = await self._member.never(parse(filter), during)
        if record is not None:
            raise ExpectationError(f"{filter} was received\n  {describe(record)}")

    async def disconnect(self) -> None:
        """Disconnect; leaving the block of `connect` does it too."""
        await self._member.close()

    def _event(self, event: str, args: tuple[Json, ...], namespace: str | None) -> Emit:
        return Emit(namespace or next(iter(self.namespaces), "/"), event, list(args))


@contextlib.asynccontextmanager
async def connect(
    url: str,
    *namespaces: str,
    auth: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    path: str | None = None,
    transport: str = "auto",
    reconnect: bool = True,
    timeout: float = 10.0,
) -> AsyncIterator[Client]:
    """Connect to a server, and disconnect at the end of the block.

    The path of `url` is the namespace, as in the JavaScript client; `namespaces` are further ones, `auth` is
    the payload of CONNECT, `path` the HTTP path, and `transport` auto, websocket or polling.
    Raises: ConnectError, RefusedError if any namespace is refused, UsageError.
    """
    place, named, said = resolve([url, *namespaces], None, ())
    target = Target(
        url=place,
        path=path or said.path or DEFAULT_PATH,
        namespaces=named,
        auth=dict(auth) if auth else None,
        headers=dict(headers or {}),
        query=(*said.query, *(query or {}).items()),
        transport=_transport(transport),
        connect_timeout=timeout,
        reconnect=reconnect,
        unix=said.unix,
    )
    member = Member(Connection(target, watch=True, rules={}))
    try:
        await member.client.connect()
        if refused := member.client.refused:
            raise RefusedError("; ".join(f"{name} is refused: {why}" for name, why in refused.items()))
        yield Client(member)
    finally:
        await member.close()


def _transport(name: str) -> Transport:
    try:
        return Transport(name)
    except ValueError:
        raise UsageError(f"unknown transport {name!r}: choose {', '.join(Transport)}") from None
