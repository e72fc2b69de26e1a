"""A hand-driven Engine.IO session, protocol 3 or 4."""

import asyncio
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from nsroom.doctor.probes.http import HttpClient, NoResponse, UpgradeRefused
from nsroom.doctor.probes.wires import (
    PollingWire,
    SessionEnded,
    WebSocketWire,
    Wire,
    polling_query,
    raise_for_status,
    split_body,
)
from nsroom.errors import DecodeError
from nsroom.protocol import engineio, msgpack_parser, socketio
from nsroom.protocol.dialect import Dialect
from nsroom.protocol.engineio import Handshake, parse_handshake
from nsroom.protocol.refusals import message_of
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Frame, Json

SESSION_ERRORS = (SessionEnded, NoResponse, UpgradeRefused, DecodeError)
"""The ways a session can fail."""
_UNKNOWN_NAMESPACE = "/nsroom-doctor"
CONNECT_UNKNOWN = Packet(PacketType.CONNECT, _UNKNOWN_NAMESPACE, None, None)
"""A CONNECT that the server refuses, so that no handler of an application runs."""
_MAX_FRAMES = 10_000
"""Frames to search for an answer."""


class Outcome(StrEnum):
    """The result of a CONNECT."""

    CONNECTED = "connected"
    REFUSED = "refused"
    SILENT = "silent"
    CLOSED = "closed"


