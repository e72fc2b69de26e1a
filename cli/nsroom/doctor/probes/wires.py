"""Carry Engine.IO frames over a WebSocket or over polling."""

import asyncio
import base64
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Protocol

from nsroom.client.transports.slim_aiohttp import aiohttp
from nsroom.doctor.probes.http import HttpClient, NoResponse, Response
from nsroom.protocol import engineio, engineio3
from nsroom.protocol.refusals import parse_engine_error
from nsroom.record import Frame


class SessionEnded(Exception):
    """The session is over; the text holds the WebSocket's close code, or the status of a request."""


class Wire(Protocol):
    """Carries Engine.IO frames."""

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

    def __init__(self, ws: "aiohttp.ClientWebSocketResponse[bool]") -> None:
        self._ws = ws

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: SessionEnded."""
        try:
            await (self._ws.send_str(frame) if isinstance(frame, str) else self._ws.send_bytes(frame))
        except (ConnectionError, aiohttp.ClientError):
            raise self._ended() from None

    async def receive(self) -> Frame:
        """Return the next frame. Raises: SessionEnded."""
        message = await self._ws.receive()
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise self._ended()
        frame: Frame = message.data
        return frame

    def _ended(self) -> SessionEnded:
        return SessionEnded(f"WebSocket closed, code {self._ws.close_code or 1006}")

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
        revision: int,
        sid: str,
        cookies: Mapping[str, str],
        received: Sequence[Frame] = (),
    ) -> None:
        """`received` are the frames that came with the handshake."""
        self._http = http
        self._revision = revision
        self._query = {"EIO": str(revision), "transport": "polling", "sid": sid}
        self._cookies = cookies
        self._frames = deque(received)

    async def send(self, frame: Frame) -> None:
        """Send a frame. Raises: SessionEnded, NoResponse."""
        await self.post(encode_body(frame, self._revision), 5.0)

    async def post(self, body: str, timeout: float) -> None:
        """Send a body. Raises: SessionEnded, NoResponse."""
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
            self._frames.extend(split_body(response.body, self._revision))
        return self._frames.popleft()

    async def close(self) -> None:
        """Close the session, if the server accepts that."""
        try:
            await self.post(encode_body("1", self._revision), 1.0)
        except (SessionEnded, NoResponse):
            return


def encode_body(frame: Frame, revision: int) -> str:
    """Encode a frame as a polling body."""
    text = frame if isinstance(frame, str) else "b" + base64.b64encode(frame).decode()
    return text if revision == 4 else f"{len(text.encode('utf-16-le')) // 2}:{text}"


def split_body(data: bytes, revision: int) -> list[Frame]:
    """Split a polling body into frames. Raises: DecodeError."""
    if revision == 3:
        return list(engineio3.split_payload(data))
    return list(engineio.split_payload(data.decode("utf-8", "replace")))


def raise_for_status(response: Response) -> None:
    """Raise SessionEnded unless the status is 200."""
    if response.status != 200:
        reason = parse_engine_error(response.text)[1] or "no reason given"
        raise SessionEnded(f"HTTP {response.status}: {reason}")
