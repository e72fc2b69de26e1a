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
    raise_for_status,
    split_body,
)
from nsroom.errors import DecodeError
from nsroom.protocol import engineio, socketio
from nsroom.protocol.engineio import Handshake, parse_handshake
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Frame, Json

SESSION_ERRORS = (SessionEnded, NoResponse, UpgradeRefused, DecodeError)
"""The ways a session can fail."""
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
    revision: int
    received: tuple[Frame, ...] = ()
    """Frames that came with the handshake."""

    def wire(self, http: HttpClient, send_cookies: bool = True) -> PollingWire:
        """Return a wire for the session, with or without the cookies of its handshake."""
        cookies = self.cookies if send_cookies else {}
        return PollingWire(http, self.revision, self.handshake.sid, cookies, self.received)


async def open_polling(http: HttpClient, revision: int, timeout: float = 5.0) -> PollingSession:
    """Open a session over polling. Raises: SessionEnded, NoResponse, DecodeError."""
    query = {"EIO": str(revision), "transport": "polling"}
    response = await http.request("GET", query, timeout=timeout)
    raise_for_status(response)
    first, *rest = split_body(response.body, revision) or [""]
    return PollingSession(parse_open(first), response.cookies, revision, tuple(rest))


@dataclass(slots=True)
class ProbeSession:
    """A session that answers heartbeats while it waits for packets."""

    wire: Wire
    revision: int
    handshake: Handshake
    pings: list[float] = field(default_factory=list)
    """When heartbeats arrived, on the monotonic clock."""

    @classmethod
    async def over_websocket(cls, http: HttpClient, revision: int, timeout: float = 4.0) -> Self:
        """Open a session. Raises: UpgradeRefused, NoResponse, SessionEnded, DecodeError."""
        timeout = min(timeout, http.target.connect_timeout)
        ws = await http.websocket({"EIO": str(revision), "transport": "websocket"}, timeout=timeout)
        wire = WebSocketWire(ws)
        try:
            async with asyncio.timeout(timeout):
                frame = await wire.receive()
            return cls(wire, revision, parse_open(frame))
        except TimeoutError:
            await wire.close()
            raise NoResponse(
                f"switched to WebSocket, then silent for {timeout:g} s", timed_out=True
            ) from None
        except BaseException:
            await wire.close()
            raise

    @classmethod
    async def over_polling(cls, http: HttpClient, revision: int, timeout: float = 4.0) -> Self:
        """Open a session. Raises: NoResponse, SessionEnded, DecodeError."""
        polled = await open_polling(http, revision, timeout)
        return cls(polled.wire(http), revision, polled.handshake)

    async def receive_packet(self) -> Frame:
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
        for part in socketio.encode(packet):
            await self.wire.send(self._message(part))

    def _message(self, part: Frame) -> Frame:
        if isinstance(part, str):
            return f"4{part}"
        # In protocol 3, binary WebSocket frames carry a type too; in polling bodies it is in the base64 form.
        return b"\x04" + part if self.revision == 3 and self.wire.name == "websocket" else part

    async def connect_namespaces(
        self, namespaces: Sequence[str], auth: Json, timeout: float, query: str = ""
    ) -> dict[str, Reply]:
        """Send a CONNECT for each namespace and collect the answers for up to `timeout` seconds."""
        replies: dict[str, Reply] = {}
        rest = Reply(Outcome.SILENT)
        start = time.monotonic()
        try:
            for namespace in namespaces:
                await self._connect(namespace, auth, query)
            async with asyncio.timeout(timeout):
                await self._collect(replies, namespaces, start)
        except TimeoutError:
            pass  # the namespaces that did not answer are reported as silent
        except (SessionEnded, NoResponse, DecodeError) as error:
            rest = Reply(Outcome.CLOSED, str(error))
        return {namespace: replies.get(namespace, rest) for namespace in namespaces}

    async def _collect(self, replies: dict[str, Reply], namespaces: Sequence[str], start: float) -> None:
        """Fill `replies`; `start` is when the CONNECTs were sent.

        Raises: SessionEnded, NoResponse, DecodeError.
        """
        events: list[str] = []
        for _ in range(_MAX_FRAMES):
            if len(replies) == len(namespaces):
                return
            packet = await self._receive_socketio()
            if packet is None:
                continue
            if packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT):
                events.append(str(packet.data[0]))
            outcome = _OUTCOMES.get(packet.type)
            if outcome and packet.namespace in namespaces and packet.namespace not in replies:
                ms = (time.monotonic() - start) * 1000
                replies[packet.namespace] = Reply(outcome, packet.data, ms, tuple(events))

    async def _connect(self, namespace: str, auth: Json, query: str) -> None:
        if self.revision == 4:
            await self.send_packet(Packet(PacketType.CONNECT, namespace, None, auth))
        elif namespace != "/":  # Socket.IO 2 servers connect / without a CONNECT
            await self.wire.send(f"40{namespace}{f'?{query}' if query else ''}")

    async def _receive_socketio(self) -> Packet | None:
        """Return the next packet, or None for an attachment. Raises: DecodeError unless it is JSON."""
        frame = await self.receive_packet()
        return socketio.decode_from_server(frame) if isinstance(frame, str) else None

    async def wait_for_ack(self, ids: Container[int | None], timeout: float) -> tuple[int | None, Json]:
        """Wait for the acknowledgement of one of these events; return its id and its arguments.

        Raises: TimeoutError, SessionEnded, NoResponse, DecodeError.
        """
        async with asyncio.timeout(timeout):
            while True:
                packet = await self._receive_socketio()
                if packet and packet.type in _ACKS and packet.id in ids:
                    return packet.id, packet.data

    async def close(self) -> None:
        """Close the session."""
        await self.wire.close()


def parse_open(frame: Frame) -> Handshake:
    """Parse an OPEN packet. Raises: DecodeError."""
    if not isinstance(frame, str) or not frame.startswith("0"):
        raise DecodeError("not an Engine.IO handshake", frame)
    return parse_handshake(frame[1:])