_OUTCOMES = {
    PacketType.CONNECT: Outcome.CONNECTED,
    PacketType.CONNECT_ERROR: Outcome.REFUSED,
    PacketType.DISCONNECT: Outcome.REFUSED,
}
EVENTS = (PacketType.EVENT, PacketType.BINARY_EVENT)
_ACKS = (PacketType.ACK, PacketType.BINARY_ACK)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a CONNECT, the milliseconds it took, and the events received before it."""

    outcome: Outcome
    data: Json = None
    ms: float = 0.0
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PollingSession:
    """A session that was opened over polling."""

    handshake: Handshake
    cookies: Mapping[str, str]
    dialect: Dialect
    received: tuple[Frame, ...] = ()
    """Frames that came with the handshake."""

    def wire(self, http: HttpClient, send_cookies: bool = True) -> PollingWire:
        """Return a wire for the session, with or without the cookies of its handshake."""
        cookies = self.cookies if send_cookies else {}
        return PollingWire(http, self.dialect, self.handshake.sid, cookies, self.received)


async def open_polling(http: HttpClient, dialect: Dialect, timeout: float = 5.0) -> PollingSession:
    """Open a session over polling. Raises: SessionEnded, NoResponse, DecodeError."""
    response = await http.request("GET", polling_query(dialect), timeout=timeout)
    raise_for_status(response)
    first, *rest = split_body(response.body, dialect) or [""]
    return PollingSession(parse_open(first), response.cookies, dialect, tuple(rest))


@dataclass(slots=True)
class ProbeSession:
    """A session that answers heartbeats while it waits for packets."""

    wire: Wire
    dialect: Dialect
    handshake: Handshake
    pings: list[float] = field(default_factory=list)
    """When heartbeats arrived, on the monotonic clock."""
    disconnected: dict[str, Json] = field(default_factory=dict)
    """The namespaces that the server has disconnected, with its reasons."""

    @classmethod
    async def over_websocket(cls, http: HttpClient, dialect: Dialect, timeout: float = 4.0) -> Self:
        """Open a session. Raises: UpgradeRefused, NoResponse, SessionEnded, DecodeError."""
        timeout = min(timeout, http.target.connect_timeout)
        query = {"EIO": str(dialect.engine), "transport": "websocket"}
        wire = WebSocketWire(await http.websocket(query, timeout=timeout), dialect)
        try:
            async with asyncio.timeout(timeout):
                frame = await wire.receive()
            return cls(wire, dialect, parse_open(frame))
        except TimeoutError:
            await wire.close()
            raise NoResponse(
                f"switched to WebSocket, then silent for {timeout:g} s", timed_out=True
            ) from None
        except BaseException:
            await wire.close()
            raise

    @classmethod
    async def over_polling(cls, http: HttpClient, dialect: Dialect, timeout: float = 4.0) -> Self:
        """Open a session. Raises: NoResponse, SessionEnded, DecodeError."""
        polled = await open_polling(http, dialect, timeout)
        return cls(polled.wire(http), dialect, polled.handshake)

    async def receive_message(self) -> Frame:
        """Return the next Socket.IO packet or attachment. Raises: SessionEnded, NoResponse, DecodeError."""
        while (part := await self.receive_frame()) is None:
            continue
        return part

    async def receive_frame(self) -> Frame | None:
        """Return the payload of the next frame, or None for a heartbeat.

        Raises: SessionEnded, NoResponse, DecodeError.
        """
        frame = await self.wire.receive()
        if isinstance(frame, bytes):
            return frame
        kind, rest = frame[:1], frame[1:]
        if kind == "4":
            return rest
        if kind == "b":
            return engineio.decode(frame).data
        if kind == "1":
            raise SessionEnded("the server sent CLOSE")
        await self._handle_heartbeat(kind)
        return None

    async def _handle_heartbeat(self, kind: str) -> None:
        if kind in ("2", "3"):
            self.pings.append(time.monotonic())
        if kind == "2":
            await self.wire.send("3")

    async def send_packet(self, packet: Packet) -> None:
        """Send a packet with its attachments. Raises: SessionEnded, NoResponse."""
        for frame in frames_of(packet, self.dialect):
            await self.wire.send(frame)

    async def connect_namespaces(
        self, namespaces: Sequence[str], auth: Json, timeout: float
    ) -> dict[str, Reply]:
        """Send a CONNECT for each namespace and collect the answers for up to `timeout` seconds."""
        try:
            for namespace in namespaces:
                await self.send_packet(Packet(PacketType.CONNECT, namespace, None, auth))
        except (SessionEnded, NoResponse) as error:
            return dict.fromkeys(namespaces, Reply(Outcome.CLOSED, str(error)))
        return await self.receive_replies(namespaces, timeout)

    async def receive_replies(self, namespaces: Sequence[str], timeout: float) -> dict[str, Reply]:
        """Collect the answers to CONNECTs for up to `timeout` seconds."""
        replies: dict[str, Reply] = {}
        rest = Reply(Outcome.SILENT)
        try:
            async with asyncio.timeout(timeout):
                await self._collect(replies, namespaces, time.monotonic())
        except TimeoutError:
            pass  # the namespaces that did not answer are reported as silent
        except (SessionEnded, NoResponse, DecodeError) as error:
            rest = Reply(Outcome.CLOSED, str(error))
        return {namespace: replies.get(namespace, rest) for namespace in namespaces}

    async def is_unknown_answered(self, timeout: float) -> bool:
        """Return whether CONNECT_UNKNOWN, which was sent, is answered within `timeout` seconds."""
        reply = (await self.receive_replies((_UNKNOWN_NAMESPACE,), timeout))[_UNKNOWN_NAMESPACE]
        return reply.outcome in (Outcome.CONNECTED, Outcome.REFUSED)

    async def _collect(self, replies: dict[str, Reply], namespaces: Sequence[str], start: float) -> None:
        """Fill `replies`; `start` is when the CONNECTs were sent.

        Raises: SessionEnded, NoResponse, DecodeError.
        """
        events: list[str] = []
        for _ in range(_MAX_FRAMES):
            if len(replies) == len(namespaces):
                return
            packet = await self.receive_packet()
            if packet is None:
                continue
            if packet.type in EVENTS:
                events.append(str(packet.data[0]))
            outcome = _OUTCOMES.get(packet.type)
            if outcome and packet.namespace in namespaces and packet.namespace not in replies:
                ms = (time.monotonic() - start) * 1000
                replies[packet.namespace] = Reply(outcome, packet.data, ms, tuple(events))

    async def receive_packet(self) -> Packet | None:
        """Return the next packet, or None for an attachment.

        Raises: SessionEnded, NoResponse, DecodeError.
        """
        message = await self.receive_message()
        if isinstance(message, bytes) and not self.dialect.is_msgpack:
            return None
        if isinstance(message, bytes) or self.dialect.is_msgpack:
            packet = msgpack_parser.decode(message)
        else:
            packet = socketio.decode_from_server(message)
        if packet.type is PacketType.DISCONNECT:
            self.disconnected[packet.namespace] = packet.data
        return packet

    async def wait_for_ack(self, ids: Container[int | None], timeout: float) -> tuple[int | None, Json]:
        """Wait for the acknowledgement of one of these events; return its id and its arguments.

        Raises: TimeoutError, SessionEnded, NoResponse, DecodeError.
        """
        async with asyncio.timeout(timeout):
            while True:
                packet = await self._receive_while_connected()
                if packet and packet.type in _ACKS and packet.id in ids:
                    return packet.id, packet.data

    async def hold(self, seconds: float) -> None:
        """Receive packets for `seconds`.

        Raises: SessionEnded (also when the server disconnects a namespace), NoResponse, DecodeError.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._receive_while_connected()
        except TimeoutError:
            return

    async def _receive_while_connected(self) -> Packet | None:
        packet = None if self.disconnected else await self.receive_packet()
        for namespace, data in self.disconnected.items():
            reason = f": {message_of(data)}" if message_of(data) else ""
            raise SessionEnded(f"the server disconnected {namespace}{reason}")
        return packet

    async def close(self) -> None:
        """Close the session."""
        await self.wire.close()


def frames_of(packet: Packet, dialect: Dialect) -> list[Frame]:
    """Return the frames of Engine.IO 4 that carry a packet and its attachments."""
    return [f"4{part}" if isinstance(part, str) else part for part in dialect.write(packet)]


def parse_open(frame: Frame) -> Handshake:
    """Parse an OPEN packet. Raises: DecodeError."""
    if not isinstance(frame, str) or not frame.startswith("0"):
        raise DecodeError("not an Engine.IO handshake", frame)
    return parse_handshake(frame[1:])
