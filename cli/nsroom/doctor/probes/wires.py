"""Carry Engine.IO frames over a WebSocket or over polling."""

import asyncio
import base64
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.doctor.probes.http import HttpClient, NoResponse, Response
from nsroom.protocol import engineio3
from nsroom.protocol.dialect import DEFAULT, Dialect
from nsroom.protocol.refusals import parse_engine_error
from nsroom.protocol.websocket import TOO_BIG, describe_close
from nsroom.record import Frame


class SessionEnded(Exception):
    """The session is over; the text holds the WebSocket's close code, or the status of a request."""

    def __init__(self, text: str, is_too_big: bool = False) -> None:
        super().__init__(text)
        self.is_too_big = is_too_big
        """Whether something that was sent is larger than the server accepts."""


class Wire(Protocol):
    """Carries frames of Engine.IO 4, or of 3 in the form of 4."""

    name: str

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: SessionEnded, NoResponse."""

    async def receive(self) -> Frame:
        """Return the next frame. Raises: SessionEnded, NoResponse, DecodeError."""

    async def close(self) -> None:
        """Close the session."""


class WebSocketWire:
    """Carries one frame in each WebSocket message."""

    name = "websocket"

    def __init__(self, ws: "aiohttp.ClientWebSocketResponse[bool]", dialect: Dialect = DEFAULT) -> None:
        self._ws = ws
        self._dialect = dialect

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: SessionEnded."""
        frame = self._dialect.to_wire(frame)
        try:
            await (self._ws.send_str(frame) if isinstance(frame, str) else self._ws.send_bytes(frame))
        except (ConnectionError, aiohttp.ClientError):
            raise self._ended() from None

    async def receive(self) -> Frame:
        """Return the next frame. Raises: SessionEnded."""
        message = await self._ws.receive()
        if message.type is aiohttp.WSMsgType.ERROR:
            raise SessionEnded(f"invalid WebSocket data: {message.data}")
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise self._ended(str(message.extra or ""))
        frame: Frame = message.data
        return _to_4(frame, self._dialect)

    def _ended(self, reason: str = "") -> SessionEnded:
        code = self._ws.close_code or 1006
        return SessionEnded(f"WebSocket closed, {describe_close(code, reason)}", is_too_big=code == TOO_BIG)

    async def close(self) -> None:
        """Close the WebSocket; do not wait long for the server's close frame."""
        try:
            async with asyncio.timeout(0.5):
                await self._ws.close()
        except TimeoutError:
            return


class PollingWire:
    """Carries one or more frames in each HTTP body."""

    name = "polling"

    def __init__(
        self,
        http: HttpClient,
        dialect: Dialect,
        sid: str,
        cookies: Mapping[str, str],
        received: Sequence[Frame] = (),
    ) -> None:
        """`received` are the frames that came with the handshake."""
        self._http = http
        self._dialect = dialect
        self._query = {**polling_query(dialect), "sid": sid}
        self._cookies = cookies
        self._frames = deque(received)

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: SessionEnded, NoResponse."""
        await self.post(frame, timeout=5.0)

    async def post(self, *frames: Frame, timeout: float) -> None:
        """Send frames in one body. Raises: SessionEnded, NoResponse."""
        body = encode_body(frames, self._dialect)
        response = await self._http.request(
            "POST", self._query, body=body, cookies=self._cookies, timeout=timeout
        )
        raise_for_status(response)

    async def receive(self) -> Frame:
        """Return the next frame; a poll may take as long as the server likes.

        Raises: SessionEnded, NoResponse, DecodeError.
        """
        while not self._frames:
            response = await self._http.request("GET", self._query, cookies=self._cookies, timeout=None)
            raise_for_status(response)
            self._frames.extend(split_body(response.body, self._dialect))
        return self._frames.popleft()

    async def close(self) -> None:
        """Close the session, if the server accepts that."""
        try:
            await self.post("1", timeout=1.0)
        except (SessionEnded, NoResponse):
            return


def polling_query(dialect: Dialect) -> dict[str, str]:
    """Return the query of a polling request."""
    return {"EIO": str(dialect.engine), "transport": "polling"}


def encode_body(frames: Iterable[Frame], dialect: Dialect) -> str:
    """Encode frames of Engine.IO 4 as a polling body."""
    texts = (frame if isinstance(frame, str) else "b" + base64.b64encode(frame).decode() for frame in frames)
    return dialect.join_body([dialect.to_polling(text) for text in texts])


def split_body(data: bytes, dialect: Dialect) -> list[Frame]:
    """Split a polling body into frames of Engine.IO 4. Raises: DecodeError."""
    return [_to_4(frame, dialect) for frame in dialect.split_body(data)]


def _to_4(frame: Frame, dialect: Dialect) -> Frame:
    return engineio3.to_4(frame) if dialect.is_old else frame


def raise_for_status(response: Response) -> None:
    """Raise SessionEnded unless the status is 200."""
    if response.status != 200:
        reason = parse_engine_error(response.text)[1] or "no reason given"
        raise SessionEnded(f"HTTP {response.status}: {reason}", is_too_big=response.status == 413)
