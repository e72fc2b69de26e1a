"""The Connection interface: send packets, receive frames, close."""

import asyncio
import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from nsroom.client.target import Target, Transport
from nsroom.client.transports.http_proxy import proxy_for
from nsroom.client.transports.tap import Tap
from nsroom.errors import LimitError, LostError
from nsroom.protocol import engineio as wire
from nsroom.protocol.limits import LIMITS
from nsroom.protocol.socketio import Packet, PacketType
from nsroom.record import Json


class Connection(ABC):
    """One Engine.IO session and the namespaces in it. It is opened once and closed once.

    A tap observes every frame; the records of received frames are read from there.
    """

    _connection_errors: tuple[type[Exception], ...] = (ConnectionError,)
    """The errors of sending on a lost connection."""

    def __init__(self, target: Target, tap: Tap, payload: Callable[[str], Json]) -> None:
        self.tap = tap
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Resolves to the reason when the connection ends, in python-engineio's words."""
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        """The headers of the last HTTP response."""
        self.refused_post: int | None = None
        """The HTTP status with which packets were refused."""
        self.redirect: str | None = None
        """The URL that the server redirected to."""
        self.failure: BaseException | None = None
        """The last error of the network."""
        self.reached = False
        """Whether a TCP (and TLS) connection was made, or a proxy answered."""
        self.proxy = None if target.unix else proxy_for(target.url, target.insecure, target.cacert)
        """The proxy of the environment, or None."""
        self._target = target
        self._payload = payload
        self._writing = asyncio.Lock()

    @property
    @abstractmethod
    def transport(self) -> str:
        """The current transport: websocket, polling or none."""

    @property
    @abstractmethod
    def _is_open(self) -> bool:
        """Whether packets can be sent now."""

    @abstractmethod
    async def open(self, transport: Transport, namespaces: Sequence[str], timeout: float) -> None:
        """Open the session and send a CONNECT for each namespace; the tap gets the answers.

        Raises: any error of the network, libraries and hostile answers; see `failures.explain`.
        """

    @abstractmethod
    async def _write(self, packets: Sequence[Packet], messages: Sequence[Sequence[str | bytes]]) -> None:
        """Send the data of the messages of each packet, observed by the tap; wait while the wire is full.

        Raises: LostError after a part may have arrived; `_connection_errors` before.
        """

    @abstractmethod
    async def _ping(self, token: bytes) -> None:
        """Send a WebSocket ping."""

    @abstractmethod
    async def _close_session(self) -> None:
        """Close the session cleanly."""

    @abstractmethod
    async def _release(self) -> None:
        """Release all resources at once."""

    def _end(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)

    @property
    def why_ended(self) -> str:
        """The reason of the end, in the words of the JavaScript client."""
        if self.tap.timed_out:
            return "ping timeout"
        if self.tap.fault is not None:
            return f"invalid WebSocket data: {self.tap.fault}"
        if self.tap.closing is not None:
            return f"transport close, {self.tap.closing}"
        if self.status not in (None, 101, 200):
            return f"transport error, HTTP {self.status}"
        return self.ended.result() if self.ended.done() else "transport close"

    async def send(self, packets: Sequence[Packet]) -> None:
        """Send packets in order, each followed by its attachments; wait while the wire is full.

        Raises: LostError when the connection has ended, LimitError before anything is sent, ValueError for
        packets that the protocol cannot carry.
        """
        write = self.tap.dialect.write
        messages = [write(packet) for packet in packets]
        async with self._writing:
            if not self._is_open:
                raise LostError("the connection has ended")
            self._check_sizes(messages)
            try:
                await self._write(packets, messages)
            except self._connection_errors as error:
                raise LostError(f"the connection broke while sending: {error}") from error

    def _check_sizes(self, messages: Iterable[Sequence[str | bytes]]) -> None:
        limit = self.max_payload
        polling = self.transport == "polling"
        for data in chain.from_iterable(messages):
            # Cheap first: text of n characters has n to 4 n bytes in UTF-8.
            if len(data) * 4 >= limit and (size := _size(data, polling)) > limit:
                raise LimitError(
                    f"{size} bytes, but the server accepts at most {limit} (its maxPayload); not sent"
                )

    @property
    def max_payload(self) -> int:
        """Bytes that the server accepts in one packet or request."""
        shake = self.tap.session.handshake
        return shake.max_payload if shake and shake.max_payload else LIMITS.frame

    async def settle(self, timeout: float) -> None:
        """Wait until the server has read everything that was sent.

        Over WebSocket a ping follows it, which the server answers; a polling request was answered already.

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
            raise LostError("the connection has ended")

    async def mark(self) -> asyncio.Future[None]:
        """Send a WebSocket ping; the future is done when the server has read all that was sent before it.

        Raises: LostError.
        """
        token = os.urandom(8)
        pong = self.tap.expect_pong(token)
        try:
            await self._ping(token)
        except self._connection_errors as error:
            raise LostError(f"the connection broke: {error}") from error
        return pong

    async def close(self, timeout: float = 1.0) -> None:
        """Leave the namespaces and close the connection, within `timeout` seconds."""
        with contextlib.suppress(TimeoutError, LostError, *self._connection_errors):
            async with asyncio.timeout(timeout):
                await self._leave()
        await self._release()
        self._end("client disconnect")

    async def _leave(self) -> None:
        packets = [Packet(PacketType.DISCONNECT, namespace) for namespace in self.tap.session.namespaces]
        if self._is_open:
            await self.send(packets)
            await self._close_session()


def _size(data: str | bytes, polling: bool) -> int:
    """Return the bytes of a message on the wire; polling carries binary data as `b` and base64."""
    if isinstance(data, str):
        return 1 + wire.byte_count([data])
    return 1 + 4 * -(-len(data) // 3) if polling else len(data)
