"""One connection to a Socket.IO server, whatever carries it; a tap sees every frame of it."""

import asyncio
import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nsroom.client.target import Target, Transport
from nsroom.client.transports.tap import Tap
from nsroom.errors import LimitError, LostError
from nsroom.protocol import engineio as wire
from nsroom.protocol.limits import LIMITS
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json


class Connection(ABC):
    """One Engine.IO session and the namespaces in it. It is opened once and closed once."""

    _breaks: tuple[type[Exception], ...] = (ConnectionError,)
    """What sending raises when the connection is gone."""

    def __init__(self, target: Target, tap: Tap, payload: Callable[[str], Json]) -> None:
        self.tap = tap
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Resolves to the reason, in the words of python-engineio, when the connection is over."""
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        """Of the last HTTP response."""
        self.redirect: str | None = None
        """Where the server sent us instead."""
        self.failure: BaseException | None = None
        """What the network last failed with."""
        self.reached = False
        """Whether a TCP (and TLS) connection was made."""
        self._target = target
        self._payload = payload
        self._writing = asyncio.Lock()

    @property
    @abstractmethod
    def transport(self) -> str:
        """Name what carries the packets now."""

    @property
    @abstractmethod
    def _is_open(self) -> bool:
        """Whether packets can be sent."""

    @abstractmethod
    async def open(self, transport: Transport, namespaces: Sequence[str], timeout: float) -> None:
        """Shake hands and ask for the namespaces; their answers come through the tap.

        Raises: whatever the network, libraries and hostile answers raise; see `causes.explain`.
        """

    @abstractmethod
    async def _write(self, messages: Sequence[wire.Packet]) -> None:
        """Put messages on the wire, past the tap."""

    @abstractmethod
    async def _ping(self, token: bytes) -> None:
        """Send a WebSocket ping."""

    @abstractmethod
    async def _leave(self) -> None:
        """Say that this is the end."""

    @abstractmethod
    async def _drop(self) -> None:
        """Let go of everything, at once."""

    def _end(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)

    @property
    def why_ended(self) -> str:
        """Name the reason of the end, in the words of the JavaScript client."""
        if self.tap.silent:
            return "ping timeout"
        if self.tap.close_code is not None:
            return f"transport close, code {self.tap.close_code}"
        if self.status not in (None, 101, 200):
            return f"transport error, HTTP {self.status}"
        return self.ended.result() if self.ended.done() else "transport close"

    async def send(self, packets: Sequence[Packet]) -> None:
        """Send packets in order, each with its attachments right behind it; wait while the wire is full.

        Raises: LostError when the connection is over, LimitError before anything is sent, ValueError for what
        the protocol cannot carry.
        """
        write = self.tap.dialect.write
        messages = [
            wire.Packet(wire.PacketType.MESSAGE, part) for packet in packets for part in write(packet)
        ]
        async with self._writing:
            if not self._is_open:
                raise LostError("the connection is over")
            self._check_sizes(messages)
            try:
                await self._write(messages)
            except self._breaks as error:
                raise LostError(f"the connection broke while sending: {error}") from error

    def _check_sizes(self, messages: Sequence[wire.Packet]) -> None:
        bound = self.max_payload
        polling = self.transport == "polling"
        for message in messages:
            # Cheap first: text of n characters has n to 4 n bytes in UTF-8.
            if len(message.data) * 4 >= bound and (size := _size(message, polling)) > bound:
                raise LimitError(
                    f"{size} bytes, but the server takes {bound} at once (its maxPayload); not sent"
                )

    @property
    def max_payload(self) -> int:
        """Bytes that the server takes at once."""
        shake = self.tap.session.handshake
        return shake.max_payload if shake and shake.max_payload else LIMITS.frame

    async def settle(self, timeout: float) -> None:
        """Wait until the server has read what was sent: over WebSocket it answers a ping behind it.

        A polling request was answered when it was sent.

        Raises: TimeoutError after `timeout` seconds, LostError when the connection ends first.
        """
        if self.transport == "websocket" and not self.ended.done():
            async with asyncio.timeout(timeout):
                pong: asyncio.Future[None] = await self.mark()
                either: tuple[asyncio.Future[Any], ...] = (pong, self.ended)
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if pong.done():
                return
        if self.ended.done():
            raise LostError("the connection is over")

    async def mark(self) -> asyncio.Future[None]:
        """Send a WebSocket ping; the future is done when the server has read all that was sent before it.

        Raises: LostError.
        """
        token = os.urandom(8)
        pong = self.tap.expect_pong(token)
        try:
            await self._ping(token)
        except self._breaks as error:
            raise LostError(f"the connection broke: {error}") from error
        return pong

    async def close(self, timeout: float = 1.0) -> None:
        """Leave the namespaces and end the connection within `timeout` seconds, whatever the server does."""
        with contextlib.suppress(TimeoutError, LostError, *self._breaks):
            async with asyncio.timeout(timeout):
                await self._say_goodbye()
        await self._drop()
        self._end("client disconnect")

    async def _say_goodbye(self) -> None:
        left = [Packet(PacketType.DISCONNECT, namespace) for namespace in self.tap.session.namespaces]
        if self._is_open:
            await self.send(left)
            await self._leave()


def _size(message: wire.Packet, polling: bool) -> int:
    """Count the bytes that a message takes: polling carries binary data as `b` and base64."""
    if isinstance(message.data, str):
        return 1 + wire.byte_count([message.data])
    return 1 + 4 * -(-len(message.data) // 3) if polling else len(message.data)
