"""One Engine.IO session spoken by hand, of protocol 3 or 4."""

import asyncio
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from nsroom.doctor.probes.http import Exchange, NotSwitched, Unanswered
from nsroom.doctor.probes.wires import Gone, PollingWire, WebSocketWire, Wire, refusal, split
from nsroom.errors import DecodeError
from nsroom.protocol import engineio, socketio
from nsroom.protocol.engineio import Handshake, parse_handshake
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Frame, Json

_FRAMES = 10_000
"""Frames to look through for an answer."""


class Outcome(StrEnum):
    """What came of a CONNECT."""

    CONNECTED = "connected"
    REFUSED = "refused"
    SILENT = "silent"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a CONNECT, the events that came before it, and the milliseconds to it."""

    outcome: Outcome
    data: Json = None
    ms: float = 0.0
    events: tuple[str, ...] = ()


@dataclass(slots=True)
class Talk:
    """A session: heartbeats are answered while packets are awaited."""

    wire: Wire
    generation: int
    handshake: Handshake
    pings: list[float] = field(default_factory=list)
    """When heartbeats came, on the monotonic clock."""

    @classmethod
    async def over_websocket(cls, exchange: Exchange, generation: int, timeout: float = 4.0) -> Self:
        """Open a session. Raises: NotSwitched, Unanswered, Gone, DecodeError."""
        timeout = min(timeout, exchange.target.connect_timeout)
        ws = await exchange.websocket({"EIO": str(generation), "transport": "websocket"}, timeout=timeout)
        wire = WebSocketWire(ws)
        try:
            async with asyncio.timeout(timeout):
                frame = await wire.receive()
            return cls(wire, generation, opened(frame))
        except TimeoutError:
            await wire.close()
            raise Unanswered(f"switched to WebSocket, then silent for {timeout:g} s", silent=True) from None
        except BaseException:
            await wire.close()
            raise

    @classmethod
    async def over_polling(cls, exchange: Exchange, generation: int, timeout: float = 4.0) -> Self:
        """Open a session. Raises: Unanswered, Gone, DecodeError."""
        query = {"EIO": str(generation), "transport": "polling"}
        answer = await exchange.request("GET", query, timeout=timeout)
        if answer.status != 200:
            raise Gone(f"HTTP {answer.status}: {refusal(answer.text)[1] or 'no reason given'}")
        first, *rest = split(answer.body, generation) or [""]
        handshake = opened(first)
        wire = PollingWire(exchange, generation, handshake.sid, answer.cookies)
        wire.keep(rest)
        return cls(wire, generation, handshake)

    async def packet(self) -> Frame:
        """Give the next Socket.IO packet, or attachment. Raises: Gone, Unanswered, DecodeError."""
        while (part := await self.frame()) is None:
            continue
        return part

    async def frame(self) -> Frame | None:
        """Give what the next frame carries; None for a heartbeat. Raises: Gone, Unanswered, DecodeError."""
        frame = await self.wire.receive()
        if isinstance(frame, bytes):
            return frame
        kind, rest = frame[:1], frame[1:]
        if kind == "4":
            return rest
        if kind == "b":
            return engineio.decode(frame).data
        if kind == "1":
            raise Gone("the server sent CLOSE")
        await self._beat(kind)
        return None

    async def _beat(self, kind: str) -> None:
        if kind in ("2", "3"):
            self.pings.append(time.monotonic())
        if kind == "2":
            await self.wire.send("3")

    async def say(self, packet: Packet) -> None:
        """Send a packet with its attachments. Raises: Gone, Unanswered."""
        for part in socketio.encode(packet):
            await self.wire.send(self._message(part))

    def _message(self, part: Frame) -> Frame:
        if isinstance(part, str):
            return f"4{part}"
        # In protocol 3 binary frames of a WebSocket have a type too; that of a polling body is in its base64.
        return b"\x04" + part if self.generation == 3 and self.wire.name == "websocket" else part

    async def ask(
        self, namespaces: Sequence[str], auth: Json, timeout: float, query: str = ""
    ) -> dict[str, Reply]:
        """Send a CONNECT for each namespace, and collect the answers of `timeout` seconds."""
        replies: dict[str, Reply] = {}
        rest = Reply(Outcome.SILENT)
        start = time.monotonic()
        try:
            for namespace in namespaces:
                await self._connect(namespace, auth, query)
            async with asyncio.timeout(timeout):
                await self._collect(replies, namespaces, start)
        except TimeoutError:
            pass  # those that did not answer are silent
        except (Gone, Unanswered, DecodeError) as error:
            rest = Reply(Outcome.CLOSED, str(error))
        return {namespace: replies.get(namespace, rest) for namespace in namespaces}

    async def _collect(self, replies: dict[str, Reply], namespaces: Sequence[str], start: float) -> None:
        """Take the answers to what was asked at `start`. Raises: Gone, Unanswered, DecodeError."""
        events: list[str] = []
        for _ in range(_FRAMES):
            if len(replies) == len(namespaces):
                return
            packet = await self._socketio()
            if packet is None:
                continue
            if packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT):
                events.append(str(packet.data[0]))
            outcome = _OUTCOMES.get(packet.type)
            if outcome and packet.namespace in namespaces and packet.namespace not in replies:
                ms = (time.monotonic() - start) * 1000
                replies[packet.namespace] = Reply(outcome, packet.data, ms, tuple(events))

    async def _connect(self, namespace: str, auth: Json, query: str) -> None:
        if self.generation == 4:
            await self.say(Packet(PacketType.CONNECT, namespace, None, auth))
        elif namespace != "/":  # which is connected unasked
            await self.wire.send(f"40{namespace}{f'?{query}' if query else ''}")

    async def _socketio(self) -> Packet | None:
        """Read the next packet; None for an attachment. Raises: DecodeError for what is no JSON packet."""
        frame = await self.packet()
        return socketio.decode(frame) if isinstance(frame, str) else None

    async def acknowledgement(self, ids: Container[int | None], timeout: float) -> tuple[int | None, Json]:
        """Wait for the acknowledgement of one of these events; give its id, and what it says.

        Raises: TimeoutError, Gone, Unanswered, DecodeError.
        """
        async with asyncio.timeout(timeout):
            while True:
                answer = await self._socketio()
                if answer and answer.type in _ACKS and answer.id in ids:
                    return answer.id, answer.data

    async def close(self) -> None:
        """End the session."""
        await self.wire.close()


_ACKS = (PacketType.ACK, PacketType.BINARY_ACK)
_OUTCOMES = {
    PacketType.CONNECT: Outcome.CONNECTED,
    PacketType.CONNECT_ERROR: Outcome.REFUSED,
    PacketType.DISCONNECT: Outcome.REFUSED,
}


def opened(frame: Frame) -> Handshake:
    """Read an OPEN packet. Raises: DecodeError."""
    if not isinstance(frame, str) or not frame.startswith("0"):
        raise DecodeError("no Engine.IO handshake", frame)
    return parse_handshake(frame[1:])


async def open_talk(exchange: Exchange, generation: int, websocket: bool) -> Talk:
    """Open a session over WebSocket, or polling. Raises: NotSwitched, Unanswered, Gone, DecodeError."""
    opener = Talk.over_websocket if websocket else Talk.over_polling
    return await opener(exchange, generation)


LOST = (Gone, Unanswered, NotSwitched, DecodeError)
"""How a talk may end."""
