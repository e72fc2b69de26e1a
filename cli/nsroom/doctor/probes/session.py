"""A hand-driven Engine.IO session, of protocol 3 or 4."""

import asyncio
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from nsroom.doctor.probes.http import HttpClient, NoAnswer, UpgradeRefused
from nsroom.doctor.probes.wires import (
    PollingWire,
    SessionClosed,
    WebSocketWire,
    Wire,
    require_success,
    split_body,
)
from nsroom.errors import DecodeError
from nsroom.protocol import engineio, socketio
from nsroom.protocol.engineio import Handshake, parse_handshake
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Frame, Json

CONNECTION_ERRORS = (SessionClosed, NoAnswer, UpgradeRefused, DecodeError)
"""The exceptions that end a session, or keep it from opening."""
_MAX_FRAMES = 10_000
"""Frames to read while waiting for the answers to CONNECT."""


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
_EVENTS = (PacketType.EVENT, PacketType.BINARY_EVENT)
_ACKS = (PacketType.ACK, PacketType.BINARY_ACK)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a CONNECT, its delay in milliseconds, and the events received before it."""

    outcome: Outcome
    data: Json = None
    ms: float = 0.0
    events: tuple[str, ...] = ()


@dataclass(slots=True)
class ProbeSession:
    """An open session; heartbeats are answered only while it waits for packets."""

    wire: Wire
    generation: int
    handshake: Handshake
    pings: list[float] = field(default_factory=list)
    """The arrival times of heartbeats, on the monotonic clock."""

    @classmethod
    async def over_websocket(cls, http: HttpClient, generation: int, timeout: float = 4.0) -> Self:
        """Open a session. Raises: UpgradeRefused, NoAnswer, SessionClosed, DecodeError."""
        timeout = min(timeout, http.target.connect_timeout)
        ws = await http.websocket({"EIO": str(generation), "transport": "websocket"}, timeout=timeout)
        wire = WebSocketWire(ws)
        try:
            async with asyncio.timeout(timeout):
                frame = await wire.receive()
            return cls(wire, generation, parse_open(frame))
        except TimeoutError:
            await wire.close()
            raise NoAnswer(f"switched to WebSocket, then silent for {timeout:g} s", silent=True) from None
        except BaseException:
            await wire.close()
            raise

    @classmethod
    async def over_polling(cls, http: HttpClient, generation: int, timeout: float = 4.0) -> Self:
        """Open a session. Raises: NoAnswer, SessionClosed, DecodeError."""
        wire, handshake = await open_polling(http, generation, timeout)
        return cls(wire, generation, handshake)

    async def receive_packet(self) -> Frame:
        """Return the next packet or attachment. Raises: SessionClosed, NoAnswer, DecodeError."""
        while (part := await self.receive()) is None:
            continue
        return part

    async def receive(self) -> Frame | None:
        """Return the content of the next frame, or None for a heartbeat.

        Raises: SessionClosed, NoAnswer, DecodeError.
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
            raise SessionClosed("the server sent CLOSE")
        await self._handle_heartbeat(kind)
        return None

    async def _handle_heartbeat(self, kind: str) -> None:
        if kind in ("2", "3"):
            self.pings.append(time.monotonic())
        if kind == "2":
            await self.wire.send("3")

    async def send(self, packet: Packet) -> None:
        """Send a packet with its attachments. Raises: SessionClosed, NoAnswer."""
        for part in socketio.encode(packet):
            await self.wire.send(self._message(part))

    def _message(self, part: Frame) -> Frame:
        if isinstance(part, str):
            return f"4{part}"
        # Protocol 3 has a type byte in binary WebSocket frames, too; in polling bodies the base64 marks it.
        return b"\x04" + part if self.generation == 3 and self.wire.name == "websocket" else part

    async def connect(
        self, namespaces: Sequence[str], auth: Json, timeout: float, query: str = ""
    ) -> dict[str, Reply]:
        """Send a CONNECT for each namespace, and return the answers that arrive within `timeout` seconds."""
        replies: dict[str, Reply] = {}
        unanswered = Reply(Outcome.SILENT)
        start = time.monotonic()
        try:
            for namespace in namespaces:
                await self._send_connect(namespace, auth, query)
            async with asyncio.timeout(timeout):
                await self._collect(replies, namespaces, start)
        except TimeoutError:
            pass  # the namespaces without an answer are SILENT
        except (SessionClosed, NoAnswer, DecodeError) as error:
            unanswered = Reply(Outcome.CLOSED, str(error))
        return {namespace: replies.get(namespace, unanswered) for namespace in namespaces}

    async def _collect(self, replies: dict[str, Reply], namespaces: Sequence[str], start: float) -> None:
        """Add the answers to `replies` until all are there. Raises: SessionClosed, NoAnswer, DecodeError."""
        events: list[str] = []
        for _ in range(_MAX_FRAMES):
            if len(replies) == len(namespaces):
                return
            packet = await self._decode_next()
            if packet is None:
                continue
            if packet.type in _EVENTS:
                events.append(str(packet.data[0]))
            outcome = _OUTCOMES.get(packet.type)
            if outcome and packet.namespace in namespaces and packet.namespace not in replies:
                ms = (time.monotonic() - start) * 1000
                replies[packet.namespace] = Reply(outcome, packet.data, ms, tuple(events))

    async def _send_connect(self, namespace: str, auth: Json, query: str) -> None:
        if self.generation == 4:
            await self.send(Packet(PacketType.CONNECT, namespace, None, auth))
        elif namespace != "/":  # Socket.IO 2 connects / without a CONNECT
            await self.wire.send(f"40{namespace}{f'?{query}' if query else ''}")

    async def _decode_next(self) -> Packet | None:
        """Return the next packet, or None for an attachment. Raises: DecodeError if it is not JSON."""
        frame = await self.receive_packet()
        return socketio.decode(frame) if isinstance(frame, str) else None

    async def wait_for_ack(self, ids: Container[int | None], timeout: float) -> tuple[int | None, Json]:
        """Wait for the acknowledgement of one of these ids, and return the id and the data.

        Raises: TimeoutError, SessionClosed, NoAnswer, DecodeError.
        """
        async with asyncio.timeout(timeout):
            while True:
                answer = await self._decode_next()
                if answer and answer.type in _ACKS and answer.id in ids:
                    return answer.id, answer.data

    async def close(self) -> None:
        """End the session."""
        await self.wire.close()


async def open_polling(
    http: HttpClient, generation: int, timeout: float = 5.0
) -> tuple[PollingWire, Handshake]:
    """Open a session over polling. Raises: NoAnswer, SessionClosed, DecodeError."""
    answer = await http.request("GET", {"EIO": str(generation), "transport": "polling"}, timeout=timeout)
    require_success(answer)
    first, *rest = split_body(answer.body, generation) or [""]
    handshake = parse_open(first)
    return PollingWire(http, generation, handshake.sid, answer.cookies, rest), handshake


def parse_open(frame: Frame) -> Handshake:
    """Parse an OPEN packet. Raises: DecodeError."""
    if not isinstance(frame, str) or not frame.startswith("0"):
        raise DecodeError("not an Engine.IO handshake", frame)
    return parse_handshake(frame[1:])
